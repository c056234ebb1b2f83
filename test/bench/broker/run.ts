/**
 * `npm run bench -- broker`: our broker beside Apache Kafka 4.1 with the same clients, in one run, interleaved. Prints each figure,
 * the best of the repetitions, and the ratio ours ÷ Kafka's; asserts nothing.
 *
 *   BENCH_REPS (2), BENCH_RECORDS_100 (2,000,000), BENCH_RECORDS_1024 (400,000), BENCH_TOPICS (1000), BENCH_LATENCY_S (12),
 *   BENCH_PARTS="start topics produce consume latency", KAFKA_LIBS, PYTHON (with confluent-kafka), BENCH_CPU_PROF=folder
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKafkaClients } from "#broker/client/index";
import { cpuSeconds, machine, residentMiB, sample } from "../process-sample.ts";
import { findPython } from "../python.ts";
import { apacheKafka, type BrokerKind, millrace, type RunningBroker, sleep, withTopic } from "./brokers.ts";
import { javaConsume, javaProduce, kcatConsume, kcatProduce, run } from "./load.ts";

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const REPS = number("BENCH_REPS", 2);
const RECORDS: Readonly<Record<number, number>> = {
  100: number("BENCH_RECORDS_100", 2_000_000),
  1024: number("BENCH_RECORDS_1024", 400_000),
};
const TOPICS = number("BENCH_TOPICS", 1000);
const LATENCY_S = number("BENCH_LATENCY_S", 12);
const PARTS = (process.env["BENCH_PARTS"] ?? "start topics produce consume latency").split(" ");
const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const kinds = [millrace(join(folder, "millrace"), 29192), apacheKafka(join(folder, "kafka"), 29292)];

type Better = "more" | "less";
/** figure → broker → repetitions */
const figures = new Map<string, { unit: string; better: Better; values: Map<string, number[]> }>();
function note(broker: string, figure: string, value: number, unit: string, better: Better): void {
  const entry = figures.get(figure) ?? { unit, better, values: new Map<string, number[]>() };
  figures.set(figure, entry);
  entry.values.set(broker, [...(entry.values.get(broker) ?? []), value]);
  console.log(`  ${broker.padEnd(9)} ${figure}: ${shown(value)} ${unit}`);
}
const shown = (value: number): string => (value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));

/** Each repetition runs against each broker in turn; only one of them is up at a time. */
async function each(what: (kind: BrokerKind, broker: RunningBroker) => Promise<void>): Promise<void> {
  for (let rep = 0; rep < REPS; rep++) {
    for (const kind of kinds) {
      const broker = await kind.start();
      await what(kind, broker);
      await broker.stop();
    }
  }
}
/** Runs a load that answers a rate, and notes it with the broker's CPU and memory. */
async function measured(
  kind: BrokerKind,
  broker: RunningBroker,
  figure: string,
  records: number,
  load: () => Promise<number>,
): Promise<void> {
  const used = sample(broker.pid);
  const rate = await load();
  const { cpuSeconds: cpu, peakMiB } = used();
  note(kind.name, figure, rate, "records/s", "more");
  note(kind.name, `${figure}, CPU`, (cpu * 1e6) / records, "CPU s per million", "less");
  note(kind.name, `${figure}, memory`, peakMiB, "MiB at the peak", "less");
}

const start = (): Promise<void> =>
  each(async (kind, broker) => {
    note(kind.name, "start until Metadata is answered", broker.startSeconds, "s", "less");
    await sleep(5000);
    note(kind.name, "idle memory", residentMiB(broker.pid), "MiB", "less");
    const before = cpuSeconds(broker.pid);
    await sleep(5000);
    note(kind.name, "idle CPU", ((cpuSeconds(broker.pid) - before) / 5) * 1000, "ms per s", "less");
  });

