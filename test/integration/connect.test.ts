import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest, type RestAnswer } from "../fakes/connect-cluster.ts";

const SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector";
interface Status {
  readonly connector: { readonly state: string; readonly worker_id: string };
  readonly tasks: readonly { readonly state: string; readonly worker_id: string; readonly trace?: string }[];
}
let cluster: ConnectCluster;
beforeAll(async () => {
  cluster = await connectCluster();
});
afterAll(() => cluster.close());

const source = (name: string): Record<string, string> => ({
  "connector.class": SOURCE,
  file: join(cluster.folder, `${name}.in`),
  topic: `${name}-topic`,
});
async function statusOf(worker: RunningConnect, name: string): Promise<Status | null> {
  const { status, body } = await rest(worker.url, "GET", `/connectors/${name}/status`);
  return status === 200 ? (body as Status) : null;
}
async function running(worker: RunningConnect, name: string, tasks = 1): Promise<Status> {
  return eventually(async () => {
    const status = await statusOf(worker, name);
    const all = status?.connector.state === "RUNNING" && status.tasks.length === tasks && status.tasks.every((t) => t.state === "RUNNING");
    return all ? status : null;
  }, `${name} runs with ${tasks} tasks`);
}
async function expectStatus(wanted: number, answer: Promise<RestAnswer>): Promise<RestAnswer> {
  const got = await answer;
  expect(got.status, got.text).toBe(wanted);
  return got;
}

describe("one worker, then three", () => {
  test("a file travels through a topic into another file; everything survives a restart of the worker", async () => {
    const worker = await cluster.join();
    await writeFile(join(cluster.folder, "pipe.in"), "one\ntwo\n");
    await expectStatus(201, rest(worker.url, "POST", "/connectors", { name: "pipe", config: source("pipe") }));
    const sink = { "connector.class": SINK, file: join(cluster.folder, "pipe.out"), topics: "pipe-topic" };
    await expectStatus(201, rest(worker.url, "PUT", "/connectors/pipe-out/config", sink));
    await running(worker, "pipe");
    await running(worker, "pipe-out");
    const written = async (lines: string): Promise<true | null> =>
      (await readFile(join(cluster.folder, "pipe.out"), "utf8").catch(() => "")) === lines ? true : null;
    await eventually(() => written("one\ntwo\n"), "two lines arrive");
    await worker.close();
    cluster.workers.length = 0;

    const again = await cluster.join();
    await running(again, "pipe");
    await writeFile(join(cluster.folder, "pipe.in"), "one\ntwo\nthree\n");
    await eventually(() => written("one\ntwo\nthree\n"), "the third line arrives");
    await expectStatus(204, rest(again.url, "DELETE", "/connectors/pipe"));
    await expectStatus(204, rest(again.url, "DELETE", "/connectors/pipe-out"));
  });

  test("three workers share the work; any of them takes every request; the leader's leaving loses nothing", async () => {
    const [first] = cluster.workers;
    if (first === undefined) throw new Error("no worker");
    const second = await cluster.join();
    const third = await cluster.join();
    const names = ["a", "b", "c", "d", "e", "f"];
    // Posted to a worker that is not the leader: forwarded.
    for (const name of names) await expectStatus(201, rest(third.url, "POST", "/connectors", { name, config: source(name) }));
    const owners = new Map<string, number>();
    for (const name of names) {
      const status = await running(second, name);
      for (const part of [status.connector, ...status.tasks]) owners.set(part.worker_id, (owners.get(part.worker_id) ?? 0) + 1);
    }
    expect([...owners.values()]).toEqual([4, 4, 4]);
    for (const worker of cluster.workers) {
      const { body } = await expectStatus(200, rest(worker.url, "GET", "/connectors"));
      expect(body).toEqual(expect.arrayContaining(names));
    }
    await expectStatus(202, rest(second.url, "PUT", "/connectors/a/pause"));
    await eventually(async () => ((await statusOf(third, "a"))?.tasks[0]?.state === "PAUSED" ? true : null), "a is paused");
    await expectStatus(202, rest(third.url, "PUT", "/connectors/a/resume"));
    await expectStatus(204, rest(third.url, "POST", "/connectors/b/restart"));
    await expectStatus(204, rest(second.url, "POST", "/connectors/b/tasks/0/restart"));
    await expectStatus(202, rest(second.url, "POST", "/connectors/c/restart?includeTasks=true"));
    await expectStatus(409, rest(second.url, "POST", "/connectors", { name: "a", config: source("a") }));
    await expectStatus(404, rest(second.url, "DELETE", "/connectors/nope"));
    for (const name of names) await running(third, name);

    cluster.workers.shift();
    await first.close();
    const left = new Set([second, third].map((w) => new URL(w.url).host));
    for (const name of names) {
      await eventually(async () => {
        const status = await statusOf(third, name);
        const moved = status !== null && [status.connector, ...status.tasks].every((p) => left.has(p.worker_id) && p.state === "RUNNING");
        return moved && status.tasks.length === 1 ? true : null;
      }, `${name} runs on the workers that are left`);
    }
    for (const name of names) await expectStatus(204, rest(second.url, "DELETE", `/connectors/${name}`));
    await eventually(
      async () => (JSON.stringify((await rest(third.url, "GET", "/connectors")).body) === "[]" ? true : null),
      "no connector is left",
    );
    for (const name of names) await eventually(async () => ((await statusOf(third, name)) === null ? true : null), `${name} has no status`);
  });

  test("fifty clients create and delete at once: no connector is half made", async () => {
    const names = Array.from({ length: 25 }, (_, i) => `many-${i}`);
    const urls = cluster.workers.map((w) => w.url);
    const created = await Promise.all(
      names.flatMap((name, i) =>
        [0, 1].map((n) => rest(urls[(i + n) % urls.length] ?? "", "POST", "/connectors", { name, config: source(name) })),
      ),
    );
    // Both were sent at once: one wins, the other is told so.
    for (const i of names.keys()) expect(new Set([created[2 * i]?.status, created[2 * i + 1]?.status])).toEqual(new Set([201, 409]));
    const [worker] = cluster.workers;
    if (worker === undefined) throw new Error("no worker");
    for (const name of names) await running(worker, name);
    const removed = await Promise.all(names.map((name, i) => rest(urls[i % urls.length] ?? "", "DELETE", `/connectors/${name}`)));
    expect(new Set(removed.map((r) => r.status))).toEqual(new Set([204]));
    for (const name of names)
      await eventually(async () => ((await statusOf(worker, name)) === null ? true : null), `${name} has no status`);
  }, 120_000);
});
