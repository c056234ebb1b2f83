/** The captured tables of one database as the stream has them, with the history from which they are known after a restart. */
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import type { HistoryTarget, JsonObject, SchemaHistory } from "../cdc/schema-history/history.ts";
import { type Table, type TableChange, Tables } from "../cdc/table-model.ts";
import type { TableName } from "./catalog.ts";

export interface TrackerSettings {
  readonly partition: SourcePartition;
  readonly history: SchemaHistory;
}
export class SchemaTracker {
  readonly #s: TrackerSettings;
  readonly #tables = new Tables(true);

  constructor(settings: TrackerSettings) {
    this.#s = settings;
  }
  table(name: TableName): Table | undefined {
    return this.#tables.get({ catalog: name.database, schema: name.schema, table: name.table });
  }
  tables(): readonly Table[] {
    return [...this.#tables.values()];
  }
  put(table: Table): void {
    this.#tables.put(table);
  }
  /** Builds the tables as they were at a position. */
  async recover(position: SourceOffset): Promise<void> {
    const target: HistoryTarget = {
      apply: (record) => {
        for (const change of record.tableChanges) this.#tables.apply(change);
      },
      // Only a change of a table adds records: histories stay small.
      state: null,
    };
    await this.#s.history.recover(position, target);
  }
  /** Makes what a table has become durable, and known. */
  async record(changes: readonly TableChange[], ddl: string | null, position: JsonObject, tsMs: number): Promise<void> {
    for (const change of changes) this.#tables.apply(change);
    if (changes.length === 0) return;
    await this.#s.history.record(
      changes.map((change) => ({
        source: this.#s.partition,
        position,
        tsMs,
        databaseName: change.id.catalog,
        schemaName: change.id.schema,
        ddl,
        tableChanges: [change],
      })),
    );
  }
}
/** As a capture instance has it: other columns are neither in events nor in keys. */
export function limitedTo(table: Table, captured: readonly string[]): Table {
  const names = new Set(captured);
  return {
    ...table,
    columns: table.columns.filter((c) => names.has(c.name)).map((c, i) => ({ ...c, position: i + 1 })),
    primaryKeyColumnNames: table.primaryKeyColumnNames.filter((c) => names.has(c)),
  };
}
const shown = (t: Table): string => JSON.stringify([t.columns, t.primaryKeyColumnNames]);
export const sameTable = (a: Table, b: Table): boolean => shown(a) === shown(b);
