/**
 * Secrets that are planted wherever a configuration can hold one are looked for in everything that comes out: answers of REST, the
 * log, every topic but the one that holds the configurations, the audit's file.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Logger } from "#broker/base/logger";
import { createKafkaClients } from "#broker/client/index";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";

/** A plugin that tells all it knows: in what it throws, in what it logs. */
const LEAKY = `
import { DataError, ConnectError } from "millrace/api/errors";
const PIN = [{ name: "vault.pin", type: "PASSWORD", default: null, importance: "HIGH", doc: "Declared as one, not named like one." }];
const all = (c) => Object.entries(c).map(([k, v]) => k + "=" + v).join(", ");
const STRING = { type: "STRING", optional: false };
export const source = {
  kind: "source", name: "leaky", classes: ["leaky.Source"], version: "1", taskClass: "leaky.Task",
  config: [{ name: "topic", type: "STRING", importance: "HIGH", doc: "t" }, ...PIN],
  start: (settings, context) => { context.log?.warn("start with " + all(settings)); return { taskConfigs: () => [settings] }; },
  task(settings, context) {
    let n = 0;
    return {
      async start() { context.log?.warn("task with " + all(settings)); },
      async poll() {
        if (n >= 3) throw new ConnectError("cannot go on: " + all(settings), { causeClass: "config", cause: new Error("inner: " + all(settings)) });
        n++;
        return [{ topic: settings.topic, partition: null, keySchema: null, key: null, valueSchema: STRING, value: "v" + n, timestamp: null, headers: [],
          sourcePartition: { p: "1" }, sourceOffset: { n } }];
      },
      async stop() {},
    };
  },
};
export const sink = {
  kind: "sink", name: "leakySink", classes: ["leaky.Sink"], version: "1", taskClass: "leaky.SinkTask", config: PIN,
  start: (settings) => ({ taskConfigs: () => [settings] }),
  task: (settings) => ({ async start() {}, async put() { throw new ConnectError("no: " + all(settings), { causeClass: "config" }); }, async flush() {}, async stop() {} }),
};
export const tell = {
  kind: "transform", name: "leakyTell", classes: ["leaky.Tell"], version: "1",
  config: [{ name: "pin", type: "PASSWORD", default: null, importance: "LOW", doc: "p" }, { name: "also", type: "STRING", default: "", importance: "LOW", doc: "a" }],
  create: (settings) => ({ apply() { throw new DataError("told: " + all(settings)); } }),
};`;
const SECRETS = {
  "database.password": "planted-by-name",
  "vault.pin": "planted-declared",
  "producer.override.sasl.jaas.config": 'x required password="planted-jaas";',
  "producer.override.ssl.key.password": "planted-producer",
  "consumer.override.ssl.truststore.password": "planted-consumer",
  "admin.override.ssl.keystore.password": "planted-admin",
  "some.url": "https://user:planted-in-url@host/x",
  "plain.name": "<file>",
} as const;
const PLANTED = /planted-[a-z-]+/g;

let cluster: ConnectCluster;
let worker: RunningConnect;
const lines: string[] = [];
const note = (...parts: readonly unknown[]): void =>
  void lines.push(parts.map((p) => (typeof p === "string" ? p : JSON.stringify(p))).join(" "));
const log: Logger = { error: note, warn: note, info: note, debug: note, child: () => log };

beforeAll(async () => {
  cluster = await connectCluster();
  await mkdir(join(cluster.folder, "plugins"));
  await writeFile(join(cluster.folder, "plugins/leaky.js"), LEAKY);
  await writeFile(join(cluster.folder, "vault"), "word=planted-by-reference\n");
  worker = await cluster.join(
    {
      "plugin.path": join(cluster.folder, "plugins"),
      "config.providers": "file",
      "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
      "millrace.audit.file": join(cluster.folder, "audit.jsonl"),
      "millrace.audit.topic": "audit",
      "connector.client.config.override.policy": "All",
      "task.restart.causes": "",
    },
    log,
  );
});
afterAll(() => cluster.close());

