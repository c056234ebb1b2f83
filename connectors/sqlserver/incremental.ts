/** The SQL of incremental snapshots: watermarks in the signal table, chunks by key. */
import { chunkConditions } from "../cdc/incremental-snapshot/conditions.ts";
import { OwnSession } from "../cdc/incremental-snapshot/own-session.ts";
import type { ChunkAnswer, ChunkRequest, ChunkRow, IncrementalDatabase, KeyValues, Watermark } from "../cdc/incremental-snapshot/port.ts";
import { closeWindow, openWindow, type SignalTable } from "../cdc/incremental-snapshot/watermark-rows.ts";
import type { Table } from "../cdc/table-model.ts";
import { fromOf, type TableName } from "./catalog.ts";
import { literal, quoted } from "./change-tables/statements.ts";
import { Session } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import { keyDialect, keyValues } from "./key-values.ts";
import type { PlannedTable } from "./plans.ts";
import { RowBytes } from "./row-bytes.ts";
import type { SqlServer } from "./server-settings.ts";

export interface IncrementalReads {
  readonly context: DatabaseContext;
  readonly server: SqlServer;
  readonly session: () => Promise<Session>;
  /** database.schema.table */
  readonly signalTable: string;
  readonly deletes: boolean;
}
/** `database.schema.table`; only the table's own name may hold dots. */
export function nameOf(id: string): TableName {
  const [database = "", schema = "", ...table] = id.split(".");
  return { database, schema, table: table.join(".") };
}
function signalTable(session: Session, signals: string): SignalTable {
  const table = fromOf(nameOf(signals));
  return {
    insert: (...values) => session.run(`INSERT INTO ${table} VALUES (${values.map(literal).join(", ")})`),
    delete: (id) => session.run(`DELETE FROM ${table} WHERE id = ${literal(id)}`),
  };
}
interface ChunkQuery {
  readonly table: Table;
  readonly key: readonly string[];
  readonly after: KeyValues | null;
  readonly upTo: KeyValues;
  readonly filter: string | null;
  readonly maxRows: number;
}
export class SqlServerChunks implements IncrementalDatabase<PlannedTable> {
  readonly #s: IncrementalReads;
  readonly #session: OwnSession<Session>;

  constructor(settings: IncrementalReads) {
    this.#s = settings;
    const { server } = settings;
    this.#session = new OwnSession(() =>
      Session.open({ ...server, readOnly: false, applicationName: `${server.applicationName} incremental` }),
    );
  }
  async openWindow(watermark: Watermark): Promise<void> {
    await openWindow(signalTable(await this.#session.get(), this.#s.signalTable), watermark);
  }
  async closeWindow(watermark: Watermark): Promise<void> {
    await closeWindow(signalTable(await this.#session.get(), this.#s.signalTable), this.#s.deletes, watermark);
  }
  async readChunk({ collection, after, maximum, maxRows }: ChunkRequest): Promise<ChunkAnswer<PlannedTable>> {
    const { tracker, plans } = this.#s.context;
    const table = tracker.table(nameOf(collection.id));
    if (table === undefined) return "UNKNOWN_SCHEMA";
    const key = collection.surrogateKey === null ? plans.keyOf(table) : [collection.surrogateKey];
    if (key.length === 0) return "NO_PRIMARY_KEY";
    const session = await this.#session.get();
    const upTo = maximum ?? (await this.#maximum(session, table, key, collection.filter));
    if (upTo === null) return "EMPTY";
    const selected = plans.selected(table);
    const columns = [...selected, ...key.filter((k) => !selected.includes(k))];
    const planned = plans.plan(table, columns);
    const statement = this.#statement(planned, { table, key, after, upTo, filter: collection.filter, maxRows });
    const values = await session.rows(statement);
    const last = values.at(-1);
    if (last === undefined) return "SUCCEEDED";
    const lastKey = keyValues(
      table,
      key,
      key.map((k) => last[columns.indexOf(k)]),
    );
    const bytes = new RowBytes();
    const rows = values.map((row): ChunkRow => {
      const size = bytes.row(planned.types, row, 0);
      const { plan } = planned;
      return {
        keyText: plan.keyText(bytes, bytes.bytes),
        key: plan.key(bytes, bytes.bytes),
        row: plan.row(bytes, bytes.bytes),
        bytes: size,
      };
    });
    return { maximum: upTo, chunk: { plan: planned, rows, lastKey } };
  }
  async #maximum(session: Session, table: Table, key: readonly string[], filter: string | null): Promise<KeyValues | null> {
    const planned = this.#s.context.plans.plan(table, key);
    const order = key.map((k) => `${quoted(k)} DESC`).join(", ");
    const where = filter === null ? "" : ` WHERE ${filter}`;
    const row = await session.first(
      `SELECT TOP (1) ${planned.select.join(", ")} FROM ${fromOf(planned.name)}${where} ORDER BY ${order}${this.#option()}`,
    );
    return row === null ? null : keyValues(table, key, row);
  }
  #statement(planned: PlannedTable, { table, key, after, upTo, filter, maxRows }: ChunkQuery): string {
    const conditions = chunkConditions(key, after, upTo, filter, keyDialect(table, key));
    return `SELECT TOP (${maxRows}) ${planned.select.join(", ")} FROM ${fromOf(planned.name)} WHERE ${conditions} ORDER BY ${key.map(quoted).join(", ")}${this.#option()}`;
  }
  #option(): string {
    return this.#s.context.settings.all.bool("incremental.snapshot.option.recompile") ? " OPTION (RECOMPILE)" : "";
  }
  reset(): Promise<void> {
    return this.#session.close();
  }
}
