import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { type Logger, silentLogger } from "#broker/base/logger";
import { type RunningBroker, startBroker } from "#broker/broker";
import { createKafkaClients } from "#broker/client/index";
import { topicOffsetStore } from "#connect/store/offset-topic";
import type { ConfigMap, OffsetEntry, Worker } from "#connect/worker/types";
import { createWorker } from "#connect/worker/worker";
import { catalog } from "../fakes/file-catalog.ts";
import { until } from "../fakes/task-host.ts";
import { freePort } from "../peers/ports.ts";

const PORT = await freePort();

const STRING = "org.apache.kafka.connect.storage.StringConverter";
let folder: string;
let broker: RunningBroker;
let worker: Worker;
const states = new Map<string, string>();
const traces = new Map<string, string>();
const errorsLogged: (readonly [string, object | undefined])[] = [];
const kept: Logger = { ...silentLogger, error: (message, fields) => void errorsLogged.push([message, fields]), child: () => kept };

async function beginWorker(more: ConfigMap = {}): Promise<Worker> {
  const bootstrap = broker.bootstrap;
  const clients = createKafkaClients();
  const config: ConfigMap = {
    "bootstrap.servers": bootstrap,
    "key.converter": STRING,
    "value.converter": STRING,
    "offset.flush.interval.ms": "200",
    "file.connector.roots": folder,
    "task.shutdown.graceful.timeout.ms": "5000",
    "group.id": "workers",
    "offset.storage.topic": "connect-offsets",
    ...more,
  };
  const begun = createWorker(config, {
    clients,
    catalog,
    threadModules: { catalog: new URL("../fakes/file-catalog.ts", import.meta.url).href },
    offsets: topicOffsetStore({
      clients,
      topic: "connect-offsets",
      partitions: 5,
      replicationFactor: 1,
      setting: "offset.storage.topic",
      adminConfig: { "bootstrap.servers": bootstrap },
      producerConfig: { "bootstrap.servers": bootstrap },
      consumerConfig: { "bootstrap.servers": bootstrap, "isolation.level": "read_committed" },
      clock: systemClock,
      log: silentLogger,
    }),
    clock: systemClock,
    log: kept,
  });
  await begun.start({
    connectorState: (name, state, trace) => {
      states.set(name, state);
      if (trace !== null) traces.set(name, trace);
    },
    taskState: (id, state, trace) => {
      states.set(`${id.connector}-${id.task}`, state);
      if (trace !== null) traces.set(`${id.connector}-${id.task}`, trace);
    },
    reconfigurationRequested: () => {},
    topicUsed: () => {},
  });
  return begun;
}
async function launch(config: ConfigMap): Promise<void> {
  const name = config["name"] ?? "";
  await worker.startConnector(name, config, "STARTED");
  const tasks = await worker.taskConfigs(name);
  await Promise.all(tasks.map((task, n) => worker.startTask({ connector: name, task: n }, config, task, tasks.length, "STARTED")));
}
async function halt(name: string): Promise<void> {
  await worker.stopTasks(worker.tasks().filter((t) => t.connector === name));
  await worker.stopConnector(name);
}
const source = (): ConfigMap => ({
  name: "src",
  "connector.class": "FileStreamSource",
  "tasks.max": "1",
  file: join(folder, "in"),
  topic: "lines",
});
const sink = (): ConfigMap => ({
  name: "snk",
  "connector.class": "FileStreamSink",
  "tasks.max": "2",
  file: join(folder, "out"),
  topics: "lines",
});
const offsetsOf = async (name: string, config: ConfigMap): Promise<readonly OffsetEntry[]> => worker.offsets(name, config);
async function content(file: string): Promise<string> {
  return readFile(join(folder, file), "utf8").catch(() => "");
}
async function untilContent(file: string, wanted: (text: string) => boolean): Promise<string> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const text = await content(file);
    if (wanted(text)) return text;
    if (Date.now() > deadline)
      throw new Error(`${file} holds: ${text.slice(0, 500)}; states ${JSON.stringify([...states])}; ${[...traces.values()].join("\n")}`);
    await systemClock.sleep(50);
  }
}

