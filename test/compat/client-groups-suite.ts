/** Consumer groups and custom group membership against real brokers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { Admin, Consumer, GroupMembershipOptions, RebalanceListener, TopicPartition } from "#broker/client/types";
import { ErrorCode } from "#broker/protocol/errors";
import { type BrokerKind, type TestBroker, title } from "./client-brokers.ts";

const clients = createKafkaClients();
const bytes = (text: string): Buffer => Buffer.from(text);

/** A consumer that polls all the time and remembers what it saw. */
class Runner {
  readonly consumer: Consumer;
  readonly events: string[] = [];
  readonly values: string[] = [];
  readonly #ended: Promise<void>;
  #stop = false;
  constructor(consumer: Consumer, topics: readonly string[] | RegExp) {
    this.consumer = consumer;
    const note = (what: string) => async (partitions: readonly TopicPartition[]) => {
      const numbers = partitions.map((each) => each.partition).sort((a, b) => a - b);
      this.events.push(`${what} ${numbers.join(",")}`);
    };
    const listener: RebalanceListener = { revoked: note("revoked"), assigned: note("assigned"), lost: note("lost") };
    consumer.subscribe(topics, listener);
    this.#ended = this.#run();
  }
  async #run(): Promise<void> {
    while (!this.#stop) for (const record of await this.consumer.poll(100)) this.values.push(Buffer.from(record.value ?? "").toString());
  }
  get owned(): number {
    return this.consumer.assignment().length;
  }
  async pause(): Promise<void> {
    this.#stop = true;
    await this.#ended;
  }
  async close(): Promise<void> {
    await this.pause();
    await this.consumer.close();
  }
}

