/**
 * Faults F11 to F14, F20 and F24 on three workers as processes, over our broker and over Apache Kafka. MILLRACE_CHAOS_SEED repeats a
 * run.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../peers/ports.ts";
import { seeded, sleep } from "./millrace-process.ts";
import { accepted, ask, compacted, recordsOf, until } from "./journal.ts";
import { RestStorm } from "./rest-storm.ts";
import { BROKERS, type BrokerProcess } from "./worker-process.ts";
import { counting, WorkerGroup } from "./worker-group.ts";

const [PORT = 0] = await freePorts(80);

const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20_261_122);
const CONNECTORS = new Map([
  ["count-a", 3],
  ["count-b", 2],
  ["count-c", 1],
]);

describe.each(BROKERS)("over $name", (kind) => {
  if (kind.skipped !== "") {
    test.skipIf(kind.skipped !== "")(`skipped: ${kind.skipped}`, () => {});
    return;
  }
  const port = kind.name === "our broker" ? PORT : PORT + 40;
  let broker: BrokerProcess;
  beforeAll(async () => {
    broker = await kind.start(port);
  });
  afterAll(async () => {
    await broker?.stop();
  });

  describe("at least once", () => {
    let group: WorkerGroup;
    beforeAll(async () => {
      group = new WorkerGroup(broker.bootstrap, "alo", port + 10);
      await group.start();
    });
    afterAll(() => group.close());

    async function begin(round: string): Promise<void> {
      for (const [name, tasks] of CONNECTORS) await group.put(`${name}-${round}`, counting(`${name}-${round}`, tasks));
      await group.allRunning(named(round));
    }
    const named = (round: string): Map<string, number> => new Map([...CONNECTORS].map(([name, tasks]) => [`${name}-${round}`, tasks]));

    test("F11: a rolling bounce leaves no gap and no duplicate", async () => {
      await begin("f11");
      for (const worker of group.workers) {
        await worker.end();
        await worker.start();
        await group.allRunning(named("f11"));
      }
      for (const [name, tasks] of named("f11")) {
        const { gaps, duplicates, counts } = await group.verdict(name, name);
        expect({ name, gaps, duplicates, tasks: counts.size }).toEqual({ name, gaps: [], duplicates: 0, tasks });
      }
    });

    test(`F12: kill -9 of workers in 3 rounds leaves no gap (seed ${seed})`, async () => {
      const random = seeded(seed);
      await begin("f12");
      for (let round = 0; round < 3; round++) {
        await sleep(500 + random() * 1500);
        const victim = round === 1 ? await group.leader() : group.workers[Math.floor(random() * 3)];
        await victim?.end("SIGKILL");
        await sleep(random() * 1000);
        await victim?.start();
        await group.allRunning(named("f12"));
      }
      for (const [name, tasks] of named("f12")) {
        const { gaps, counts } = await group.verdict(name, name);
        expect({ name, gaps, tasks: counts.size }).toEqual({ name, gaps: [], tasks });
        expect(Math.min(...counts.values())).toBeGreaterThan(100);
      }
    });

    test("F14: the config topic is compacted, workers restart, a connector is deleted and created again", async () => {
      const topic = "alo-configs";
      await group.put("count-f14", counting("count-f14", 3));
      await group.put("gone-f14", counting("gone-f14", 2));
      for (let n = 0; n < 4; n++) await group.put("count-f14", counting("count-f14", 3, { "pause.ms": String(20 + n) }));
      await group.running("count-f14", 3);
      await group.running("gone-f14", 2);
      await accepted(group.rest, "DELETE", "/connectors/gone-f14");
      await compacted(broker.bootstrap, topic);
      await Promise.all(group.workers.map((w) => w.end("SIGKILL")));
      await group.start();
      await group.running("count-f14", 3);
      expect((await ask(group.rest, "GET", "/connectors")).text).not.toContain("gone-f14");
      expect((await ask(group.rest, "GET", "/connectors/gone-f14/status")).status).toBe(404);
      const before = (await recordsOf(broker.bootstrap, "gone-f14")).length;
      await group.put("gone-f14", counting("gone-f14", 1));
      await group.running("gone-f14", 1);
      await sleep(500);
      const since = (await recordsOf(broker.bootstrap, "gone-f14")).slice(before);
      expect(since.length).toBeGreaterThan(0);
      // A zombie would be the second task of the connector's former life.
      expect(since.filter(({ key }) => key !== "0")).toEqual([]);
      const { gaps } = await group.verdict("count-f14", "count-f14");
      expect(gaps).toEqual([]);
      await accepted(group.rest, "DELETE", "/connectors/gone-f14");
    });

    test(`F24: 50 clients at once while the leader is killed leave no half-made connector (seed ${seed})`, async () => {
      const storm = new RestStorm(group, seed);
      const victim = await group.leader();
      await storm.run(50, 5_000, async () => {
        await sleep(1_000);
        await victim.end("SIGKILL");
        await sleep(1_000);
        await victim.start();
      });
      expect(storm.answered).toBeGreaterThan(50);
      await until(() => storm.halfMade(), 60_000);
      await storm.clean();
    });
  });

  test(`F13: exactly once over kill -9 of leaders that fence (seed ${seed})`, async () => {
    const random = seeded(seed);
    const group = new WorkerGroup(broker.bootstrap, "eos", port + 20, { "exactly.once.source.support": "enabled" });
    try {
      await group.start();
      const own = { "offsets.storage.topic": "own-offsets", "transaction.boundary": "interval", "transaction.boundary.interval.ms": "200" };
      const bounded = { "transaction.boundary": "connector", "transaction.size": "25" };
      const all = new Map<string, Record<string, string>>([
        ["once-a", {}],
        ["once-b", own],
        ["once-c", bounded],
      ]);
      const put = (tasks: number): Promise<void[]> =>
        Promise.all([...all].map(([name, more]) => group.put(name, counting(name, tasks, more))));
      const running = (tasks: number): Promise<void> => group.allRunning(new Map([...all.keys()].map((name) => [name, tasks])), 90_000);
      await put(3);
      await running(3);
      for (let round = 0; round < 3; round++) {
        const tasks = 3 - ((round + 1) % 2);
        await sleep(random() * 1000);
        const victim = await group.leader();
        // The new number of tasks makes the leader fence the former ones.
        await put(tasks);
        await sleep(random() * 300);
        await victim.end("SIGKILL");
        await sleep(random() * 500);
        await victim.start();
        await running(tasks);
      }
      for (const name of all.keys()) {
        const { gaps, duplicates, counts } = await group.verdict(name, name);
        expect({ name, gaps, duplicates, tasks: counts.size }).toEqual({ name, gaps: [], duplicates: 0, tasks: 3 });
        expect(Math.min(...counts.values())).toBeGreaterThan(20);
      }
    } finally {
      await group.close();
    }
  });
});
