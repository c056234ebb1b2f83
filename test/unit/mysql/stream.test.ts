/** What the reader of the log does between events: statements on their way into the history, windows that open meanwhile. */
import { expect, test } from "vitest";
import type { StreamSignals } from "#connectors/cdc/signal-handler";
import { COLUMN_TYPE } from "#connectors/mysql/binlog/column-types";
import type { BinlogEvent, EventHeader, RowsEvent, TableMap, TransactionPayloadEvent } from "#connectors/mysql/binlog/types";
import { binlogReading, query } from "../../fakes/binlog-reading.ts";

const TABLE: TableMap = {
  id: 1,
  schema: "d",
  table: "n",
  primaryKey: null,
  columns: [
    {
      type: COLUMN_TYPE.LONG,
      length: 0,
      scale: 0,
      nullable: false,
      unsigned: false,
      collation: null,
      name: "id",
      members: null,
      geometryType: null,
      dimension: null,
      visible: true,
    },
  ],
};
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
