/**
 * `npm run bench -- connect`: our worker beside Kafka Connect 4.1 over one broker (ours, in a process of its own), in one run,
 * interleaved. Prints each figure, the best of the repetitions, and the ratio ours ÷ Kafka's; asserts nothing.
 *
 *   BENCH_REPS (2), BENCH_LINES (1,000,000), BENCH_CONNECTORS (100), BENCH_IDLE (200), BENCH_PARTS="start many idle source sink",
 *   BENCH_ONLY=millrace, KAFKA_LIBS, BENCH_CPU_PROF=folder
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKafkaClients } from "#broker/client/index";
import { cpuSeconds, machine, residentMiB } from "../process-sample.ts";
import { fileSink, fileSource, fillTopic, type Flow, linesFile, put, remove } from "./files.ts";
import { kafkaWorker, millraceWorker, type RunningWorker, sleep, type WorkerKind } from "./workers.ts";

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const REPS = number("BENCH_REPS", 2);
const LINES = number("BENCH_LINES", 1_000_000);
const CONNECTORS = number("BENCH_CONNECTORS", 100);
const IDLE = number("BENCH_IDLE", 200);
const PARTS = (process.env["BENCH_PARTS"] ?? "start many idle source sink").split(" ");
const PORT = number("BENCH_PORT", 28_492);
const BOOTSTRAP = `127.0.0.1:${PORT}`;
const SETTLE_MS = 5_000;
const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const tiny = join(folder, "tiny.txt");
writeFileSync(tiny, "hello\n");

type Better = "more" | "less";
const figures = new Map<string, { unit: string; better: Better; values: Map<string, number[]> }>();
const shown = (value: number): string => (value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));
function note(worker: string, figure: string, value: number, unit: string, better: Better): void {
  const entry = figures.get(figure) ?? { unit, better, values: new Map<string, number[]>() };
  figures.set(figure, entry);
  entry.values.set(worker, [...(entry.values.get(worker) ?? []), value]);
  console.log(`  ${worker.padEnd(9)} ${figure}: ${shown(value)} ${unit}`);
}
/** Each repetition runs with each worker in turn; only one of them is up at a time. */
async function each(what: (kind: WorkerKind, worker: RunningWorker, rep: number) => Promise<void>): Promise<void> {
  for (let rep = 0; rep < REPS; rep++) {
    for (const kind of kinds) {
      const worker = await kind.start();
      try {
        await what(kind, worker, rep);
      } finally {
        await worker.stop();
      }
    }
  }
}
async function running(rest: string, prefix: string): Promise<number> {
  const response = await fetch(`${rest}/connectors?expand=status`);
  if (!response.ok) return 0;
  const all: Record<string, { status: { connector: { state: string }; tasks: { state: string }[] } }> = JSON.parse(await response.text());
  return Object.entries(all).filter(
    ([name, { status }]) =>
      name.startsWith(prefix) &&
      status.connector.state === "RUNNING" &&
      status.tasks.length > 0 &&
      status.tasks.every((t) => t.state === "RUNNING"),
  ).length;
}
/** Posts idle file sources and waits until all are RUNNING; the seconds it took. */
async function create(rest: string, prefix: string, count: number): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    await put(rest, `${prefix}${i}`, {
      "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
      "tasks.max": "1",
      file: tiny,
      topic: `idle-${i % 4}`,
      "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
  }
  while ((await running(rest, prefix)) < count) await sleep(50);
  return (performance.now() - begun) / 1000;
}
async function wipe(rest: string, prefix: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await remove(rest, `${prefix}${i}`);
}
const start = (): Promise<void> =>
  each(async (kind, worker) => {
    note(kind.name, "start until REST answers", worker.startSeconds, "s", "less");
    await sleep(SETTLE_MS);
    note(kind.name, "idle memory", residentMiB(worker.pid), "MiB", "less");
  });
