/** `skip.messages.without.change`: updates that leave what is captured as it was, which Debezium 3.4 passes over on both servers. */
import { expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import type { EventWriter } from "#connectors/cdc/event-writer";
import type { Column, Table } from "#connectors/cdc/table-model";
import { COLUMN_TYPE } from "#connectors/mysql/binlog/column-types";
import type { RowImage, RowsEvent, TableColumn } from "#connectors/mysql/binlog/types";
import { TablePlans } from "#connectors/mysql/plans";
import { type RowContext, writeRow } from "#connectors/mysql/row-events";
import { taskSettings } from "#connectors/mysql/task-settings";
import { columnOf } from "../../fakes/columns.ts";

const int = (name: string): Column => columnOf(name, { optional: name !== "id" });
const cell = { type: COLUMN_TYPE.LONG, length: 0, scale: 0, nullable: true } as Partial<TableColumn> as TableColumn;

/** Rows of id, x and z; z is not captured. */
function updates(settings: Readonly<Record<string, string>>, ...rows: readonly (readonly [before: number[], after: number[]])[]): string[] {
  const s = taskSettings(
    "mysql",
    { "topic.prefix": "p", "database.hostname": "h", "database.user": "u", "column.exclude.list": "d.t.z", ...settings },
    0,
    0,
    () => {},
  );
  const table: Table = {
    id: { catalog: "d", schema: null, table: "t" },
    primaryKeyColumnNames: ["id"],
    columns: [int("id"), int("x"), int("z")],
    defaultCharsetName: null,
    comment: null,
    attributes: [],
  };
  const plan = new TablePlans(s.planSettings(new Map())).plan(table, { kind: "binlog", columns: [cell, cell, cell] });
  const seen: string[] = [];
  const context = {
    events: { upsert: (_p, op) => seen.push(op), keyChange: () => seen.push("key") } as Partial<EventWriter> as EventWriter,
    skipped: s.skipped,
    skipsUnchanged: s.skipsUnchanged,
    signals: null,
    source: () => new Struct(plan.rowSchema, []),
    block: () => {
      seen.push("counted");
      return null;
    },
    offset: {},
    advance: () => ({}),
    hold: () => {},
  } satisfies RowContext;
  for (const [before, after] of rows) {
    const bytes = Buffer.alloc(24);
    [...before, ...after].forEach((value, i) => bytes.writeInt32LE(value, i * 4));
    const image = (from: number): RowImage => ({
      count: 3,
      starts: Int32Array.from([0, 4, 8], (at) => from + at),
      ends: Int32Array.from([4, 8, 12], (at) => from + at),
      forms: new Uint8Array(3),
    });
    const event = { kind: "rows", change: "update", bytes, partialJson: false } as Partial<RowsEvent> as RowsEvent;
    writeRow(context, event, plan, image(0), image(12), 24);
  }
  return seen;
}
const ROWS = [
  [
    [1, 1, 1],
    [1, 1, 2],
  ],
  [
    [1, 1, 2],
    [1, 2, 2],
  ],
  [
    [1, 2, 2],
    [5, 2, 3],
  ],
] as const satisfies readonly (readonly [readonly number[], readonly number[]])[];
const rows = ROWS.map(([before, after]): [number[], number[]] => [[...before], [...after]]);

test("an update of columns that are not captured alone is left out, and not counted in its transaction", () => {
  expect(updates({ "skip.messages.without.change": "true" }, ...rows)).toEqual(["counted", "u", "key"]);
});
test("it is an event where the setting does not say so", () => {
  expect(updates({}, ...rows)).toEqual(["counted", "u", "counted", "u", "key"]);
});
