/** What workers tell each other through their topics: damaged records, session keys that are replaced, levels of loggers. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { createKafkaClients } from "#broker/client/index";
import type { RunningConnect } from "#connect/connect";
import { recordsOf } from "../chaos/journal.ts";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";

const TTL = { "inter.worker.key.ttl.ms": "400" };
let cluster: ConnectCluster;
let [one, two]: RunningConnect[] = [];
const url = (worker: RunningConnect | undefined): string => worker?.url ?? "";

beforeAll(async () => {
  cluster = await connectCluster();
  one = await cluster.join(TTL);
  two = await cluster.join(TTL);
});
afterAll(() => cluster.close());

async function send(topic: string, records: readonly (readonly [string, string | null])[]): Promise<void> {
  const clients = createKafkaClients({ clock: systemClock, random: systemRandom, logger: silentLogger });
  const producer = await clients.producer({ "bootstrap.servers": cluster.broker.bootstrap, "linger.ms": "0" });
  await producer.partitions(topic);
  for (const [key, value] of records) await producer.send(topic, 0, Buffer.from(key), value === null ? null : Buffer.from(value));
  await producer.close();
}
const config = (topic: string): Record<string, string> => ({
  "connector.class": "FileStreamSource",
  file: join(cluster.folder, "in"),
  topic,
});
const isRunning = (worker: RunningConnect | undefined, name: string): Promise<true> =>
  eventually(async () => {
    const { text } = await rest(url(worker), "GET", `/connectors/${name}/status`);
    return /"state":"RUNNING".*"tasks":\[\{"id":0,"state":"RUNNING"/.test(text) ? true : null;
  }, `${name} runs`);

test("damaged and foreign records are skipped and told of, and the rest works, also after a start", async () => {
  await writeFile(join(cluster.folder, "in"), "line\n");
  expect((await rest(url(one), "POST", "/connectors", { name: "good", config: config("good-topic") })).status).toBe(201);
  await isRunning(two, "good");
  await send("connect-configs", [
    ["connector-good", '{"properties":7}'],
    ["task-good-0", "no json"],
    ["commit-good", '{"tasks":"x"}'],
    ["foreign", "{}"],
    // What a deleted connector has left behind, and task configs that were never committed.
    ["task-gone-0", '{"properties":{}}'],
    ["commit-gone", '{"tasks":1}'],
    ["target-state-gone", '{"state.v2":"STARTED"}'],
    ["task-good-7", '{"properties":{"task.class":"none"}}'],
  ]);
  await send("connect-status", [
    ["status-connector-good", '{"state":"DANCING"}'],
    ["status-task-good-0", "?"],
    ["status-topic-x:connector-good", '{"topic":3}'],
  ]);
  await send("connect-offsets", [
    ['["good",{"filename":"f"}]', "[]"],
    ["no key", "{}"],
  ]);
  const told = async (worker: RunningConnect | undefined): Promise<true | null> => {
    const { text } = await rest(url(worker), "GET", "/connectors/good/health");
    const all = ["connect-configs", "connect-status", "connect-offsets"].every((t) => text.includes(`skipped: topic ${t}`));
    return all ? true : null;
  };
  await eventually(() => told(one), "health tells of them");
  const metrics = (await rest(url(one), "GET", "/metrics")).text;
  expect(metrics).toMatch(/millrace_storage_records_skipped_total\{topic="connect-configs"\} 4/);
  expect(metrics).toMatch(/millrace_storage_records_skipped_total\{topic="connect-status"\} 3/);
  expect(metrics).toMatch(/millrace_storage_records_skipped_total\{topic="connect-offsets"\} 2/);
  const third = await cluster.join(TTL);
  await isRunning(third, "good");
  await eventually(() => told(third), "a new worker tells of them");
  expect((await rest(third.url, "GET", "/connectors")).body).toEqual(["good"]);
  expect((await rest(third.url, "POST", "/connectors", { name: "after", config: config("after-topic") })).status).toBe(201);
  await isRunning(one, "after");
  await third.close();
  cluster.workers.splice(cluster.workers.indexOf(third), 1);
});
test("the session key is replaced when it has expired, and requests between workers go on", async () => {
  const keys = async (): Promise<Set<string | null>> => {
    const records = await recordsOf(cluster.broker.bootstrap, "connect-configs");
    return new Set(records.filter((r) => r.key === "session-key").map((r) => r.value));
  };
  const before = (await keys()).size;
  for (let n = 0; n < 6; n++) {
    for (const worker of [one, two]) {
      // The connector's owner has the leader write its task configs, signed with the key of the moment.
      const wanted = `${n}-${worker === one ? "a" : "b"}`;
      await eventually(async () => {
        const changed = { ...config("good-topic"), "batch.size": "9", mark: wanted };
        return (await rest(url(worker), "PUT", "/connectors/good/config", changed)).status === 200 ? true : null;
      }, "the config is accepted");
      await eventually(async () => {
        const { text } = await rest(url(worker), "GET", "/connectors/good/config");
        return text.includes(wanted) ? true : null;
      }, "it is seen");
    }
    await new Promise((wake) => setTimeout(wake, 200));
  }
  expect((await keys()).size).toBeGreaterThan(before + 1);
  await isRunning(two, "good");
});
test("a level with scope=cluster reaches the other worker, one without does not", async () => {
  const levelOf = async (worker: RunningConnect | undefined, logger: string): Promise<string> =>
    (await rest(url(worker), "GET", `/admin/loggers/${logger}`)).text;
  const put = (logger: string, query: string): Promise<unknown> =>
    rest(url(one), "PUT", `/admin/loggers/${logger}${query}`, { level: "DEBUG" });
  await put("org.alone", "");
  expect((await rest(url(one), "PUT", "/admin/loggers/org.all?scope=cluster", { level: "TRACE" })).status).toBe(204);
  await eventually(async () => ((await levelOf(two, "org.all")).includes("TRACE") ? true : null), "the other worker has it");
  expect(await levelOf(one, "org.alone")).toContain("DEBUG");
  expect(await levelOf(two, "org.alone")).not.toContain("DEBUG");
});
