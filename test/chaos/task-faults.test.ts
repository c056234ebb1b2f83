/**
 * A task that throws, leaks or loops for ever, in a real worker: its status says why, it runs again by itself from its offset, and
 * REST, the group's heartbeats and its neighbour do not notice.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";

const LIMIT_MS = 60_000;
/** Counts; after the fortieth record it misbehaves twice, which a file remembers: in a shared thread nobody is blamed for the first time. */
const COUNTER = `import { appendFileSync, readFileSync } from "node:fs";
const done = (file) => { try { return readFileSync(file, "utf8"); } catch { return ""; } };
const faults = {
  throws: () => { throw new TypeError("undefined is not a function"); },
  leaks: () => { const kept = []; setInterval(() => kept.push(new Array(100_000).fill(0).map((_, i) => ({ i, kept }))), 50); },
  loops: () => { for (;;) Math.sqrt(2); },
  none: () => {},
};
export const counter = {
  kind: "source", name: "counter", classes: ["com.acme.Counter"], taskClass: "com.acme.CounterTask", version: "1", config: [],
  start: (config) => ({ taskConfigs: () => [config] }),
  task(config, context) {
    let n = 0, faulty = false;
    return {
      async start() { n = Number((await context.offsets.offsets([{ of: config.name }]))[0]?.n ?? 0); },
      async poll() {
        await new Promise((wake) => setTimeout(wake, 20));
        if (n >= 40 && !faulty && done(config.marker).length < 2) { faulty = true; appendFileSync(config.marker, "x"); faults[config.fault](); }
        n++;
        return [{ topic: config.name, partition: 0, keySchema: null, key: null, valueSchema: null, value: String(n), timestamp: null,
          headers: [], sourcePartition: { of: config.name }, sourceOffset: { n } }];
      },
      async stop() {},
    };
  },
};
`;
let cluster: ConnectCluster;
let worker: RunningConnect;
beforeAll(async () => {
  cluster = await connectCluster();
  const plugins = join(cluster.folder, "plugins");
  await mkdir(plugins);
  await writeFile(join(plugins, "counter.js"), COUNTER);
  await writeFile(join(plugins, "package.json"), '{"type":"module"}');
  worker = await cluster.join({
    "plugin.path": join(plugins, "counter.js"),
    "task.unresponsive.timeout.ms": "6000",
    "task.thread.heap.mb": "48",
    "task.restart.backoff.ms": "1500",
  });
});
afterAll(() => cluster.close());

interface Status {
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}
const status = async (name: string): Promise<Status["tasks"][number] | undefined> =>
  ((await rest(worker.url, "GET", `/connectors/${name}/status`)).body as Status).tasks?.[0];
const start = async (name: string, fault: string): Promise<void> => {
  const config = {
    "connector.class": "com.acme.Counter",
    fault,
    marker: join(cluster.folder, `${name}.done`),
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
  };
  expect((await rest(worker.url, "PUT", `/connectors/${name}/config`, config)).status).toBe(201);
};
async function valuesOf(topic: string): Promise<number[]> {
  const consumer = await createKafkaClients().consumer({ "bootstrap.servers": cluster.broker.bootstrap });
  consumer.assign([{ topic, partition: 0 }]);
  consumer.seek({ topic, partition: 0 }, 0);
  const values = (await consumer.poll(1000)).map((r) => Number(Buffer.from(r.value ?? []).toString()));
  await consumer.close();
  return values;
}
/** How often the worker's group has rebalanced: a missed heartbeat would add to it. */
async function rebalances(): Promise<string> {
  const { body } = await rest(worker.url, "GET", "/metrics");
  return /kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total\S* (\d+)/.exec(String(body))?.[1] ?? "none";
}

test.each([
  ["throws", /undefined is not a function/],
  ["leaks", /(ran out of memory|of its heap were taken).*raise task\.thread\.heap\.mb/],
  ["loops", /did not answer for 6000 ms/],
])(
  "one that %s",
  async (fault, cause) => {
    const neighbour = `beside-${fault}`;
    await start(neighbour, "none");
    await eventually(async () => ((await status(neighbour))?.state === "RUNNING" ? true : null), "the neighbour runs");
    await start(fault, fault);
    await eventually(async () => ((await status(fault))?.state === "RUNNING" ? true : null), "it runs");
    const started = await rebalances();
    let slowestMs = 0;
    let watching = true;
    onTestFinished(() => {
      watching = false;
    });
    const watch = (async () => {
      for (; watching; await new Promise((wake) => setTimeout(wake, 20))) {
        const at = performance.now();
        await rest(worker.url, "GET", "/connectors");
        slowestMs = Math.max(slowestMs, performance.now() - at);
      }
    })();
    const failed = await eventually(
      async () => {
        const task = await status(fault);
        return task?.state === "FAILED" ? task : null;
      },
      "the failure is seen",
      LIMIT_MS,
    );
    expect(failed.trace).toMatch(cause);
    expect((await status(neighbour))?.state).toBe("RUNNING");
    await eventually(
      async () => ((await valuesOf(fault)).length > 60 && (await status(fault))?.state === "RUNNING" ? true : null),
      "it runs again by itself",
      LIMIT_MS,
    );
    const values = await eventually(
      async () => {
        const seen = await valuesOf(fault);
        return seen.length > 50 ? seen : null;
      },
      "it goes on",
      LIMIT_MS,
    );
    watching = false;
    await watch;
    // In order and without a gap; what was not acknowledged when it died comes again.
    expect([...new Set(values)]).toEqual(Array.from({ length: Math.max(...values) }, (_, i) => i + 1));
    const seen = await valuesOf(neighbour);
    expect(seen.length).toBeGreaterThan(10);
    expect([...new Set(seen)]).toEqual(Array.from({ length: Math.max(...seen) }, (_, i) => i + 1));
    expect(slowestMs).toBeLessThan(1000);
    expect(Number(started)).toBeGreaterThan(0);
    expect(await rebalances()).toBe(started);
    for (const name of [fault, neighbour]) await rest(worker.url, "DELETE", `/connectors/${name}`);
    expect(await readFile(join(cluster.folder, `${fault}.done`), "utf8")).toBe("xx");
  },
  240_000,
);