const beginBroker = (): Promise<RunningBroker> =>
  startBroker({
    "node.id": "1",
    "log.dirs": join(folder, "log"),
    listeners: `PLAINTEXT://127.0.0.1:${PORT}`,
    "group.initial.rebalance.delay.ms": "0",
  });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "worker-"));
  broker = await beginBroker();
  worker = await beginWorker();
});
afterAll(async () => {
  await worker.close();
  await broker.close();
  await rm(folder, { recursive: true, force: true });
});

test("lines travel from a file through a topic to a file; offsets are kept and can be changed", async () => {
  await writeFile(join(folder, "in"), "one\ntwo\n");
  await launch(source());
  await launch(sink());
  expect(await untilContent("out", (t) => t.split("\n").length > 2)).toBe("one\ntwo\n");
  await appendFile(join(folder, "in"), "three\n");
  await untilContent("out", (t) => t === "one\ntwo\nthree\n");
  await halt("src");
  await halt("snk");
  expect(states.get("src-0")).toBe("UNASSIGNED");
  expect(await offsetsOf("src", source())).toEqual([{ partition: { filename: join(folder, "in") }, offset: { position: 14 } }]);
  expect(await offsetsOf("snk", sink())).toEqual([
    { partition: { kafka_partition: 0, kafka_topic: "lines" }, offset: { kafka_offset: 3 } },
  ]);

  const altered = "The offsets for this connector have been altered successfully";
  expect(await worker.alterOffsets("src", source(), [{ partition: { filename: join(folder, "in") }, offset: { position: 8 } }])).toBe(
    altered,
  );
  expect(
    await worker.alterOffsets("snk", sink(), [{ partition: { kafka_topic: "lines", kafka_partition: 0 }, offset: { kafka_offset: 2 } }]),
  ).toBe(altered);
  await launch(source());
  await launch(sink());
  await untilContent("out", (t) => t === "one\ntwo\nthree\nthree\nthree\n");
  await halt("src");
  await halt("snk");
  const reset = "The offsets for this connector have been reset successfully";
  expect(await worker.alterOffsets("src", source(), null)).toBe(reset);
  expect(await worker.alterOffsets("snk", sink(), null)).toBe(reset);
  expect(await worker.alterOffsets("snk", sink(), null)).toBe(reset);
  expect(await offsetsOf("src", source())).toEqual([]);
  expect(await offsetsOf("snk", sink())).toEqual([]);
  await expect(
    worker.alterOffsets("snk", sink(), [{ partition: { kafka_topic: "no-such-topic", kafka_partition: 0 }, offset: { kafka_offset: 1 } }]),
  ).rejects.toThrow("Failed to alter consumer group offsets for connector snk");
});

test("two tasks of a sink share a topic's partitions", async () => {
  const admin = await createKafkaClients().admin({ "bootstrap.servers": broker.bootstrap });
  await admin.createTopics([{ name: "shared", partitions: 4, replicationFactor: 1 }]);
  await admin.close();
  const config = { ...sink(), name: "shared", topics: "shared", file: join(folder, "shared") };
  await launch(config);
  await until(
    () => worker.snapshot().filter((s) => s.counters["partition-count"] === 2).length === 2,
    "each task has two partitions",
    15_000,
  );
  const producer = await createKafkaClients().producer({ "bootstrap.servers": broker.bootstrap });
  for (let n = 0; n < 20; n++) await producer.send("shared", n % 4, null, Buffer.from(`v${n}`));
  await producer.close();
  const text = await untilContent("shared", (t) => t.split("\n").length === 21);
  expect(text.trimEnd().split("\n").sort()).toEqual(Array.from({ length: 20 }, (_, n) => `v${n}`).sort());
  await halt("shared");
});

