/** What the reader of the log does between events: statements on their way into the history, windows that open meanwhile. */
import { describe, expect, test } from "vitest";
import type { StreamSignals } from "#connectors/cdc/signal-handler";
import { COLUMN_TYPE, type ColumnTypeCode } from "#connectors/mysql/binlog/column-types";
import type { BinlogEvent, EventHeader, RowsEvent, TableColumn, TableMap, TransactionPayloadEvent } from "#connectors/mysql/binlog/types";
import { binlogReading, query } from "../../fakes/binlog-reading.ts";

const column = (name: string, type: ColumnTypeCode): TableColumn => ({
  name,
  type,
  length: 0,
  scale: 0,
  nullable: false,
  unsigned: false,
  collation: null,
  members: null,
  geometryType: null,
  dimension: null,
  visible: true,
});
const tableMap = (table: string, ...columns: readonly TableColumn[]): TableMap => ({
  id: 1,
  schema: "d",
  table,
  primaryKey: null,
  columns,
});
const TABLE = tableMap("n", column("id", COLUMN_TYPE.LONG));
const CLOCK = tableMap("clock", column("id", COLUMN_TYPE.LONG), column("t", COLUMN_TYPE.TIME2));
/** An INSERT of one row. */
function inserted(header: EventHeader, id: number): RowsEvent {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32LE(id, 1);
  const whole = { beforeColumns: null, afterColumns: null, partialJson: false, start: 0, end: bytes.length };
  return { kind: "rows", header, change: "write", table: TABLE, endOfStatement: true, bytes, ...whole };
}
const inside = (header: EventHeader): EventHeader => ({ ...header, nextPosition: 0 });

/** While it is so, a task that ends begins behind the statement again only if the history has it. */
test("the position stays before a statement until the history has recorded it", async () => {
  let durable = (): void => {};
  const recorded = (): Promise<void> => new Promise((resolve) => (durable = resolve));
  const { feed, reader, settle, positions } = binlogReading("mysql", { recorded });
  await feed(query("BEGIN"), query("COMMIT"));
  const before = reader.restartOffset;
  expect(before["pos"]).toBe(104);
  const statement = feed(query("CREATE TABLE n (id int PRIMARY KEY)"));
  await settle();
  expect(positions).toHaveLength(1);
  expect([reader.ready, reader.restartOffset["pos"], reader.refresh()["pos"]]).toEqual([false, 104, 104]);
  durable();
  await statement;
  await settle();
  expect([reader.ready, reader.restartOffset["pos"]]).toEqual([true, 154]);
});

test("rows of a compressed transaction that are read when a window has opened are told to it", async () => {
  const changed: string[] = [];
  const window: StreamSignals = {
    table: null,
    inserted: () => "go",
    deleted: () => {},
    changed: (table, key) => void changed.push(`${table} ${key()}`),
    altered: () => {},
    offset: () => null,
  };
  let signals: StreamSignals | null = null;
  const { feed, reader, queue } = binlogReading("mysql", { signals: () => signals, room: 1 });
  await feed(query("CREATE TABLE n (id int PRIMARY KEY)"));
  const payload = (header: EventHeader): BinlogEvent => {
    const own = inside(header);
    const events = function* (): Generator<BinlogEvent, void, undefined> {
      yield query("BEGIN")(own);
      for (const id of [1, 2, 3]) yield inserted(own, id);
    };
    return { kind: "transactionPayload", header, events } as Partial<TransactionPayloadEvent> as TransactionPayloadEvent;
  };
  // There is room for one row; the others wait in the transaction.
  expect(await feed(payload)).toEqual(["t.d.n"]);
  signals = window;
  while (!reader.ready) {
    reader.drain();
    await queue.take(0);
  }
  expect(changed).toHaveLength(2);
  expect(changed.every((each) => each.startsWith("d.n "))).toBe(true);
});

test("store.only.captured.tables.ddl: an ALTER of a table that is not known is neither recorded nor announced", async () => {
  const statements = [
    query("CREATE TABLE n (id int PRIMARY KEY)"),
    query("ALTER TABLE never_seen ADD a int"),
    query("ALTER TABLE n ADD a int"),
  ];
  const only = binlogReading("mysql", { config: { "schema.history.internal.store.only.captured.tables.ddl": "true" } });
  expect(await only.feed(...statements)).toEqual(["t", "t"]);
  expect(only.positions).toHaveLength(2);
  const all = binlogReading("mysql", {});
  expect(await all.feed(...statements)).toEqual(["t", "t", "t"]);
  expect(all.positions).toHaveLength(3);
});

/** Rows (id, t) that one statement wrote; hours may be below 0 or above 23. */
const clocks =
  (...rows: readonly (readonly [id: number, hours: number])[]) =>
  (header: EventHeader): RowsEvent => {
    const bytes = Buffer.alloc(8 * rows.length);
    rows.forEach(([id, hours], i) => {
      bytes.writeInt32LE(id, i * 8 + 1);
      bytes.writeUIntBE(0x800000 + hours * 4096, i * 8 + 5, 3);
    });
    const whole = { beforeColumns: null, afterColumns: null, partialJson: false, start: 0, end: bytes.length };
    return { kind: "rows", header, change: "write", table: CLOCK, endOfStatement: true, bytes, ...whole };
  };
const clockTable = (definition: string): ReturnType<typeof query> => query(`CREATE TABLE clock (id int PRIMARY KEY, t time ${definition})`);
describe.each(["connect", "isostring"])("a TIME outside of a day with time.precision.mode=%s", (mode) => {
  const shown = (hours: number): unknown => (mode === "connect" ? new Date(hours * 3_600_000) : `${String(hours).padStart(2, "0")}:00:00Z`);
  const reading = (more: Readonly<Record<string, string>> = {}): ReturnType<typeof binlogReading> =>
    binlogReading("mysql", { config: { "time.precision.mode": mode, "include.schema.changes": "false", ...more } });
  test.each([24, -1, 838, -838])("stops the task in a NOT NULL column (%i hours)", async (hours) => {
    const { feed } = reading();
    await feed(clockTable("NOT NULL"));
    const type = mode === "connect" ? "INT32" : "STRING";
    const failure: unknown = await feed(clocks([1, 10], [2, hours])).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: "Error processing binlog event" });
    expect(String(Reflect.get(Object(failure), "cause"))).toContain(
      `Invalid value: null used for required field: "t", schema type: ${type} (d.clock.t: it holds a TIME outside of a day`,
    );
  });
  test("is left out where event.processing.failure.handling.mode says so; other rows of its event are there", async () => {
    const { feed, values } = reading({ "event.processing.failure.handling.mode": "warn" });
    await feed(clockTable("NOT NULL"));
    expect(await values(clocks([1, 10], [2, 24], [3, 11]))).toEqual([shown(10), shown(11)]);
  });
  test("is the default where there is one, and null in a column that may be null", async () => {
    const defaulted = reading();
    await defaulted.feed(clockTable("NOT NULL DEFAULT '01:00:00'"));
    expect(await defaulted.values(clocks([1, 10], [2, 24]))).toEqual([shown(10), shown(1)]);
    const optional = reading();
    await optional.feed(clockTable(""));
    expect(await optional.values(clocks([1, 10], [2, 24]))).toEqual([shown(10), null]);
  });
});
