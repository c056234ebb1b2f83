/**
 * Faults F11 to F14, F20 and F24 on three workers as processes, over our broker and over Apache Kafka. MILLRACE_CHAOS_SEED repeats a
 * run.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seeded, sleep } from "./millrace-process.ts";
import { BROKERS, type BrokerProcess } from "./worker-process.ts";
import { counting, WorkerGroup } from "./worker-group.ts";

const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20_261_122);
const CONNECTORS = new Map([
  ["count-a", 3],
  ["count-b", 2],
  ["count-c", 1],
]);

describe.each(BROKERS)("over $name", (kind) => {
  if (kind.skipped !== "") {
    test.skip(`skipped: ${kind.skipped}`);
    return;
  }
  const port = kind.name === "our broker" ? 21_100 : 21_200;
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
        await sleep(200);
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
  });
});