/** `port`: the first of the ports that the broker may use. */
export function groupsSuite(kind: BrokerKind, port: number): void {
  describe.skipIf(kind.skipped !== "")(`groups over ${title(kind)}`, { timeout: 60_000 }, () => {
    let broker: TestBroker;
    let admin: Admin;
    let base: Record<string, string>;
    let topics = 0;
    const newTopic = async (partitions: number, prefix = "grouped"): Promise<string> => {
      const name = `${prefix}-${topics++}`;
      await admin.createTopics([{ name, partitions, replicationFactor: 1 }]);
      return name;
    };
    const consumer = (groupId: string, more: Record<string, string> = {}): Promise<Consumer> =>
      clients.consumer({
        ...base,
        "group.id": groupId,
        "auto.offset.reset": "earliest",
        "heartbeat.interval.ms": "300",
        "session.timeout.ms": "6000",
        "metadata.max.age.ms": "1000",
        ...more,
      });
    const produce = async (topic: string, from: number, to: number): Promise<void> => {
      const producer = await clients.producer({ ...base, "linger.ms": "0" });
      const count = await producer.partitions(topic);
      for (let i = from; i < to; i++) producer.append(topic, i % count, null, bytes(String(i)), Date.now(), []);
      await producer.flush();
      await producer.close();
    };
    beforeAll(async () => {
      broker = await kind.start(port);
      base = { "bootstrap.servers": broker.bootstrap, "default.api.timeout.ms": "15000", "max.block.ms": "15000" };
      admin = await clients.admin(base);
    }, 60_000);
    afterAll(async () => {
      await admin?.close();
      await broker?.stop();
    });

    test.each(["range", "roundrobin", "cooperative-sticky", "range,cooperative-sticky"])(
      "two members share, one leaves: %s",
      async (strategy) => {
        const topic = await newTopic(4);
        await produce(topic, 0, 100);
        const group = `share-${topic}`;
        const settings = { "partition.assignment.strategy": strategy, "enable.auto.commit": "true" };
        const one = new Runner(await consumer(group, settings), [topic]);
        await expect.poll(() => one.values.length, { timeout: 10_000 }).toBe(100);
        const two = new Runner(await consumer(group, settings), [topic]);
        await expect.poll(() => [one.owned, two.owned], { timeout: 10_000 }).toEqual([2, 2]);
        await produce(topic, 100, 200);
        await expect.poll(() => one.values.length + two.values.length, { timeout: 10_000 }).toBe(200);
        await one.close();
        await expect.poll(() => two.owned, { timeout: 10_000 }).toBe(4);
        await produce(topic, 200, 300);
        await expect.poll(() => new Set([...one.values, ...two.values]).size, { timeout: 10_000 }).toBe(300);
        // Offsets were committed at each hand-over: nothing came twice.
        expect(one.values.length + two.values.length).toBe(300);
        // Eager: all four given up, cooperative: only the two that moved.
        const cooperative = strategy === "cooperative-sticky";
        expect(one.events.find((each) => each.startsWith("revoked"))?.split(",").length).toBe(cooperative ? 2 : 4);
        await two.close();
      },
    );

    test("a pattern picks up topics that are made later", async () => {
      const first = await newTopic(1, "match-me");
      const runner = new Runner(await consumer("pattern"), /^match-me-\d+$/);
      await expect.poll(() => runner.owned, { timeout: 10_000 }).toBe(1);
      const second = await newTopic(2, "match-me");
      await expect.poll(() => runner.owned, { timeout: 10_000 }).toBe(3);
      expect(new Set(runner.consumer.assignment().map((each) => each.topic))).toEqual(new Set([first, second]));
      await runner.close();
    });

    test("max.poll.interval.ms: who does not poll loses its partitions, and gets them back", async () => {
      const topic = await newTopic(2);
      const group = "slow";
      const slow = new Runner(await consumer(group, { "max.poll.interval.ms": "1500" }), [topic]);
      await expect.poll(() => slow.owned, { timeout: 10_000 }).toBe(2);
      await slow.pause();
      const quick = new Runner(await consumer(group, { "max.poll.interval.ms": "3000" }), [topic]);
      await expect.poll(() => quick.owned, { timeout: 10_000 }).toBe(2);
      await expect(slow.consumer.commit([{ topic, partition: 0, offset: 1 }])).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_MEMBER_ID });
      for (const end = Date.now() + 10_000; slow.owned !== 1 && Date.now() < end; ) await slow.consumer.poll(100);
      expect(slow.events).toContain("lost 0,1");
      await slow.consumer.close();
      await quick.close();
    });

    test("offsets of a group with members cannot be changed from outside", async () => {
      const topic = await newTopic(1);
      const runner = new Runner(await consumer("busy"), [topic]);
      await expect.poll(() => runner.owned, { timeout: 10_000 }).toBe(1);
      await expect(admin.alterGroupOffsets("busy", [{ topic, partition: 0, offset: 3 }])).rejects.toMatchObject({
        code: ErrorCode.NON_EMPTY_GROUP,
      });
      await expect(admin.deleteGroup("busy")).rejects.toMatchObject({ code: ErrorCode.NON_EMPTY_GROUP });
      await runner.close();
      await admin.alterGroupOffsets("busy", [{ topic, partition: 0, offset: 3 }]);
      expect(await admin.groupOffsets("busy")).toMatchObject([{ offset: 3 }]);
    });

    test("a member whose process is gone is taken out without waiting for its session", async () => {
      const topic = await newTopic(2);
      const settings = { "session.timeout.ms": "30000", "heartbeat.interval.ms": "300" };
      const stays = new Runner(await consumer("gone", { ...settings, "client.id": "stays" }), [topic]);
      const gone = new Runner(await consumer("gone", { ...settings, "client.id": "gone" }), [topic]);
      await expect.poll(() => [stays.owned, gone.owned], { timeout: 10_000 }).toEqual([1, 1]);
      await gone.pause();
      expect(await admin.removeMembers("gone", (member) => member.clientId === "gone")).toBe(1);
      expect(await admin.removeMembers("no-such-group", () => true)).toBe(0);
      await expect.poll(() => stays.owned, { timeout: 10_000 }).toBe(2);
      await stays.close();
      await gone.consumer.close();
    });

    test("membership with a protocol of one's own: leader, assignment, rejoin, leaving", async () => {
      const config = { ...base, "session.timeout.ms": "6000", "heartbeat.interval.ms": "300", "rebalance.timeout.ms": "5000" };
      const log: string[] = [];
      const seen = new Map<string, string>();
      const options = (name: string): GroupMembershipOptions => ({
        groupId: "workers",
        protocolType: "connect",
        metadata: async () => [{ name: "sessioned", metadata: bytes(`url-of-${name}`) }],
        leaderAssigns: async (protocol, _leaderId, members) => {
          const all = members.map((each) => Buffer.from(each.metadata).toString()).sort();
          log.push(`${name} leads ${protocol}: ${all.join(" ")}`);
          return new Map(members.map((each) => [each.memberId, bytes(`${all.length} members`)]));
        },
        onAssignment: async (_protocol, generation, memberId, leaderId, assignment) => {
          seen.set(name, `${Buffer.from(assignment).toString()}${memberId === leaderId ? " leader" : ""}`);
          log.push(`${name} generation ${generation}`);
        },
        onRevoked: async (reason) => {
          seen.delete(name);
          log.push(`${name} revoked ${reason}`);
        },
      });
      const a = await clients.groupMembership(config, options("a"));
      await expect.poll(() => seen.get("a"), { timeout: 10_000 }).toBe("1 members leader");
      const b = await clients.groupMembership(config, options("b"));
      await expect.poll(() => [seen.get("a"), seen.get("b")], { timeout: 10_000 }).toEqual(["2 members leader", "2 members"]);
      expect(log).toContain("a leads sessioned: url-of-a url-of-b");
      expect(log).toContain("a revoked rebalance");
      const before = b.generation;
      a.rejoin();
      await expect.poll(() => Math.min(a.generation, b.generation), { timeout: 10_000 }).toBeGreaterThan(before);
      await a.close();
      await expect.poll(() => seen.get("b"), { timeout: 10_000 }).toBe("1 members leader");
      await b.close();
    });
  });
}
