/**
 * The source loop into a real broker (in a process of its own) through our producer: records/s end to end, and the CPU of the
 * task's side alone. `node test/bench/source-broker.ts [seconds] [producer.override.key=value…]`.
 */
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#broker/base/clock";
import { createKafkaClients } from "#broker/client/index";
import { byteSink, type ByteSink } from "#connect/api/byte-sink";
import type { SourceRecord } from "#connect/api/record";
import { runSourceTask } from "#connect/worker/source-task";
import { testCatalog } from "../fakes/plugins.ts";
import { PushedSource, testHost, textRecord } from "../fakes/task-host.ts";

const PORT = 31_650;
if (process.argv[2] === "broker") {
  const { startBroker } = await import("#broker/broker");
  await startBroker({ "node.id": "1", "log.dirs": process.argv[3] ?? "", listeners: `PLAINTEXT://127.0.0.1:${PORT}` });
  process.send?.("ready");
  process.on("message", () => process.exit(0));
} else {
  await bench(Number(process.argv[2] ?? 3), process.argv.slice(3));
}

async function bench(seconds: number, overrides: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  const broker = fork(new URL(import.meta.url), ["broker", folder]);
  await new Promise((resolve) => broker.once("message", resolve));
  const base = testCatalog([]);
  const source = new PushedSource();
  const records: SourceRecord[] = Array.from({ length: 2_000 }, (_, i) => ({ ...textRecord("x".repeat(100), i), key: `key-${i}` }));
  const plugin = { ...source.plugin, task: () => ({ start: async () => {}, poll: async () => records, stop: async () => {} }) };
  const write = (_topic: string, _schema: unknown, value: unknown, out: ByteSink): number => {
    if (typeof value !== "string") return -1;
    out.reserve(value.length * 3);
    const n = out.bytes.latin1Write(value, out.length);
    out.length += n;
    return n;
  };
  const slow = { fromConnect: () => byteSink().bytes, toConnect: () => ({ schema: null, value: null }) };
  const catalog: typeof base = {
    ...base,
    connector: async () => plugin,
    converter: async () => ({
      kind: "converter",
      name: "Fast",
      classes: ["bench.Fast"],
      version: "1",
      config: [],
      create: () => ({ ...slow, write }),
    }),
  };
  const config = Object.fromEntries(overrides.map((o) => o.split("=", 2) as [string, string]));
  const host = testHost(
    createKafkaClients(),
    catalog,
    { name: "c", "connector.class": "x", ...config },
    { worker: { "bootstrap.servers": `127.0.0.1:${PORT}` } },
  );
  const run = runSourceTask(host);
  await systemClock.sleep(1_000);
  const written = (): number => host.counters.get("source-record-write-total") - host.counters.get("source-record-active-count");
  const [count, cpu, at] = [written(), process.cpuUsage(), performance.now()];
  await systemClock.sleep(seconds * 1_000);
  const used = process.cpuUsage(cpu);
  const n = written() - count;
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    `${Math.round((n / (performance.now() - at)) * 1_000)} records/s of 107 bytes, ${Math.round(n / cpuSeconds)} per CPU second of the task, ` +
      `rss ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  );
  host.end.abort();
  await run;
  broker.send("end");
  await new Promise((resolve) => broker.once("exit", resolve));
  await rm(folder, { recursive: true, force: true });
}
