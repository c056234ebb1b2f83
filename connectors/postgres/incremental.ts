/** The SQL of incremental snapshots: watermarks in the signal table, chunks by COPY. */
import type { Client } from "pg";
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
import { type CatalogTable, listTables, readTable } from "./catalog.ts";
import { lsnOf } from "./pgoutput/integers.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { TablePlans } from "./plans.ts";
import type { ReadOnlyWatermarks } from "./read-only-watermarks.ts";
import type { CopyConsumer, RawSession } from "./raw-session.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";
import type { TablePlan } from "../cdc/table-plan.ts";

export interface ReadOnlyWindows {
  readonly marks: ReadOnlyWatermarks;
  /** From now on the stream's changes count. */
  readonly opened: (openId: string) => void;
  /** Asks the server how far its stream is. */
  readonly askPosition: () => void;
}
export interface IncrementalReads {
  /** schema.table; or how to do without one. */
  readonly watermarks: string | ReadOnlyWindows;
  readonly deletes: boolean;
  readonly plans: TablePlans;
  readonly sql: () => Promise<Client>;
  readonly openSession: () => Promise<RawSession>;
}

/** Collects the rows of one chunk; a chunk is small, so it is never not ready. */
class ChunkReader implements CopyConsumer {
  readonly ready = true;
  readonly rows: ChunkRow[] = [];
  lastKey: KeyValues = [];
  readonly #plan: TablePlan;
  readonly #keyCells: readonly number[];
  readonly #scan = new TupleScan();
  constructor(plan: TablePlan, keyCells: readonly number[]) {
    this.#plan = plan;
    this.#keyCells = keyCells;
  }
  flushed(): void {}
  data(b: Buffer, start: number, end: number): void {
    const scan = this.#scan;
    scan.scanCopy(b, start, end - 1);
    this.lastKey = this.#keyCells.map((i) => ((scan.starts[i] ?? -1) < 0 ? null : b.toString("utf8", scan.starts[i], scan.ends[i])));
    this.rows.push({
      keyText: this.#plan.keyText(scan, b),
      key: this.#plan.key(scan, b),
      row: this.#plan.row(scan, b),
      bytes: end - start,
    });
  }
}

export class PostgresChunks implements IncrementalDatabase<TablePlan> {
  readonly #s: IncrementalReads;
  readonly #session: OwnSession<RawSession>;

  constructor(settings: IncrementalReads) {
    this.#s = settings;
    this.#session = new OwnSession(settings.openSession);
  }
  async openWindow(watermark: Watermark): Promise<void> {
    const client = await this.#s.sql();
    const { watermarks } = this.#s;
    if (typeof watermarks !== "string") {
      watermarks.opened(watermark.openId);
      await watermarks.marks.open(async () => {
        const { rows } = await client.query<{ s: string }>("SELECT pg_catalog.pg_current_snapshot()::text AS s");
        return rows[0]?.s ?? "";
      });
      return;
    }
    await openWindow(signalTable(client, watermarks), watermark);
  }
  async closeWindow(watermark: Watermark): Promise<void> {
    const client = await this.#s.sql();
    const { watermarks } = this.#s;
    if (typeof watermarks !== "string") {
      watermarks.marks.close(await walEnd(client), watermark.closeId);
      watermarks.askPosition();
    } else await closeWindow(signalTable(client, watermarks), this.#s.deletes, watermark);
  }
  async readChunk({ collection, after, maximum, maxRows }: ChunkRequest): Promise<ChunkAnswer<TablePlan>> {
    const client = await this.#s.sql();
    const session = await this.#session.get();
    const [schema, name] = splitId(collection.id);
    const catalog = await readTable(client, schema, name);
    if (catalog === null || !this.#s.plans.captures(schema, name)) return "UNKNOWN_SCHEMA";
    const key = collection.surrogateKey === null ? catalog.key : [collection.surrogateKey];
    if (key.length === 0) return "NO_PRIMARY_KEY";
    const upTo = maximum ?? (await maximumKey(catalog, key, collection.filter, session));
    if (upTo === null) return "EMPTY";
    const selected = this.#s.plans.selected(catalog);
    const plan = this.#s.plans.plan(schema, name, selected, catalog, true);
    // The key is read as well where it is not among the captured columns, to know where to go on.
    const extra = key.filter((k) => !selected.some((c) => c.name === k));
    const columns = [...selected.map((c) => c.name), ...extra];
    const reader = new ChunkReader(
      plan,
      key.map((k) => columns.indexOf(k)),
    );
    await session.copyOut(chunkQuery(catalog, columns, key, after, upTo, collection.filter, maxRows), reader);
    return chunkAnswer(upTo, { plan, rows: reader.rows, lastKey: reader.lastKey });
  }
  reset(): Promise<void> {
    return this.#session.close();
  }
}

/** Also on a standby, where it is what was replayed. */
async function walEnd(client: Client): Promise<number> {
  const { rows } = await client.query<{ lsn: string }>(
    "SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END)::text AS lsn",
  );
  return lsnOf(rows[0]?.lsn ?? "0/0");
}
function signalTable(client: Client, signals: string): SignalTable {
  const [schema, name] = splitId(signals);
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return {
    insert: (id, type, data) => client.query(`INSERT INTO ${table} VALUES ($1, $2, $3)`, [id, type, data]),
    delete: (id) => client.query(`DELETE FROM ${table} WHERE id = $1`, [id]),
  };
}

function splitId(id: string): readonly [schema: string, table: string] {
  const at = id.indexOf(".");
  return [id.slice(0, at), id.slice(at + 1)];
}
const rowOf = (key: readonly string[]): string => `(${key.map(quoteIdentifier).join(", ")})`;
const literals = (key: KeyValues): string => `(${key.map((k) => (k === null ? "NULL" : quoteLiteral(k))).join(", ")})`;
const nameOf = (t: CatalogTable): string => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`;

async function maximumKey(
  table: CatalogTable,
  key: readonly string[],
  filter: string | null,
  session: RawSession,
): Promise<KeyValues | null> {
  const order = key.map((k) => `${quoteIdentifier(k)} DESC`).join(", ");
  const where = filter === null ? "" : ` WHERE ${filter}`;
  const rows = await session.query(`SELECT ${key.map(quoteIdentifier).join(", ")} FROM ${nameOf(table)}${where} ORDER BY ${order} LIMIT 1`);
  return rows[0] ?? null;
}
function chunkQuery(
  table: CatalogTable,
  columns: readonly string[],
  key: readonly string[],
  after: KeyValues | null,
  maximum: KeyValues,
  filter: string | null,
  size: number,
): string {
  const conditions = [
    ...(after === null ? [] : [`${rowOf(key)} > ${literals(after)}`]),
    `NOT (${rowOf(key)} > ${literals(maximum)})`,
    ...(filter === null ? [] : [`(${filter})`]),
  ];
  return `COPY (SELECT ${columns.map(quoteIdentifier).join(", ")} FROM ${nameOf(table)} WHERE ${conditions.join(" AND ")} ORDER BY ${key.map(quoteIdentifier).join(", ")} LIMIT ${size}) TO STDOUT`;
}

/** Ids of the captured tables. */
export const capturedTables = async (client: Client, plans: TablePlans): Promise<readonly string[]> =>
  (await listTables(client)).filter((t) => plans.captures(t.schema, t.table)).map((t) => `${t.schema}.${t.table}`);
