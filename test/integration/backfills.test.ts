/** Backfills over HTTP and by the command line, asked of the worker that has the task and of another one that has not. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runVerb, VERBS } from "#connect/cli/verbs/run";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";

let cluster: ConnectCluster;
/** Of these one has the task, the other forwards. */
let owner: RunningConnect, other: RunningConnect;
const path = "/connectors/shop/backfills";

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly tables: readonly { readonly table: string; readonly state: string; readonly rows: number | null }[];
}
const taskOf = async (worker: RunningConnect, name: string): Promise<{ state: string; worker_id: string } | undefined> => {
  const { body } = await rest(worker.url, "GET", `/connectors/${name}/status`);
  return (body as { tasks?: { state: string; worker_id: string }[] }).tasks?.[0];
};
const running = (worker: RunningConnect, name: string): Promise<{ state: string; worker_id: string }> =>
  eventually(async () => {
    const task = await taskOf(worker, name);
    return task?.state === "RUNNING" ? task : null;
  }, `${name} is running`);
const becomes = (worker: RunningConnect, id: string, state: string): Promise<Shown> =>
  eventually(async () => {
    const shown = (await rest(worker.url, "GET", `${path}/${id}`)).body as Shown;
    return shown.state === state ? shown : null;
  }, `${id} is ${state}`);

beforeAll(async () => {
  cluster = await connectCluster();
  const settings = { "plugin.path": join(import.meta.dirname, "../fakes/backfill-source.ts") };
  const [a, b] = [await cluster.join(settings), await cluster.join(settings)];
  await writeFile(join(cluster.folder, "in.txt"), "one\n");
  const create = (name: string, config: object): Promise<unknown> =>
    eventually(async () => {
      const { status } = await rest(a.url, "PUT", `/connectors/${name}/config`, config);
      return status < 300 ? true : null;
    }, `${name} is taken`);
  await create("shop", { "connector.class": "com.acme.Backfills", "tasks.max": "1" });
  await create("file", { "connector.class": "FileStreamSource", file: join(cluster.folder, "in.txt"), topic: "file-topic" });
  const { worker_id } = await running(a, "shop");
  await running(a, "file");
  [owner, other] = a.url.includes(worker_id) ? [a, b] : [b, a];
}, 60_000);
afterAll(() => cluster.close());

test("start, progress, pause, resume and stop, each asked of either worker", async () => {
  const started = await rest(other.url, "POST", path, { id: "one", tables: ["shop.orders", { table: "shop.lines", where: "id > 1" }] });
  expect([started.status, started.body]).toEqual([202, expect.objectContaining({ id: "one", kind: "incremental", reason: null })]);
  const paused = await rest(owner.url, "PUT", `${path}/one/pause`);
  expect([paused.status, paused.body]).toEqual([202, expect.objectContaining({ id: "one", state: "paused" })]);
  // The next one waits for its turn; without an id it gets one.
  const next = await rest(owner.url, "POST", path, { tables: ["shop.lines"] });
  expect([next.status, next.body]).toEqual([202, expect.objectContaining({ id: "made", state: "waiting" })]);
  const listed = (await rest(other.url, "GET", path)).body as { backfills: readonly Shown[] };
  expect(listed.backfills.map((b) => [b.id, b.state])).toEqual([
    ["one", "paused"],
    ["made", "waiting"],
  ]);
  expect((await rest(other.url, "PUT", `${path}/one/resume`)).body).toMatchObject({ state: "running" });
  expect((await becomes(other, "one", "completed")).tables).toEqual([
    { table: "shop.orders", where: null, state: "completed", rows: 40, reason: null },
    { table: "shop.lines", where: "id > 1", state: "completed", rows: 3, reason: null },
  ]);
  await becomes(owner, "made", "completed");
  // The same id is the same request, whatever became of it.
  const again = await rest(owner.url, "POST", path, { id: "one", tables: ["shop.orders"] });
  expect([again.status, again.body]).toEqual([202, expect.objectContaining({ id: "one", state: "completed" })]);
  await rest(owner.url, "POST", path, { id: "gone", tables: ["shop.orders"] });
  const stopped = await rest(other.url, "PUT", `${path}/gone/stop`);
  expect([stopped.status, stopped.body]).toEqual([202, expect.objectContaining({ id: "gone", state: "stopped" })]);
}, 60_000);

test("what cannot be done is refused with its reason, by either worker", async () => {
  for (const worker of [owner, other]) {
    const unknown = await rest(worker.url, "POST", path, { tables: ["shop.nothing"] });
    expect([unknown.status, unknown.body]).toEqual([
      400,
      { error_code: 400, message: "The connector does not capture shop.nothing; it captures shop.orders, shop.lines" },
    ]);
    const wrong = await rest(worker.url, "POST", path, { tables: [{ table: "shop.lines", where: "DROP" }] });
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("DROP is no condition")]);
    for (const body of [{}, { tables: [] }, { tables: ["shop.lines"], kind: "sudden" }, { tables: ["shop.lines"], more: 1 }])
      expect((await rest(worker.url, "POST", path, body)).status).toBe(400);
    for (const [method, ending] of [
      ["GET", ""],
      ["PUT", "/pause"],
      ["PUT", "/stop"],
    ] as const) {
      const { status, text } = await rest(worker.url, method, `${path}/never${ending}`);
      expect([status, text]).toEqual([404, expect.stringContaining("Connector shop has no backfill never")]);
    }
    expect((await rest(worker.url, "GET", "/connectors/nobody/backfills")).status).toBe(404);
    const file = await rest(worker.url, "POST", "/connectors/file/backfills", { tables: ["x"] });
    expect([file.status, file.text]).toEqual([400, expect.stringContaining("its connector takes no backfills")]);
  }
}, 60_000);

test("the command line starts, lists and stops them", async () => {
  const run = async (...words: string[]): Promise<{ code: number; text: string }> => {
    let text = "";
    const take = (t: string): void => void (text += t);
    const { backfill } = VERBS;
    if (backfill === undefined) throw new Error("no verb backfill");
    return { code: await runVerb(backfill, words, { MILLRACE_URL: other.url }, take, take), text };
  };
  const started = await run("start", "shop", "shop.orders", "--where", "id > 1", "--id", "typed");
  expect([started.code, started.text]).toEqual([0, expect.stringMatching(/typed +incremental/)]);
  expect((await run("stop", "shop", "typed")).code).toBe(0);
  const listed = await run("list", "shop");
  expect([listed.code, listed.text]).toEqual([0, expect.stringMatching(/typed +incremental +stopped/)]);
  const refused = await run("start", "shop", "shop.nothing");
  expect([refused.code, refused.text]).toEqual([1, expect.stringContaining("does not capture shop.nothing")]);
}, 60_000);

test("a connector that is stopped cannot be asked", async () => {
  expect((await rest(owner.url, "PUT", "/connectors/shop/stop")).status).toBe(204);
  await eventually(async () => ((await taskOf(owner, "shop")) === undefined ? true : null), "shop is stopped");
  const { status, text } = await rest(owner.url, "POST", path, { tables: ["shop.lines"] });
  expect([status, text]).toEqual([
    409,
    expect.stringContaining("Connector shop is STOPPED: it can be asked for backfills while its task is running"),
  ]);
}, 60_000);
