/** The schema history: recovery to a place and no further, gaps, order, files cut off by a crash, checkpoints, many statements. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileCheckpoints, topicCheckpoints } from "#connectors/cdc/schema-history/checkpoints";
import type {
  Checkpoint,
  HistoryCheckpoints,
  HistoryRecord,
  HistoryStore,
  HistoryTarget,
  JsonObject,
} from "#connectors/cdc/schema-history/history";
import { historyJson, parseHistory, parseTableId } from "#connectors/cdc/schema-history/history-json";
import { RecordedHistory } from "#connectors/cdc/schema-history/schema-history";
import { FileStore, memoryStore } from "#connectors/cdc/schema-history/stores";
import type { OwnTopic } from "#connect/api/connector";
import { beginsSnapshot, replayed } from "#connectors/mysql/ddl/replay";
import { MysqlSchema } from "#connectors/mysql/ddl/schema";

const SOURCE = { server: "a" };
const log = { debug() {}, info() {}, warn() {}, error() {} };
const record = (pos: number, ddl: string, more: Partial<HistoryRecord> = {}): HistoryRecord => ({
  source: SOURCE,
  position: { file: "b.1", pos, ...(pos === 0 && { snapshot: "INITIAL" }) },
  tsMs: 1,
  databaseName: "d",
  schemaName: null,
  ddl,
  tableChanges: [],
  ...more,
});
const START = record(0, "SET character_set_server=utf8mb4", { databaseName: "" });
const history = (store: HistoryStore, checkpoints: HistoryCheckpoints | null = null): RecordedHistory =>
  new RecordedHistory({
    store,
    checkpoints,
    source: SOURCE,
    atOrBefore: (p, limit) => Number(p["pos"]) <= Number(limit["pos"]),
    catalogFirst: true,
    begins: beginsSnapshot,
    log,
  });
interface Built {
  readonly target: HistoryTarget;
  tables(): string[];
  readonly seen: (string | null)[];
}
function target(): Built {
  const schema = new MysqlSchema({ flavor: "mysql" });
  const seen: (string | null)[] = [];
  let loaded: readonly string[] = [];
  return {
    seen,
    tables: () => [...loaded, ...[...schema.tables.values()].map((t) => `${t.id.table}(${t.columns.map((c) => c.name).join()})`)],
    target: {
      apply(r) {
        seen.push(r.ddl);
        replayed(schema, r);
      },
      state: {
        save: () => ({ tables: [...loaded, ...[...schema.tables.values()].map((t) => t.id.table)] }),
        load: (s) => (loaded = Array.isArray(s["tables"]) ? s["tables"].map(String) : []),
      },
    },
  };
}
const at = (pos: number): JsonObject => ({ file: "b.1", pos });
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "history-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const fileStore = (): FileStore => new FileStore("h", async () => join(folder, "h.dat"));

describe.each([
  ["memory", memoryStore],
  ["file", fileStore],
] as const)("%s", (_name, store) => {
  test("recovers what is at or before the position, not what comes after", async () => {
    const kept = store();
    const h = history(kept);
    await h.initialize();
    expect([await h.storageExists(), await h.exists()]).toEqual([true, false]);
    await h.record([START, record(10, "CREATE TABLE t (a int)")]);
    await h.record([record(20, "ALTER TABLE t ADD b int"), record(30, "ALTER TABLE t ADD c int")]);
    const built = target();
    expect(await history(kept).recover(at(25), built.target)).toEqual({ applied: 3, skipped: 1, last: at(20), spared: 0 });
    expect(built.tables()).toEqual(["t(a,b)"]);
    await h.close();
  });
  test("a record that was written again after a later one of its table does not take the table back", async () => {
    const kept = store();
    await kept.create();
    const made = target();
    const written = (pos: number, ddl: string): HistoryRecord => {
      const schema = new MysqlSchema({ flavor: "mysql" });
      for (const sql of [
        "CREATE TABLE t (a int)",
        ...(pos > 10 ? ["ALTER TABLE t ADD b int"] : []),
        ...(pos > 20 ? ["ALTER TABLE t ADD c int"] : []),
      ])
        schema.apply(sql, { database: "d" });
      const id = { catalog: "d", schema: null, table: "t" };
      const table = schema.tables.get(id);
      if (table === undefined) throw new Error("no table");
      return record(pos, ddl, { tableChanges: [{ type: pos === 10 ? "CREATE" : "ALTER", id, previousId: null, table }] });
    };
    const first = [written(10, "CREATE TABLE t (a int)"), written(20, "ALTER TABLE t ADD b int"), written(30, "ALTER TABLE t ADD c int")];
    await history(kept).record([START, ...first, ...first.slice(1, 2)]);
    expect(await history(kept).recover(at(40), made.target)).toMatchObject({ applied: 4, skipped: 1 });
    expect(made.tables()).toEqual(["t(a,b,c)"]);
    // A whole round again ends where it ended.
    await history(kept).record(first);
    const again = target();
    await history(kept).recover(at(40), again.target);
    expect(again.tables()).toEqual(["t(a,b,c)"]);
    await kept.close();
  });
  test("another source's records are left alone", async () => {
    const kept = store();
    await kept.create();
    await history(kept).record([START, record(5, "CREATE TABLE x (a int)", { source: { server: "b" } })]);
    const built = target();
    await history(kept).recover(at(25), built.target);
    expect(built.tables()).toEqual([]);
    await kept.close();
  });
  test("empty, and nothing of this source: says so", async () => {
    const kept = store();
    await kept.create();
    await expect(history(kept).recover(at(1), target().target)).rejects.toThrow(/it is empty.*snapshot\.mode/s);
    await history(kept).record([record(5, "CREATE TABLE x (a int)", { source: { server: "b" } })]);
    await expect(history(kept).recover(at(9), target().target)).rejects.toThrow(/no record of this connector/);
    await kept.close();
  });
});
describe("one after the other", () => {
  test("a record that is given during recovery waits for it; a second recovery is refused", async () => {
    const inner = memoryStore();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const calls: string[] = [];
    const slow: HistoryStore = {
      ...inner,
      async *read(from) {
        calls.push("read");
        await gate;
        yield* inner.read(from);
        calls.push("read to the end");
      },
      async append(records) {
        calls.push("append");
        await inner.append(records);
      },
    };
    await inner.append([historyJson(START)]);
    const h = history(slow);
    const built = target();
    const recovery = h.recover(at(9), built.target);
    const recording = h.record([record(5, "CREATE TABLE t (a int)")]);
    expect(() => h.recover(at(9), built.target)).toThrow(/once/);
    open();
    await Promise.all([recovery, recording]);
    expect(calls).toEqual(["read", "read to the end", "append"]);
    expect(built.seen).toEqual([START.ddl]);
  });
  test("a record that cannot be written does not count, and the next one can", async () => {
    const inner = memoryStore();
    let fails = true;
    const h = history({
      ...inner,
      append: async (r) => {
        if (fails) throw new Error("disk full");
        await inner.append(r);
      },
    });
    await expect(h.record([START])).rejects.toThrow("disk full");
    fails = false;
    await h.record([record(5, "CREATE TABLE t (a int)")]);
    expect(await inner.range()).toEqual({ start: 0, end: 1 });
  });
});
describe("gaps", () => {
  const cut = (store: HistoryStore, start: number): HistoryStore => ({
    ...store,
    range: async () => ({ start, end: (await store.range())?.end ?? 0 }),
    read: (from) => store.read(Math.max(from, start)),
  });
  test("a beginning that was deleted is named, unless a snapshot begins with what is left", async () => {
    const kept = memoryStore();
    await history(kept).record([START, record(10, "CREATE TABLE t (a int)"), record(20, "ALTER TABLE t ADD b int")]);
    await expect(history(cut(kept, 1)).recover(at(30), target().target)).rejects.toThrow(/records before 1 were deleted/);
    await history(kept).record([
      { ...START, position: { file: "b.1", pos: 30, snapshot: "INITIAL" } },
      record(30, "CREATE TABLE u (a int)"),
    ]);
    const built = target();
    await history(cut(kept, 3)).recover(at(30), built.target);
    expect(built.tables()).toEqual(["u(a)"]);
  });
  test("no storage", async () => {
    await expect(history(fileStore()).recover(at(1), target().target)).rejects.toThrow(/file h.*it is missing/);
  });
  test("a record that cannot be read is left out with a warning, the ones behind it count", async () => {
    const kept = memoryStore();
    await kept.append([historyJson(START), "{", "[]", historyJson(record(5, "CREATE TABLE t (a int)"))]);
    const built = target();
    expect((await history(kept).recover(at(9), built.target)).applied).toBe(2);
  });
});
describe("file", () => {
  test("a line that a crash cut off is not read, and not in the way of the next", async () => {
    const first = history(fileStore());
    await first.record([START]);
    await first.close();
    await appendFile(join(folder, "h.dat"), '{"source":{"server":"a"},"posit');
    const built = target();
    await history(fileStore()).recover(at(9), built.target);
    expect(built.seen).toEqual([START.ddl]);
    const second = history(fileStore());
    await second.record([record(5, "CREATE TABLE t (a int)")]);
    await second.close();
    const lines = (await readFile(join(folder, "h.dat"), "utf8")).split("\n");
    expect(lines.map((l) => l.slice(0, 11))).toEqual(['{"source":{', '{"source":{', ""]);
  });
});
describe("records", () => {
  test("Debezium's text there and back", () => {
    const text =
      '{"source":{"server":"a"},"position":{"file":"b.1","pos":4},"ts_ms":1,"databaseName":"d","ddl":"CREATE TABLE t (a int)","tableChanges":' +
      '[{"type":"CREATE","id":"\\"d\\".\\"t\\"","table":{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":[],"columns":[{"name":"a","jdbcType":4,' +
      '"typeName":"INT","typeExpression":"INT","charsetName":null,"position":1,"optional":true,"autoIncremented":false,"generated":false,"comment":null,' +
      '"hasDefaultValue":true,"enumValues":[]}],"attributes":[]},"comment":null}]}';
    const parsed = parseHistory(text, true);
    expect(parsed).not.toBeNull();
    if (parsed !== null) expect(historyJson(parsed)).toBe(text);
  });
  test("ids", () => {
    expect(parseTableId('"a"."b""c"."d.e"', true)).toEqual({ catalog: "a", schema: 'b"c', table: "d.e" });
    expect(parseTableId('"a"."b"', true)).toEqual({ catalog: "a", schema: null, table: "b" });
    expect(parseTableId('"a"."b"', false)).toEqual({ catalog: null, schema: "a", table: "b" });
  });
});

function memoryTopic(): OwnTopic & { readonly log: { offset: number; key: string | null; value: string | null }[] } {
  const kept: { offset: number; key: string | null; value: string | null }[] = [];
  return {
    log: kept,
    range: async () => ({ start: 0, end: kept.length }),
    create: async () => {},
    async *read(from) {
      yield* kept.slice(from);
    },
    async append(records) {
      for (const r of records) kept.push({ offset: kept.length, ...r });
    },
    close: async () => {},
  };
}
describe("checkpoints", () => {
  const many = (count: number): HistoryRecord[] => [
    START,
    ...Array.from({ length: count }, (_, i) => record(i + 1, `CREATE TABLE t${i} (a int)`)),
  ];
  const places = [
    ["file", () => fileCheckpoints(async () => join(folder, "h.checkpoint"))],
    ["topic", () => topicCheckpoints(memoryTopic())],
  ] as const;
  test.each(places)("%s: the next start reads the tail only", async (_name, open) => {
    const kept = memoryStore();
    const checkpoints = open();
    await history(kept).record(many(6_000));
    expect((await history(kept, checkpoints).recover(at(5_500), target().target)).spared).toBe(0);
    const built = target();
    const again = await history(kept, checkpoints).recover(at(6_000), built.target);
    expect(again).toMatchObject({ spared: 5_501, applied: 500, last: at(6_000) });
    expect(built.tables()).toHaveLength(6_000);
    // A restart point before it: everything is read again.
    expect((await history(kept, checkpoints).recover(at(100), target().target)).applied).toBe(101);
  });
  test("another log with the same places is not taken for this one", async () => {
    const checkpoints = fileCheckpoints(async () => join(folder, "h.checkpoint"));
    const first = memoryStore();
    await history(first).record(many(6_000));
    await history(first, checkpoints).recover(at(6_000), target().target);
    const second = memoryStore();
    await history(second).record(many(6_500).map((r) => ({ ...r, tsMs: 2 })));
    expect((await history(second, checkpoints).recover(at(9_000), target().target)).spared).toBe(0);
  });
  test("one that cannot be read costs time only", async () => {
    await writeFile(join(folder, "h.checkpoint"), "{");
    const kept = memoryStore();
    await history(kept).record(many(3));
    const found = await history(
      kept,
      fileCheckpoints(async () => join(folder, "h.checkpoint")),
    ).recover(at(9), target().target);
    expect(found.applied).toBe(4);
  });
  test("parts of different ones do not make one", async () => {
    const topic = memoryTopic();
    const checkpoints = topicCheckpoints(topic);
    const big = (mark: string): Checkpoint => ({ next: 1, position: {}, mark, state: { text: mark.repeat(150_000) } });
    await checkpoints.save("s", big("a"));
    expect((await checkpoints.load("s"))?.mark).toBe("a");
    const before = topic.log.length;
    await checkpoints.save("s", big("b"));
    expect((await checkpoints.load("s"))?.mark).toBe("b");
    topic.log.splice(before + 1);
    expect(await checkpoints.load("s")).toBeNull();
    expect(await checkpoints.load("other")).toBeNull();
  });
});
test("10,000 statements with their tables are recovered in a few seconds", async () => {
  const kept = memoryStore();
  const schema = new MysqlSchema({ flavor: "mysql" });
  const columns = Array.from({ length: 8 }, (_, i) => `c${i} varchar(20) NOT NULL DEFAULT 'x' COMMENT 'y'`).join(", ");
  const records: HistoryRecord[] = [START];
  for (let i = 0; i < 10_000; i++) {
    const ddl =
      i < 500
        ? `CREATE TABLE t${i} (id int PRIMARY KEY, ${columns})`
        : `ALTER TABLE t${i % 500} ADD x${i} int, ALTER c1 SET DEFAULT '${i}'`;
    const { events } = schema.apply(ddl, { database: "d" });
    records.push(record(i + 1, ddl, { tableChanges: events.flatMap((e) => e.changes) }));
  }
  await history(kept).record(records);
  const built = target();
  const began = performance.now();
  expect((await history(kept).recover(at(20_000), built.target)).applied).toBe(10_001);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(built.tables()).toHaveLength(500);
}, 60_000);