const secrets = (): Record<string, string> => ({
  ...SECRETS,
  "plain.name": `\${file:${join(cluster.folder, "vault")}:word}`,
});
const answers: string[] = [];
async function call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string; body: unknown }> {
  const answer = await rest(worker.url, method, path, body);
  answers.push(`${method} ${path}: ${answer.status} ${answer.text} ${JSON.stringify([...answer.headers])}`);
  return answer;
}
async function failed(name: string): Promise<void> {
  await eventually(async () => {
    const { text } = await call("GET", `/connectors/${name}/status`);
    return /"tasks":\[\{"id":0,"state":"FAILED"/.test(text) ? true : null;
  }, `${name} has failed`);
}
/** Every record of every topic but the configurations', keys and headers included. */
async function topicTexts(): Promise<Map<string, string>> {
  const clients = createKafkaClients();
  const config = { "bootstrap.servers": cluster.broker.bootstrap };
  const admin = await clients.admin(config);
  const consumer = await clients.consumer({ ...config, "enable.auto.commit": "false" });
  const found = new Map<string, string>();
  try {
    for (const topic of (await admin.listTopics()).filter((t) => t !== "connect-configs" && !t.startsWith("__"))) {
      const count = (await admin.describeTopics([topic])).get(topic)?.partitions.length ?? 0;
      const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
      const ends = await admin.endOffsets(partitions);
      consumer.assign(partitions);
      await consumer.seekToBeginning(partitions);
      let text = "";
      const decoded = (b: Uint8Array | null): string => (b === null ? "" : Buffer.from(b).toString());
      while (partitions.some((p, i) => (consumer.position(p) ?? 0) < (ends[i] ?? 0))) {
        for (const r of await consumer.poll(100))
          text += [decoded(r.key), decoded(r.value), ...r.headers.map((h) => decoded(h.value)), "\n"].join(" ");
      }
      found.set(topic, text);
    }
  } finally {
    await consumer.close();
    await admin.close();
  }
  return found;
}

test("no planted secret comes out anywhere", async () => {
  const tell = { transforms: "t", "transforms.t.type": "leaky.Tell", "transforms.t.pin": "planted-transform", "transforms.t.also": "x" };
  const skipping = {
    "errors.tolerance": "all",
    "errors.log.enable": "true",
    "errors.log.include.messages": "true",
    "errors.deadletterqueue.topic.name": "dead",
    "errors.deadletterqueue.topic.replication.factor": "1",
    "errors.deadletterqueue.context.headers.enable": "true",
  };
  // Overrides name what clients cannot use without TLS: they must be masked all the same.
  const source = {
    "connector.class": "leaky.Source",
    topic: "leaked",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    ...secrets(),
  };
  const sink = {
    "connector.class": "leaky.Sink",
    topics: "leaked",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    ...secrets(),
  };
  expect((await call("POST", "/connectors", { name: "out", config: source })).status).toBe(201);
  await failed("out");
  expect((await call("POST", "/connectors", { name: "in", config: sink })).status).toBe(201);
  await failed("in");
  expect((await call("POST", "/connectors", { name: "told", config: { ...sink, ...skipping, ...tell } })).status).toBe(201);
  await eventually(async () => (/"depth":[1-9]/.test((await call("GET", "/connectors/told/dlq")).text) ? true : null), "records are dead");

  for (const name of ["out", "in", "told"]) {
    for (const path of [
      "",
      "/config",
      "/tasks",
      "/status",
      "/tasks/0/status",
      "/state",
      "/health",
      "/offsets",
      "/topics",
      "/check",
      "/dlq",
    ])
      await call("GET", `/connectors/${name}${path}`);
    await call("PATCH", `/connectors/${name}/config`, { more: "1", "database.password": "planted-newly" });
    await call("PATCH", `/connectors/${name}/config`, { "tasks.max": "x" });
  }
  for (const config of [
    { ...source, "tasks.max": "x" },
    { ...sink, ...skipping, ...tell, name: "told" },
    { ...source, "value.converter": "No" },
  ]) {
    await call("PUT", `/connector-plugins/${config["connector.class"]}/config/validate`, config);
    await call("PUT", "/connectors/unborn/config", config);
  }
  await call("GET", "/connectors/out/check");
  await call("POST", "/connectors/told/preview", { records: 5 });
  await call("POST", "/preview", { config: source, records: 3 });
  await call("PUT", "/connector-plugins/leaky.Sink/config/validate?deep=true", { ...sink, ...tell });
  await call("POST", "/transforms/try", { config: tell, records: [{ topic: "t", value: "v" }] });
  await call("PUT", "/connectors/out/config", { "database.password": "planted-without-class" });
  for (const path of ["/connectors?expand=info&expand=status", "/metrics", "/admin/loggers"]) await call("GET", path);
  await call("POST", "/connectors/in/restart?includeTasks=true");
  await call("DELETE", "/connectors/told?cleanup=plan");
  await call("DELETE", "/connectors/told");

  const places = new Map([
    ...(await topicTexts()),
    ["answers", answers.join("\n")],
    ["log", lines.join("\n")],
    ["audit file", await readFile(join(cluster.folder, "audit.jsonl"), "utf8")],
  ]);
  expect(places.get("audit")).toContain("POST /connectors");
  expect(places.get("dead")).toContain("told:");
  expect(places.get("connect-status")).toContain("cannot go on");
  const leaks = [...places].flatMap(([place, text]) =>
    [...text.matchAll(PLANTED)].map((m) => `${place}: ${text.slice(Math.max(0, m.index - 150), m.index + 40).replaceAll("\n", "⏎")}`),
  );
  expect(leaks.length, leaks.slice(0, 40).join("\n")).toBe(0);
}, 90_000);
