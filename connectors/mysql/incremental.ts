/** The SQL of incremental snapshots: watermarks in the signal table, or the server's GTIDs (`read.only`); chunks by key. */
import type { Connection } from "mysql2/promise";
import { chunkConditions, type Dialect } from "../cdc/incremental-snapshot/conditions.ts";
import { OwnSession } from "../cdc/incremental-snapshot/own-session.ts";
import {
  chunkAnswer,
  type ChunkAnswer,
  type ChunkRequest,
  type ChunkRow,
  type IncrementalDatabase,
  type KeyValues,
  type Watermark,
} from "../cdc/incremental-snapshot/port.ts";
import { closeWindow, openWindow, type SignalTable } from "../cdc/incremental-snapshot/watermark-rows.ts";
import type { Column } from "../cdc/table-model.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import { literal, quoted } from "./catalog.ts";
import { isBinary, keyLiteral } from "./key-literals.ts";
import { keyText } from "./key-text.ts";
import type { LogWindows } from "./log-windows.ts";
import type { TablePlans } from "./plans.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { TextRow, TextRowConsumer, TextSession } from "./text-session.ts";

export interface IncrementalReads {
  /** database.table of the signal table; or how to do without one. */
  readonly watermarks: string | LogWindows;
  readonly deletes: boolean;
  readonly plans: TablePlans;
  readonly schema: SchemaTracker;
  readonly sql: () => Promise<Connection>;
  readonly openSession: () => Promise<TextSession>;
}

/** Collects the rows of one chunk; a chunk is small, so it is never not ready. */
class ChunkReader implements TextRowConsumer {
  readonly ready = true;
  readonly rows: ChunkRow[] = [];
  lastKey: KeyValues = [];
  readonly #plan: TablePlan;
  readonly #key: readonly { readonly at: number; readonly binary: boolean }[];
  constructor(plan: TablePlan, key: readonly { readonly at: number; readonly binary: boolean }[]) {
    this.#plan = plan;
    this.#key = key;
  }
  flushed(): void {}
  row(b: Buffer, row: TextRow, bytes: number): void {
    this.lastKey = this.#key.map(({ at, binary }) => {
      const start = row.starts[at] ?? -1;
      return start < 0 ? null : b.toString(binary ? "hex" : "utf8", start, row.ends[at]);
    });
    const key = this.#plan.key(row, b);
    this.rows.push({ keyText: keyText(key), key, row: this.#plan.row(row, b), bytes });
  }
}
class LastKey implements TextRowConsumer {
  readonly ready = true;
  key: KeyValues | null = null;
  readonly #binary: readonly boolean[];
  constructor(binary: readonly boolean[]) {
    this.#binary = binary;
  }
  flushed(): void {}
  row(b: Buffer, row: TextRow): void {
    this.key = this.#binary.map((binary, i) =>
      (row.starts[i] ?? -1) < 0 ? null : b.toString(binary ? "hex" : "utf8", row.starts[i], row.ends[i]),
    );
  }
}
function signalTable(sql: Connection, signals: string): SignalTable {
  const table = signals.split(".").map(quoted).join(".");
  return {
    insert: (...values) => sql.query(`INSERT INTO ${table} VALUES (${values.map(literal).join(", ")})`),
    delete: (id) => sql.query(`DELETE FROM ${table} WHERE id = ${literal(id)}`),
  };
}

export class MysqlChunks implements IncrementalDatabase<TablePlan> {
  readonly #s: IncrementalReads;
  readonly #session: OwnSession<TextSession>;

  constructor(settings: IncrementalReads) {
    this.#s = settings;
    this.#session = new OwnSession(settings.openSession);
  }
  async openWindow(watermark: Watermark): Promise<void> {
    const { watermarks } = this.#s;
    if (typeof watermarks !== "string") return watermarks.opened(watermark.openId);
    await openWindow(signalTable(await this.#s.sql(), watermarks), watermark);
  }
  async closeWindow(watermark: Watermark): Promise<void> {
    const { watermarks } = this.#s;
    if (typeof watermarks !== "string") return watermarks.closes(watermark.closeId);
    await closeWindow(signalTable(await this.#s.sql(), watermarks), this.#s.deletes, watermark);
  }
  async readChunk({ collection, after, maximum, maxRows }: ChunkRequest): Promise<ChunkAnswer<TablePlan>> {
    const [database = "", ...rest] = collection.id.split(".");
    const table = this.#s.schema.table(database, rest.join("."));
    // The history also knows tables that are not captured.
    if (table === undefined || !this.#s.plans.captures(database, table.id.table)) return "UNKNOWN_SCHEMA";
    const key = collection.surrogateKey === null ? this.#s.plans.keyOf(table) : [collection.surrogateKey];
    if (key.length === 0) return "NO_PRIMARY_KEY";
    const columnOf = (name: string): Column | undefined => table.columns.find((c) => c.name === name);
    const binary = key.map((k) => isBinary(columnOf(k)));
    const literals = key.map((k) => keyLiteral(columnOf(k)));
    const dialect: Dialect = { identifier: quoted, literal: (value, at) => literals[at]?.(value) ?? literal(value) };
    const session = await this.#session.get();
    const from = `${quoted(database)}.${quoted(table.id.table)}`;
    const upTo = maximum ?? (await maximumKey(session, from, key, binary, collection.filter));
    if (upTo === null) return "EMPTY";
    const selected = this.#s.plans.selected(table);
    const columns = [...selected, ...key.filter((k) => !selected.includes(k))];
    const plan = this.#s.plans.plan(table, { kind: "text", columns });
    const reader = new ChunkReader(
      plan,
      key.map((k, i) => ({ at: columns.indexOf(k), binary: binary[i] === true })),
    );
    await session.query(chunkQuery(from, columns, key, chunkConditions(key, after, upTo, collection.filter, dialect), maxRows), reader);
    return chunkAnswer(upTo, { plan, rows: reader.rows, lastKey: reader.lastKey });
  }
  reset(): Promise<void> {
    return this.#session.close();
  }
}
async function maximumKey(
  session: TextSession,
  from: string,
  key: readonly string[],
  binary: readonly boolean[],
  filter: string | null,
): Promise<KeyValues | null> {
  const last = new LastKey(binary);
  const where = filter === null ? "" : ` WHERE ${filter}`;
  await session.query(
    `SELECT ${key.map(quoted).join(", ")} FROM ${from}${where} ORDER BY ${key.map((k) => `${quoted(k)} DESC`).join(", ")} LIMIT 1`,
    last,
  );
  return last.key;
}
function chunkQuery(from: string, columns: readonly string[], key: readonly string[], conditions: string, maxRows: number): string {
  return `SELECT ${columns.map(quoted).join(", ")} FROM ${from} WHERE ${conditions} ORDER BY ${key.map(quoted).join(", ")} LIMIT ${maxRows}`;
}