const topics = (): Promise<void> =>
  each(async (kind, broker) => {
    const admin = await createKafkaClients().admin({
      "bootstrap.servers": kind.bootstrap,
      "default.api.timeout.ms": "120000",
      "request.timeout.ms": "120000",
    });
    const names = Array.from({ length: TOPICS }, (_, i) => `many-${i}`);
    const memory = residentMiB(broker.pid);
    const begun = performance.now();
    for (let from = 0; from < TOPICS; from += 100)
      await admin.createTopics(names.slice(from, from + 100).map((name) => ({ name, partitions: 4, replicationFactor: 1 })));
    for (let ready = 0; ready < TOPICS; ) {
      const described = await admin.describeTopics(names);
      ready = [...described.values()].filter(
        ({ partitions }) => partitions.length === 4 && partitions.every(({ leader }) => leader >= 0),
      ).length;
    }
    const figure = `${TOPICS} topics of 4 partitions`;
    note(kind.name, `${figure} made`, (performance.now() - begun) / 1000, "s", "less");
    note(kind.name, `${figure}, memory per partition`, ((residentMiB(broker.pid) - memory) * 1024) / (TOPICS * 4), "KiB", "less");
    for (let from = 0; from < TOPICS; from += 100) await admin.deleteTopics(names.slice(from, from + 100));
    await admin.close();
  });

const produce = (): Promise<void> =>
  each(async (kind, broker) => {
    for (const [size, records] of Object.entries(RECORDS).map(([bytes, count]) => [Number(bytes), count] as const)) {
      const to = kind.bootstrap;
      const one =
        (load: () => Promise<number>): (() => Promise<number>) =>
        () =>
          withTopic(to, "perf", 1, load);
      await measured(
        kind,
        broker,
        `produce ${size} B, Java`,
        records,
        one(() => javaProduce(to, "perf", records, size, "none")),
      );
      await measured(
        kind,
        broker,
        `produce ${size} B, kcat`,
        records,
        one(() => kcatProduce(to, "perf", records, size, folder)),
      );
      await measured(kind, broker, `produce ${size} B, Java, 4 producers`, records, () =>
        withTopic(to, "perf", 4, async () => {
          const rates = await Promise.all(Array.from({ length: 4 }, () => javaProduce(to, "perf", records / 4, size, "none")));
          return rates.reduce((sum, rate) => sum + rate, 0);
        }),
      );
    }
  });

const consume = (): Promise<void> =>
  each(async (kind, broker) => {
    for (const [size, records] of Object.entries(RECORDS).map(([bytes, count]) => [Number(bytes), count] as const))
      for (const compression of ["none", "lz4"])
        await withTopic(kind.bootstrap, "perf", 1, async () => {
          await javaProduce(kind.bootstrap, "perf", records, size, compression);
          const name = `consume ${size} B${compression === "none" ? "" : `, ${compression}`}`;
          await measured(kind, broker, `${name}, Java`, records, () => javaConsume(kind.bootstrap, "perf", records));
          await measured(kind, broker, `${name}, kcat`, records, () => kcatConsume(kind.bootstrap, "perf", records, false));
          await measured(kind, broker, `${name}, kcat, deep queue`, records, () => kcatConsume(kind.bootstrap, "perf", records, true));
        });
  });

const python = findPython();
const latency = async (): Promise<void> => {
  if (python === undefined) return console.log("latency: skipped, no Python with confluent-kafka (PYTHON names one)");
  await each(async (kind) => {
    for (const rate of [1000, 10_000])
      await withTopic(kind.bootstrap, "latency", 1, async () => {
        const script = join(import.meta.dirname, "latency.py");
        const output = await run(python, [script, kind.bootstrap, "latency", String(rate), String(LATENCY_S)]);
        const [, p50 = 0, p99 = 0, p999 = 0] = output.trim().split(/\s+/).map(Number);
        for (const [name, value] of [
          ["p50", p50],
          ["p99", p99],
          ["p99.9", p999],
        ] as const)
          note(kind.name, `end to end at ${rate}/s, ${name}`, value, "ms", "less");
      });
  });
};

const parts: Readonly<Record<string, () => Promise<void>>> = { start, topics, produce, consume, latency };
try {
  console.log(machine());
  for (const part of PARTS) await parts[part]?.();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${machine()}\n| | Millrace | Apache Kafka 4.1 | ratio |\n|---|---|---|---|`);
for (const [figure, { unit, better, values }] of figures) {
  const best = (broker: string): number => (better === "more" ? Math.max : Math.min)(...(values.get(broker) ?? [Number.NaN]));
  const [ours, theirs] = [best("millrace"), best("kafka")];
  console.log(`| ${figure} (${unit}) | ${shown(ours)} | ${shown(theirs)} | ${(ours / theirs).toFixed(2)} |`);
}