test("a file outside of the roots fails the task and says why", async () => {
  errorsLogged.length = 0;
  await launch({ ...source(), name: "out", file: "/etc/passwd" });
  await until(() => states.get("out-0") === "FAILED", "it has failed", 10_000);
  expect(traces.get("out-0")).toMatch(
    /^org\.apache\.kafka\.common\.config\.ConfigException: File \/etc\/passwd lies outside of the folders/,
  );
  expect(errorsLogged).toEqual([
    [expect.stringMatching(/^task out-0 failed: File \/etc\/passwd lies outside of the folders .* names them$/), { cause: "config" }],
  ]);
  await halt("out");
});

test("a broker that is away and comes back costs nothing: all lines arrive, in order, and the tasks never fail", async () => {
  const config = { ...source(), name: "away-src", file: join(folder, "away-in"), topic: "away" };
  const out = { ...sink(), name: "away-snk", topics: "away", "tasks.max": "1", file: join(folder, "away-out") };
  await writeFile(config.file, "");
  await launch(config);
  await launch(out);
  let written = 0;
  const write = async (count: number): Promise<void> => {
    await appendFile(config.file, Array.from({ length: count }, () => `line ${written++}\n`).join(""));
  };
  await write(100);
  await untilContent("away-out", (t) => t.split("\n").length > 100);
  await write(500);
  await broker.close();
  await write(500);
  await systemClock.sleep(1_500);
  broker = await beginBroker();
  await write(100);
  const text = await untilContent("away-out", (t) => t.includes(`line ${written - 1}\n`));
  // At least once: a line may come twice, none may be missing, and the first appearances are in order.
  expect([...new Set(text.trimEnd().split("\n"))]).toEqual(Array.from({ length: written }, (_, n) => `line ${n}`));
  expect([states.get("away-src-0"), states.get("away-snk-0")]).toEqual(["RUNNING", "RUNNING"]);
  await halt("away-src");
  await halt("away-snk");
}, 60_000);

test("exactly once: records and offsets in one transaction; a predecessor's open transaction is neither seen nor kept", async () => {
  const exact = await beginWorker({ "exactly.once.source.support": "enabled" });
  const config = { ...source(), name: "exact", file: join(folder, "exact-in"), topic: "exact" };
  const clients = createKafkaClients();
  const admin = await clients.admin({ "bootstrap.servers": broker.bootstrap });
  await admin.createTopics([{ name: "exact", partitions: 1, replicationFactor: 1 }]);
  // The producer of a task that was killed in the middle of its transaction.
  const zombie = await clients.producer({ "bootstrap.servers": broker.bootstrap, "transactional.id": "workers-exact-0" });
  await zombie.initTransactions();
  await zombie.partitions("exact");
  zombie.beginTransaction();
  zombie.append("exact", 0, null, Buffer.from("zombie"), Date.now(), []);
  await zombie.flush();
  await writeFile(config.file, "a\nb\n");
  await exact.startConnector("exact", config, "STARTED");
  const [task = {}] = await exact.taskConfigs("exact");
  await exact.startTask({ connector: "exact", task: 0 }, config, task, 1, "STARTED");
  const consumer = await clients.consumer({
    "bootstrap.servers": broker.bootstrap,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
  });
  consumer.assign([{ topic: "exact", partition: 0 }]);
  const seen: string[] = [];
  const deadline = Date.now() + 15_000;
  while (seen.length < 2 && Date.now() < deadline) {
    for (const r of await consumer.poll(200)) seen.push(Buffer.from(r.value ?? []).toString());
  }
  expect(seen, traces.get("exact-0")).toEqual(["a", "b"]);
  expect(await exact.offsets("exact", config)).toEqual([{ partition: { filename: config.file }, offset: { position: 4 } }]);
  await expect(zombie.commitTransaction()).rejects.toThrow();
  await zombie.close(0);
  await appendFile(config.file, "c\n");
  await exact.stopTasks(exact.tasks());
  await exact.startTask({ connector: "exact", task: 0 }, config, task, 1, "STARTED");
  while (seen.length < 3 && Date.now() < deadline) {
    for (const r of await consumer.poll(200)) seen.push(Buffer.from(r.value ?? []).toString());
  }
  expect(seen).toEqual(["a", "b", "c"]);
  await consumer.close();
  await admin.close();
  await exact.close();
}, 60_000);
