/**
 * Runs recorded cases (a folder with setup.sql, connector.json, changes*.sql, steps.json, expected.json) against the task
 * itself, without a worker: node test/golden/postgres-cases.ts FOLDER SERVER-URL [name…]. Prints the first difference of each.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import type { SourceTask } from "#connect/api/connector";
import type { SourceOffset, SourceRecord } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { postgresSource } from "#connectors/postgres/index";
import { jsonConverter } from "#plugins/converters/json-converter";

const run = promisify(execFile);
/** A number as it was written: 1 is not 1.0, and int64 stays exact. */
class Num {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export const parse = (text: string): unknown =>
  JSON.parse(text, (_k, v: unknown, c?: { source?: string }) => (typeof v === "number" ? new Num(c?.source ?? String(v)) : v));

export function difference(expected: unknown, actual: unknown, path: string, database: string): string | null {
  if (typeof expected === "string") {
    if (expected === "<any:int>")
      return actual instanceof Num && /^-?\d+$/.test(actual.text) ? null : `${path}: expected an integer got ${show(actual)}`;
    if (expected === "<any:int?>" && (actual === null || actual instanceof Num)) return null;
    if (expected === "<any:string>") return typeof actual === "string" ? null : `${path}: expected a string got ${show(actual)}`;
    if (expected === "<any:string?>" && (actual === null || typeof actual === "string")) return null;
    expected = expected.replaceAll("${database.dbname}", database);
    if ((expected as string).includes("<any:string>") && typeof actual === "string") {
      const pattern = (expected as string).split("<any:string>").map((s) => s.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
      return new RegExp(`^${pattern.join(".*")}$`, "s").test(actual) ? null : `${path}: expected ${expected} got ${actual}`;
    }
  }
  if (expected instanceof Num) {
    if (!(actual instanceof Num)) return `${path}: expected ${expected.text} got ${show(actual)}`;
    const whole = (t: string): boolean => /^-?\d+$/.test(t);
    const same = whole(expected.text)
      ? expected.text === actual.text
      : !whole(actual.text) && Object.is(Number(expected.text), Number(actual.text));
    return same ? null : `${path}: expected ${expected.text} got ${actual.text}`;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path}: expected an array got ${show(actual)}`;
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const d =
        i >= expected.length
          ? `${path}[${i}]: surplus ${show(actual[i])}`
          : i >= actual.length
            ? `${path}[${i}]: missing ${show(expected[i])}`
            : difference(expected[i], actual[i], `${path}[${i}]`, database);
      if (d !== null) return d;
    }
    return null;
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null || actual instanceof Num) return `${path}: expected an object got ${show(actual)}`;
    const a = new Map(Object.entries(actual)),
      e = new Map(Object.entries(expected));
    for (const key of new Set([...e.keys(), ...a.keys()])) {
      if (!a.has(key)) return `${path}.${key}: missing, expected ${show(e.get(key))}`;
      if (!e.has(key)) return `${path}.${key}: surplus ${show(a.get(key))}`;
      const d = difference(e.get(key), a.get(key), `${path}.${key}`, database);
      if (d !== null) return d;
    }
    return null;
  }
  return expected === actual ? null : `${path}: expected ${show(expected)} got ${show(actual)}`;
}
const show = (v: unknown): string =>
  (JSON.stringify(v, (_k, x: unknown) => (x instanceof Num ? `#${x.text}` : x)) ?? "undefined").slice(0, 300);

interface Run {
  task: SourceTask;
  readonly abort: AbortController;
  done: Promise<void>;
  failure: Error | null;
}

/** Collects what a task writes, and keeps its offsets as the worker would. */
export class Bench {
  readonly records: { topic: string; key: unknown; value: unknown; headers: unknown }[] = [];
  offset: SourceOffset | null = null;
  readonly #config: Record<string, string>;
  #run: Run | null = null;
  lastAt = Date.now();

  constructor(config: Record<string, string>) {
    this.#config = config;
  }
  async start(): Promise<void> {
    const abort = new AbortController();
    const log = {
      debug() {},
      info() {},
      warn: (m: string) => process.env["VERBOSE"] && console.log("WARN", m),
      error: (m: string) => console.log("ERROR", m),
    };
    const task = postgresSource.task(this.#config, {
      connectorName: this.#config["name"] ?? "c",
      taskId: 0,
      log,
      offsets: { offsets: async (partitions) => partitions.map(() => this.offset) },
      metrics: { gauge() {} },
      signal: abort.signal,
      kafka: {},
    });
    const current: Run = { task, abort, done: Promise.resolve(), failure: null };
    this.#run = current;
    try {
      await task.start();
    } catch (error) {
      current.failure = error as Error;
      return;
    }
    current.done = this.#loop(current);
  }
  async #loop(current: Run): Promise<void> {
    const key = jsonConverter.create(converterConfig(this.#config, "key"), true),
      value = jsonConverter.create(converterConfig(this.#config, "value"), false);
    try {
      while (!current.abort.signal.aborted) {
        const batch = await current.task.poll();
        for (const record of batch) this.#collect(record, key, value);
        const last = batch[batch.length - 1];
        if (last === undefined) continue;
        this.offset = last.sourceOffset;
        await current.task.durable?.([{ partition: last.sourcePartition, offset: last.sourceOffset }]);
        this.lastAt = Date.now();
      }
    } catch (error) {
      current.failure = error as Error;
    }
  }
  #collect(r: SourceRecord, key: ReturnType<typeof jsonConverter.create>, value: ReturnType<typeof jsonConverter.create>): void {
    const text = (bytes: Uint8Array | null): unknown => (bytes === null ? null : parse(Buffer.from(bytes).toString()));
    const headers = r.headers.map((h) => ({ key: h.key, value: h.value instanceof Struct ? "<struct>" : String(h.value) }));
    this.records.push({
      topic: r.topic,
      key: text(key.fromConnect(r.topic, r.keySchema, r.key)),
      value: text(value.fromConnect(r.topic, r.valueSchema, r.value)),
      headers,
    });
  }
  get failure(): Error | null {
    return this.#run?.failure ?? null;
  }
  async stop(): Promise<void> {
    const current = this.#run;
    this.#run = null;
    if (current === null) return;
    current.abort.abort();
    await current.done;
    await current.task.stop();
  }
}
function converterConfig(config: Record<string, string>, kind: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [k, v] of Object.entries(config)) if (k.startsWith(`${kind}.converter.`)) out[k.slice(kind.length + 11)] = v;
  return out;
}
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

export async function runCase(folder: string, server: URL, database: string): Promise<string | null> {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const admin = new pg.Client({ host: server.hostname, port: Number(server.port), user: server.username, database: "postgres" });
  await admin.connect();
  const sql = async (file: string): Promise<void> => {
    await run(
      process.env["PSQL"] ?? "/usr/lib/postgresql/15/bin/psql",
      ["-q", "-h", server.hostname, "-p", server.port, "-U", server.username, "-d", database, "-f", join(folder, file)],
      {
        env: { ...process.env, PGTZ: "UTC", PGCLIENTENCODING: "UTF8" },
      },
    );
  };
  const { config } = JSON.parse(
    read("connector.json")
      .replaceAll("${database.hostname}", server.hostname)
      .replaceAll("${database.port}", server.port)
      .replaceAll("${database.user}", server.username)
      .replaceAll("${database.password}", "x")
      .replaceAll("${database.dbname}", database),
  ) as { config: Record<string, string> };
  const slot = config["slot.name"] ?? "debezium";
  const dropSlot = async (): Promise<void> => {
    await admin.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active", [slot]);
    for (let i = 0; i < 50; i++) {
      try {
        await admin.query("SELECT pg_drop_replication_slot($1) FROM pg_replication_slots WHERE slot_name = $1", [slot]);
        return;
      } catch {
        await sleep(50);
      }
    }
  };
  await dropSlot();
  await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
  await admin.query(`CREATE DATABASE "${database}" ENCODING 'UTF8' TEMPLATE template0`);
  const bench = new Bench(config);
  const idle = async (): Promise<void> => {
    await sleep(300);
    while (Date.now() - bench.lastAt < 700 && bench.failure === null) await sleep(50);
  };
  const offsetsFile = existsSync(join(folder, "offsets.json"))
    ? (parse(read("offsets.json")) as { phase: string; offsets: { offset: unknown }[] }[])
    : [];
  const checkOffset = (phase: string): string | null => {
    const expected = offsetsFile.find((o) => o.phase === phase)?.offsets[0]?.offset;
    return expected === undefined ? null : difference(expected, parse(JSON.stringify(bench.offset)), `offset(${phase})`, database);
  };
  const streaming = async (): Promise<void> => {
    for (let i = 0; i < 200 && bench.failure === null; i++) {
      const { rows } = await admin.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND active", [slot]);
      if (rows.length > 0) break;
      await sleep(50);
    }
    await idle();
  };
  let problem: string | null = null;
  try {
    await sql("setup.sql");
    await bench.start();
    const steps = existsSync(join(folder, "steps.json"))
      ? (JSON.parse(read("steps.json")) as { do: string; file?: string; seconds?: number; phase?: string; slot?: string }[])
      : [{ do: "streaming" }, { do: "sql", file: "changes.sql" }, { do: "wait_idle" }];
    for (const step of steps) {
      if (step.do === "sql") {
        if (existsSync(join(folder, step.file ?? ""))) await sql(step.file ?? "");
      } else if (step.do === "streaming") await streaming();
      else if (step.do === "wait_idle" || step.do === "wait" || step.do === "wait_failed") await idle();
      else if (step.do === "sleep") await sleep(Math.min(2, step.seconds ?? 1) * 1000);
      else if (step.do === "stop" || step.do === "delete") await bench.stop();
      else if (step.do === "resume") await bench.start();
      else if (step.do === "restart") {
        await bench.stop();
        await bench.start();
      } else if (step.do === "drop_slot") await dropSlot();
      else if (step.do === "offsets") problem ??= checkOffset(step.phase ?? "");
      else return `step ${step.do} is not known here`;
    }
    await idle();
    problem ??= checkOffset("end");
    const failure = bench.failure;
    if (existsSync(join(folder, "result.json"))) {
      const result = JSON.parse(read("result.json")) as { status?: { tasks: { trace?: string }[] } };
      const trace = result.status?.tasks[0]?.trace;
      if (trace !== undefined)
        console.log(
          `  expected ${trace.slice(0, 200)}\n  got      ${(failure as { javaClass?: string } | null)?.javaClass}: ${failure?.message.slice(0, 400)}`,
        );
    } else if (failure !== null) return `task failed: ${failure.stack}\n${String((failure.cause as Error | undefined)?.stack ?? "")}`;
    return problem === null
      ? compare(parse(read("expected.json")) as Bench["records"], bench.records, database)
      : `${problem} :: ${compare(parse(read("expected.json")) as Bench["records"], bench.records, database)}`;
  } finally {
    await bench.stop();
    await dropSlot();
    await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    await admin.end();
  }
}
function compare(expected: Bench["records"], actual: Bench["records"], database: string): string | null {
  for (const topic of new Set([...expected, ...actual].map((r) => r.topic))) {
    const e = expected.filter((r) => r.topic === topic),
      a = actual.filter((r) => r.topic === topic);
    for (const r of e)
      if (Array.isArray(r.headers))
        r.headers = r.headers.map((h: { key: string; value: unknown }) =>
          /newkey|oldkey/.test(h.key)
            ? { ...h, value: "<struct>" }
            : typeof h.value === "string" && h.value.startsWith('{"schema')
              ? { ...h, value: (JSON.parse(h.value) as { payload: unknown }).payload }
              : h,
        );
    for (const r of e) for (const h of r.headers as { key: string; value: unknown }[]) if (/runId/.test(h.key)) h.value = "<any:string>";
    const d = difference(e, a, topic, database);
    if (d !== null) return d;
  }
  return null;
}

if (process.argv[1]?.endsWith("postgres-cases.ts")) {
  const [, , folder = "", url = "", ...names] = process.argv;
  let failed = 0;
  for (const name of readdirSync(folder, { withFileTypes: true })
    .filter((d) => d.isDirectory())
    .map((d) => d.name)) {
    if (names.length > 0 && !names.some((n) => (n.endsWith("*") ? name.startsWith(n.slice(0, -1)) : n === name))) continue;
    const problem = await runCase(join(folder, name), new URL(url), `g_${name.replaceAll("-", "_")}`).catch((e: unknown) =>
      String(e instanceof Error ? e.stack : e),
    );
    if (problem !== null) failed++;
    console.log(problem === null ? `PASS ${name}` : `FAIL ${name} ${problem}`);
  }
  process.exit(failed > 0 ? 1 : 0);
}
