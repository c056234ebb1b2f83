/**
 * `scheduled.rebalance.max.delay.ms` (KIP-415) with three workers as processes, over our broker and over Apache Kafka: the tasks of a
 * worker that was killed wait for it; back inside the delay it gets them again, else the others do, and not before.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../peers/ports.ts";
import { ask, until } from "./journal.ts";
import { sleep } from "./millrace-process.ts";
import { counting, WorkerGroup } from "./worker-group.ts";
import { BROKERS, type BrokerProcess, type WorkerProcess } from "./worker-process.ts";

const [PORT = 0] = await freePorts(40);

const DELAY_MS = 6_000;
const TASKS = 6;
const NAME = "count-delay";
/** Task to `host:port`, as statuses say; only of tasks that run. */
type Places = ReadonlyMap<number, string>;

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
    group = new WorkerGroup(broker.bootstrap, "delay", port + 10, {
      "scheduled.rebalance.max.delay.ms": String(DELAY_MS),
      "session.timeout.ms": "10000",
    });
    await group.start();
    await group.put(NAME, counting(NAME, TASKS));
    await group.allRunning(new Map([[NAME, TASKS]]));
    await until(async () => {
      const counts = await Promise.all(group.workers.map(tasksOf));
      return counts.every((n) => n === TASKS / 3) ? null : `tasks: ${counts.join()}`;
    }, 60_000);
  });
  afterAll(async () => {
    await group?.close();
    await broker?.stop();
  });
  async function tasksOf(worker: WorkerProcess): Promise<number> {
    const text = await (await fetch(`${worker.rest}/metrics`)).text();
    return Number(/^kafka_connect_connect_worker_metrics_task_count (\d+)/m.exec(text)?.[1] ?? Number.NaN);
  }
  async function places(): Promise<Places> {
    const { body } = await ask(group.rest, "GET", `/connectors/${NAME}/status`);
    const tasks: readonly { id: number; state: string; worker_id: string }[] = Object(body).tasks ?? [];
    return new Map(tasks.filter((t) => t.state === "RUNNING").map((t) => [t.id, t.worker_id]));
  }
  /** One that does not lead: what is delayed is the leader's knowledge. */
  async function victim(): Promise<WorkerProcess> {
    const leader = await group.leader();
    const found = group.workers.find((w) => w !== leader);
    if (found === undefined) throw new Error("no worker but the leader");
    return found;
  }
  const idOf = (worker: WorkerProcess): string => worker.rest.slice("http://".length);

  test("back inside the delay: its tasks are its own again, nobody else's have moved", async () => {
    const before = await places();
    const killed = await victim();
    await killed.end("SIGKILL");
    await killed.start();
    const seen = new Set<string>();
    await until(async () => {
      seen.add(JSON.stringify([...(await places())].toSorted(([a], [b]) => a - b)));
      const counts = await Promise.all(group.workers.map(tasksOf));
      return counts.every((n) => n === TASKS / 3) ? null : `tasks: ${counts.join()}`;
    }, 60_000);
    expect(await places()).toEqual(before);
    for (const each of seen) for (const [task, worker] of JSON.parse(each)) expect(before.get(task)).toBe(worker);
  });
  test("not back: the others get them when the delay is over, and keep their own", async () => {
    const before = await places();
    const killed = await victim();
    const since = performance.now();
    await killed.end("SIGKILL");
    let movedMs = 0;
    await until(async () => {
      const now = await places();
      const moved = [...now].some(([task, worker]) => before.get(task) === idOf(killed) && worker !== idOf(killed));
      if (moved && movedMs === 0) movedMs = performance.now() - since;
      return now.size === TASKS && ![...now.values()].includes(idOf(killed)) ? null : JSON.stringify([...now]);
    }, 60_000);
    expect(movedMs).toBeGreaterThanOrEqual(DELAY_MS);
    const after = await places();
    for (const [task, worker] of before) if (worker !== idOf(killed)) expect(after.get(task)).toBe(worker);
    await sleep(100);
    const { gaps, counts } = await group.verdict(NAME, NAME);
    expect([gaps, counts.size]).toEqual([[], TASKS]);
  });
});
