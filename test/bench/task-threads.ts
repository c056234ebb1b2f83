/** What a task thread costs: time until its task has its host, and memory. `node test/bench/task-threads.ts [threads]`. */
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { createWorker } from "#connect/worker/worker";
import { fakeKafkaClients } from "../fakes/kafka-clients.ts";
import { FakeCluster } from "../fakes/kafka-cluster.ts";
import { testWorkerConfig } from "../fakes/plugins.ts";
import { catalog } from "../fakes/thread-plugins.ts";

const threads = Number(process.argv[2] ?? 10);
const modules = new URL("../fakes/thread-plugins.ts", import.meta.url).href;
const running = new Set<number>();
const worker = createWorker(
  { ...testWorkerConfig, "offset.flush.interval.ms": "1000" },
  {
    clients: fakeKafkaClients(new FakeCluster()),
    catalog,
    threadModules: { catalog: modules, clients: modules },
    offsets: memoryOffsetStore(),
    clock: systemClock,
    log: silentLogger,
  },
);
await worker.start({
  connectorState: () => {},
  taskState: (id, state) => void (state === "RUNNING" && running.add(id.task)),
  reconfigurationRequested: () => {},
  topicUsed: () => {},
});
const rss = (): number => process.memoryUsage().rss / 1e6;
const config = { name: "c", "connector.class": "test.Misbehaving", "tasks.max": String(threads) };
const before = rss();
for (let task = 0; task < threads; task++) {
  const started = performance.now();
  await worker.startTask({ connector: "c", task }, config, { ...config, n: String(task) }, threads, "STARTED");
  while (!running.has(task)) await systemClock.sleep(1);
  if (task < 3) console.log(`task ${task}: running after ${Math.round(performance.now() - started)} ms, rss ${Math.round(rss())} MB`);
}
await systemClock.sleep(1_000);
const inThread = worker.snapshot().map((s) => s.counters["thread-start-ms"] ?? 0);
console.log(
  `${threads} threads: ${((rss() - before) / threads).toFixed(1)} MB each, ` +
    `${Math.round(inThread.reduce((a, b) => a + b, 0) / threads)} ms to the host on average (rss ${Math.round(rss())} MB)`,
);
await worker.close();
