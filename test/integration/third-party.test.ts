/** Plugins by others: found on `plugin.path`, listed, validated, run; and what is wrong with one is told without stopping the rest. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Logger, silentLogger } from "#broker/base/logger";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";

let cluster: ConnectCluster;
let worker: RunningConnect;
const lines: string[] = [];
const log: Logger = { ...silentLogger, warn: (m) => void lines.push(m), child: () => log };

beforeAll(async () => {
  cluster = await connectCluster();
  const path = join(cluster.folder, "plugins");
  const bundle = join(path, "node_modules/@acme/upper");
  await mkdir(bundle, { recursive: true });
  await mkdir(join(path, "debezium-connector-postgres"), { recursive: true });
  await writeFile(join(path, "debezium-connector-postgres/debezium-core.jar"), "PK");
  // As npm installs one: JavaScript, by its keyword and main.
  await writeFile(
    join(bundle, "package.json"),
    JSON.stringify({ name: "@acme/upper", type: "module", keywords: ["millrace-plugin"], main: "upper.js" }),
  );
  await writeFile(
    join(bundle, "upper.js"),
    `import { DataError } from "millrace/api/errors";
     export default [{ kind: "transform", name: "acme-upper", classes: ["com.acme.Upper"], version: "2.1", config: [],
       create: () => ({ apply(record) {
         if (typeof record.value !== "string") throw new DataError("only texts");
         return { ...record, value: record.value.toUpperCase() };
       } }) }];`,
  );
  // As npm installs one that ships TypeScript, with a module of its own beside.
  const typed = join(path, "node_modules/acme-typed");
  await mkdir(typed, { recursive: true });
  await writeFile(
    join(typed, "package.json"),
    JSON.stringify({ name: "acme-typed", type: "module", millrace: { plugins: ["./index.ts"] } }),
  );
  await writeFile(join(typed, "exclaimed.ts"), "export const exclaimed = (text: string): string => `${text}!`;");
  await writeFile(
    join(typed, "index.ts"),
    `import type { ConnectRecord, TransformPlugin } from "millrace/api";
     import { exclaimed } from "./exclaimed.ts";
     export const exclaim: TransformPlugin = { kind: "transform", name: "acme-exclaim", classes: ["com.acme.Exclaim"], version: "3", config: [],
       create: () => ({ apply: <R extends ConnectRecord>(record: R): R => ({ ...record, value: exclaimed(String(record.value)) }) }) };`,
  );
  await writeFile(
    join(path, "half.ts"),
    `export const half = { kind: "source", name: "half", classes: ["com.acme.Half"], version: "1", config: [], taskClass: "x", task() {} };`,
  );
  // One never comes back from poll, the other delivers nothing although it says that there is something.
  await writeFile(
    join(path, "stuck.js"),
    `const source = (name, poll) => ({ kind: "source", name, classes: ["com.acme." + name], taskClass: "com.acme." + name + "Task", version: "1",
       config: [], start: (settings) => ({ taskConfigs: () => [settings] }),
       diagnosis: async () => ({ check: async () => [], position: async () => ({ position: "3", head: "9", behindBytes: 6, details: {} }) }),
       task: () => ({ async start() {}, poll, async stop() {} }) });
     export const stuck = source("Stuck", () => new Promise(() => {}));
     export const silent = source("Silent", () => new Promise((done) => setTimeout(done, 100, [])));`,
  );
  await writeFile(join(path, "broken.js"), "export const a = ;");
  worker = await cluster.join(
    { "millrace.stalled.ms": "3000", "plugin.path": `${join(import.meta.dirname, "../../examples/plugin")},${path},/nowhere/at/all` },
    log,
  );
});
afterAll(() => cluster.close());

test("they are listed with class, type and version", async () => {
  const { body: json } = await rest(worker.url, "GET", "/connector-plugins?connectorsOnly=false");
  expect(json).toEqual(
    expect.arrayContaining([
      { class: "com.acme.FolderSourceConnector", type: "source", version: "1.0.0" },
      { class: "com.acme.LinesSinkConnector", type: "sink", version: "1.0.0" },
      { class: "com.acme.Stamp", type: "transformation", version: "1.0.0" },
      { class: "com.acme.EvenKey", type: "predicate", version: "1.0.0" },
      { class: "com.acme.Base64Converter", type: "converter", version: "1.0.0" },
      { class: "com.acme.Upper", type: "transformation", version: "2.1" },
      { class: "com.acme.Exclaim", type: "transformation", version: "3" },
    ]),
  );
});
test("what cannot be used is told, with the reason", () => {
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/The source plugin in .*half\.ts has no start/),
      expect.stringMatching(/The plugin module .*broken\.js could not be loaded: /),
      "plugin.path names /nowhere/at/all, which is not there",
    ]),
  );
});
test("their settings are validated like ours, transforms and converters included", async () => {
  const config = {
    name: "numbers",
    "connector.class": "FolderSource",
    folder: "",
    transforms: "s,u",
    "transforms.s.type": "com.acme.Stamp",
    "transforms.u.type": "com.acme.Nothing",
    "value.converter": "com.acme.Base64Converter",
  };
  const { body: json } = await rest(worker.url, "PUT", "/connector-plugins/FolderSource/config/validate", config);
  const errors = Object(json).configs.flatMap((c: { value: { errors: string[] } }) => c.value.errors);
  expect(errors).toEqual(
    expect.arrayContaining([
      'Missing required configuration "topic" which has no default value.',
      "Invalid value  for configuration folder: String must be non-empty",
      expect.stringContaining("Class com.acme.Nothing could not be found."),
    ]),
  );
  const keys = await rest(worker.url, "GET", "/connector-plugins/com.acme.Stamp/config");
  expect(keys.body).toMatchObject([{ name: "header", default_value: "stamp" }]);
});
test("they run: source, transform with predicate, converter, topic, sink", async () => {
  const files = join(cluster.folder, "files");
  await mkdir(files);
  for (const n of [1, 2, 3, 4, 5, 6]) await writeFile(join(files, String(n)), `number ${n}`);
  const out = join(cluster.folder, "out.txt");
  const source = {
    "connector.class": "com.acme.FolderSourceConnector",
    topic: "numbers",
    folder: files,
    "value.converter": "com.acme.Base64Converter",
    transforms: "u",
    "transforms.u.type": "com.acme.Upper",
    "transforms.u.predicate": "even",
    predicates: "even",
    "predicates.even.type": "com.acme.EvenKey",
  };
  const sink = {
    "connector.class": "LinesSink",
    topics: "numbers",
    path: out,
    "value.converter": "com.acme.Base64Converter",
    transforms: "s,x",
    "transforms.s.type": "com.acme.Stamp",
    "transforms.x.type": "com.acme.Exclaim",
    "consumer.override.auto.offset.reset": "earliest",
  };
  expect((await rest(worker.url, "POST", "/connectors", { name: "numbers", config: source })).status).toBe(201);
  expect((await rest(worker.url, "POST", "/connectors", { name: "lines", config: sink })).status).toBe(201);
  await eventually(
    async () => ((await readFile(out, "utf8").catch(() => "")).split("\n").length > 6 ? true : null),
    "the lines are written",
  );
  expect((await readFile(out, "utf8")).split("\n")).toEqual([
    "number 1!",
    "NUMBER 2!",
    "number 3!",
    "NUMBER 4!",
    "number 5!",
    "NUMBER 6!",
    "",
  ]);
  const { body: json } = await rest(worker.url, "GET", "/connectors/numbers/status");
  expect(json).toMatchObject({ type: "source", connector: { state: "RUNNING", version: "1.0.0" }, tasks: [{ state: "RUNNING" }] });
});
test("a source that stops without an error is seen: in health, status and metrics", async () => {
  const health = async (name: string): Promise<{ verdict: string; reasons: string[] }> =>
    Object((await rest(worker.url, "GET", `/connectors/${name}/health`)).body);
  for (const name of ["Stuck", "Silent"])
    expect((await rest(worker.url, "POST", "/connectors", { name, config: { "connector.class": `com.acme.${name}` } })).status).toBe(201);
  const stuck = await eventually(async () => {
    const found = await health("Stuck");
    return found.verdict === "stalled" && found.reasons.join().includes("poll") ? found : null;
  }, "the poll that does not come back is told");
  expect(stuck.reasons).toEqual([expect.stringMatching(/^task 0: the source has not come back from poll for \d+ s$/)]);
  const silent = await eventually(async () => {
    const found = await health("Silent");
    return found.verdict === "stalled" ? found : null;
  }, "the source that delivers nothing is told");
  expect(silent.reasons).toEqual([
    expect.stringMatching(/^RUNNING, but nothing has moved for \d+ s although the source is 6 bytes of log ahead \(9\)$/),
  ]);
  for (const [name, why] of [
    ["Stuck", "stalled: the source has not come back from poll"],
    ["Silent", "stalled: RUNNING, but nothing has moved"],
  ] as const) {
    await eventually(async () => {
      const { body } = await rest(worker.url, "GET", `/connectors/${name}/status`);
      const [task] = Object(body).tasks;
      return task.state === "RUNNING" && String(task.trace).includes(why) ? true : null;
    }, `the status of ${name} says so`);
  }
  expect((await health("Silent")).reasons).toEqual([expect.stringMatching(/^RUNNING, but nothing has moved for/)]);
  const metrics = (await rest(worker.url, "GET", "/metrics")).text;
  expect(metrics).toContain('millrace_task_stalled{connector="Stuck",task="0"} 1');
  expect(metrics).toContain('millrace_task_stalled{connector="Silent",task="0"} 1');
  expect(Number(/millrace_task_poll_age_seconds\{connector="Stuck",task="0"\} ([\d.]+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3);
  expect(Number(/last_progress_age_seconds\{connector="Silent",task="0"\} ([\d.]+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3);
  for (const name of ["Stuck", "Silent"]) expect((await rest(worker.url, "DELETE", `/connectors/${name}`)).status).toBe(204);
}, 90_000);