const many = (): Promise<void> =>
  each(async (kind, worker, rep) => {
    const prefix = `many${rep}-`;
    await sleep(2_000);
    const before = cpuSeconds(worker.pid);
    const what = `${CONNECTORS} connectors`;
    note(kind.name, `${what} created until all RUNNING`, await create(worker.rest, prefix, CONNECTORS), "s", "less");
    note(kind.name, `${what} created, CPU`, cpuSeconds(worker.pid) - before, "CPU s", "less");
    await sleep(SETTLE_MS);
    note(kind.name, `${what}, memory`, residentMiB(worker.pid), "MiB", "less");
    await wipe(worker.rest, prefix, CONNECTORS);
  });
const idle = (): Promise<void> =>
  each(async (kind, worker, rep) => {
    const prefix = `idle${rep}-`;
    await create(worker.rest, prefix, IDLE);
    await sleep(SETTLE_MS);
    const before = cpuSeconds(worker.pid);
    await sleep(10_000);
    note(kind.name, `${IDLE} idle connectors, CPU`, (cpuSeconds(worker.pid) - before) * 100, "ms per s", "less");
    note(kind.name, `${IDLE} idle connectors, memory`, residentMiB(worker.pid), "MiB", "less");
    await wipe(worker.rest, prefix, IDLE);
  });
function noteFlow(worker: string, figure: string, flow: Flow): void {
  note(worker, figure, flow.perSecond, "records/s", "more");
  note(worker, `${figure}, CPU`, (flow.cpuSeconds * 1e6) / LINES, "CPU s per million", "less");
  note(worker, `${figure}, memory`, flow.peakMiB, "MiB at the peak", "less");
}
async function source(): Promise<void> {
  const file = linesFile(folder, LINES);
  await each(async (kind, worker, rep) =>
    noteFlow(kind.name, "file source, five transforms", await fileSource(worker, BOOTSTRAP, `source-${kind.name}-${rep}`, file, LINES)),
  );
}
async function sink(): Promise<void> {
  await fillTopic(BOOTSTRAP, "bench-sink", LINES);
  await each(async (kind, worker, rep) =>
    noteFlow(kind.name, "file sink, five transforms", await fileSink(worker, folder, `sink-${kind.name}-${rep}`, "bench-sink", LINES)),
  );
}

const brokerFile = join(folder, "server.properties");
mkdirSync(join(folder, "broker"));
writeFileSync(
  brokerFile,
  `process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://${BOOTSTRAP}\nadvertised.listeners=PLAINTEXT://${BOOTSTRAP}\nlog.dirs=${join(folder, "broker")}\n` +
    "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n",
);
const broker = spawn(process.execPath, [join(import.meta.dirname, "../../../connect-runtime/cli/millrace.js"), "broker", brokerFile], {
  stdio: "ignore",
});
const kinds: WorkerKind[] = [millraceWorker(folder, BOOTSTRAP, PORT + 1)];
const peer = process.env["BENCH_ONLY"] === "millrace" ? "BENCH_ONLY=millrace" : kafkaWorker(folder, BOOTSTRAP, PORT + 2);
if (typeof peer === "string") console.log(`without Kafka Connect: ${peer}`);
else kinds.push(peer);
const parts: Readonly<Record<string, () => Promise<void>>> = { start, many, idle, source, sink };
try {
  const admin = await createKafkaClients().admin({ "bootstrap.servers": BOOTSTRAP, "default.api.timeout.ms": "60000" });
  await admin.listTopics();
  await admin.close();
  console.log(machine());
  for (const part of PARTS) await parts[part]?.();
} finally {
  broker.kill("SIGTERM");
  if (process.env["BENCH_KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${machine()}\n| | Millrace | Kafka Connect 4.1 | ratio |\n|---|---|---|---|`);
for (const [figure, { unit, better, values }] of figures) {
  const best = (worker: string): number => (better === "more" ? Math.max : Math.min)(...(values.get(worker) ?? [Number.NaN]));
  const [ours, theirs] = [best("millrace"), best("kafka")];
  console.log(`| ${figure} (${unit}) | ${shown(ours)} | ${shown(theirs)} | ${(ours / theirs).toFixed(3)} |`);
}
process.exit(0);
