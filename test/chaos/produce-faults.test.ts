/** F20: a producer that fails for ever, records too large, a topic deleted, a broker away; over our broker and over Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../peers/ports.ts";
import { accepted, admin, judge, recordsOf, statusOf, until } from "./journal.ts";
import { sleep } from "./millrace-process.ts";
import { counting, WorkerGroup } from "./worker-group.ts";
import { BROKERS, type BrokerProcess } from "./worker-process.ts";

const [PORT = 0] = await freePorts(40);

const AWAY_MS = Number(process.env["MILLRACE_AWAY_MS"] ?? 8_000);
/** As fast as the task can: without a bound the buffers would take hundreds of megabytes in these seconds. */
const FLOOD = { "pause.ms": "0", batch: "500", padding: "1000" };
const MEMORY_MAX = 120 * 1024 * 1024;

describe.each(BROKERS)("over $name", (kind) => {
  if (kind.skipped !== "") {
    test.skipIf(kind.skipped !== "")(`skipped: ${kind.skipped}`, () => {});
    return;
  }
  const port = kind.name === "our broker" ? PORT : PORT + 20;
  let broker: BrokerProcess;
  let group: WorkerGroup;
  beforeAll(async () => {
    broker = await kind.start(port);
    group = new WorkerGroup(broker.bootstrap, "faults", port + 10, {}, 1);
    await group.start();
  });
  afterAll(async () => {
    await group?.close();
    await broker?.stop();
  });
  const memory = async (): Promise<number> => (await group.workers[0]?.memory()) ?? 0;
  const counted = async (topic: string): Promise<number> => (await recordsOf(broker.bootstrap, topic)).length;
  async function createTopic(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const client = await admin(broker.bootstrap);
    await client.createTopics([{ name, partitions: 1, replicationFactor: 1, configs }]);
    await client.close();
  }
  async function alterTopic(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const client = await admin(broker.bootstrap);
    await client.alterTopicConfigs(name, configs);
    await client.close();
  }

  // Kafka 4.1 takes no more replicas for the minimum than the topic has, so that there it refuses nothing.
  test.skipIf(kind.name !== "our broker")(
    "a topic that refuses every write: memory stays bounded, the task runs on, nothing is lost when it heals",
    async () => {
      await createTopic("refusing", { "min.insync.replicas": "2" });
      await group.put("refusing", counting("refusing", 1, FLOOD));
      await group.running("refusing", 1);
      await sleep(1_000);
      const before = await memory();
      await sleep(AWAY_MS / 2);
      expect((await memory()) - before).toBeLessThan(MEMORY_MAX);
      expect(await counted("refusing")).toBe(0);
      expect((await statusOf(group.rest, "refusing"))?.tasks[0]?.state).toBe("RUNNING");
      await alterTopic("refusing", { "min.insync.replicas": "1" });
      await until(async () => ((await counted("refusing")) > 1_000 ? null : "nothing arrives"));
      const { gaps, counts } = await group.verdict("refusing", "refusing");
      expect({ gaps, tasks: counts.size }).toEqual({ gaps: [], tasks: 1 });
    },
  );

  test("batches that are too large are split; a record that is too large stops the task before it, and it goes on when allowed", async () => {
    await createTopic("small", { "max.message.bytes": "20000" });
    await group.put("small", counting("small", 1, { batch: "100", padding: "1000", "pause.ms": "100" }));
    await until(async () => ((await counted("small")) > 300 ? null : "nothing arrives"));
    await group.put("small", counting("small", 1, { batch: "2", padding: "30000", "pause.ms": "100" }));
    await until(async () => ((await statusOf(group.rest, "small"))?.tasks[0]?.state === "FAILED" ? null : "the task has not failed"));
    expect((await statusOf(group.rest, "small"))?.tasks[0]?.trace).toMatch(/TooLarge|TOO_LARGE/i);
    const before = await counted("small");
    await alterTopic("small", { "max.message.bytes": "1048588" });
    await accepted(group.rest, "POST", "/connectors/small/tasks/0/restart");
    await until(async () => ((await counted("small")) > before + 5 ? null : "nothing arrives after the restart"));
    const { gaps } = await group.verdict("small", "small");
    expect(gaps).toEqual([]);
  });

  test("a topic that is deleted comes back and gets everything from then on", async () => {
    await group.put("deleted", counting("deleted", 1, { "pause.ms": "50" }));
    await until(async () => ((await group.running("deleted", 1), await counted("deleted")) > 50 ? null : "nothing arrives"));
    const client = await admin(broker.bootstrap);
    await client.deleteTopics(["deleted"]);
    await client.close();
    await until(async () =>
      (await counted("deleted").catch(() => 0)) > 50 ? null : JSON.stringify(await statusOf(group.rest, "deleted")),
    );
    await accepted(group.rest, "PUT", "/connectors/deleted/stop");
    const numbers = (await recordsOf(broker.bootstrap, "deleted")).map((r) => Number(/:(\d+)/.exec(r.value ?? "")?.[1]));
    const first = numbers[0] ?? 0;
    const known = [...new Set(numbers)];
    expect(known).toEqual(Array.from({ length: known.length }, (_, n) => first + n));
  });

  test(`a broker that is away for ${AWAY_MS} ms: memory stays bounded, tasks run on, nothing is lost`, async () => {
    await group.put("away", counting("away", 1, { ...FLOOD, "pause.ms": "5" }));
    await until(async () => ((await counted("away")) > 1_000 ? null : "nothing arrives"));
    await broker.kill();
    await sleep(1_000);
    const before = await memory();
    await sleep(AWAY_MS);
    expect((await memory()) - before).toBeLessThan(MEMORY_MAX);
    await broker.start();
    const reached = await counted("away");
    await until(
      async () => ((await counted("away")) > reached + 1_000 ? null : JSON.stringify(await statusOf(group.rest, "away"))),
      60_000,
    );
    await group.running("away", 1);
    const { gaps } = judge(await recordsOf(broker.bootstrap, "away"));
    expect(gaps).toEqual([]);
    await accepted(group.rest, "DELETE", "/connectors/away");
  });
});
