/**
 * Incremental snapshots (DBLog): tables are read in chunks by key while streaming goes on. Each chunk is read between two
 * watermarks written into the signal table; rows that change between them are taken from the stream instead. The state
 * is part of the offset, so a snapshot goes on after a restart and repeats one chunk at most.
 */
import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import { anchored } from "../cdc/expressions.ts";
import type { Notifier } from "../cdc/notifications.ts";
import type { SnapshotRequest } from "../cdc/signals.ts";
import { type CatalogTable, listTables, readTable } from "./catalog.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { TablePlans } from "./plans.ts";
import type { CopyConsumer, RawSession } from "./raw-session.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";
import type { TablePlan } from "./table-plan.ts";

interface Collection {
  readonly id: string;
  readonly filter: string | null;
  readonly surrogateKey: string | null;
}
interface ChunkRow {
  readonly text: string;
  readonly key: Struct | null;
  readonly row: Struct;
  readonly bytes: number;
}
export interface IncrementalSettings {
  /** schema.table */
  readonly signalTable: string;
  readonly chunkSize: number;
  /** The closing watermark deletes the opening one, instead of adding a row. */
  readonly deletes: boolean;
  readonly plans: TablePlans;
  readonly sql: () => Promise<Client>;
  readonly openSession: () => Promise<RawSession>;
  readonly notifier: Notifier;
  readonly emit: (plan: TablePlan, key: Struct | null, row: Struct, bytes: number) => void;
  readonly warn: (message: string) => void;
}

/** Collects the rows of one chunk; a chunk is small, so it is never not ready. */
class ChunkReader implements CopyConsumer {
  readonly ready = true;
  readonly rows: ChunkRow[] = [];
  lastKey: readonly (string | null)[] = [];
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
    this.rows.push({ text: this.#plan.keyText(scan, b), key: this.#plan.key(scan, b), row: this.#plan.row(scan, b), bytes: end - start });
  }
}

export class IncrementalSnapshot {
  readonly #s: IncrementalSettings;
  #collections: Collection[] = [];
  #correlation = "";
  #paused = false;
  #lastKey: readonly (string | null)[] | null = null;
  #maximumKey: readonly (string | null)[] | null = null;
  #scanned = 0;
  #reading = false;
  #window: {
    readonly id: string;
    readonly plan: TablePlan | null;
    readonly rows: readonly ChunkRow[];
    readonly lastKey: readonly (string | null)[];
  } | null = null;
  #openId: string | null = null;
  readonly #changed = new Set<string>();
  #session: RawSession | null = null;

  constructor(settings: IncrementalSettings) {
    this.#s = settings;
  }
  /** schema.table */
  get signalTable(): string {
    return this.#s.signalTable;
  }
  get active(): boolean {
    return this.#collections.length > 0;
  }
  /** Goes on where a stored offset says. */
  restore(offset: SourceOffset): void {
    const collections = offset["incremental_snapshot_collections"];
    if (typeof collections !== "string") return;
    const stored = JSON.parse(collections) as readonly Readonly<Record<string, string | null>>[];
    this.#collections = stored.map((c) => ({
      id: c["incremental_snapshot_collections_id"] ?? "",
      filter: c["incremental_snapshot_collections_additional_condition"] ?? null,
      surrogateKey: c["incremental_snapshot_collections_surrogate_key"] ?? null,
    }));
    this.#correlation = String(offset["incremental_snapshot_correlation_id"] ?? "");
    const keyOf = (value: unknown): readonly string[] | null =>
      // Keys in Java's serialised form cannot be read: that table is then read from its beginning.
      typeof value === "string" && value.startsWith("json:") ? (JSON.parse(value.slice(5)) as readonly string[]) : null;
    this.#lastKey = keyOf(offset["incremental_snapshot_primary_key"]);
    this.#maximumKey = this.#lastKey === null ? null : keyOf(offset["incremental_snapshot_maximum_key"]);
  }
  /** Keys of the offset while a snapshot is running. */
  offset(): Readonly<Record<string, OffsetValue>> {
    if (!this.active) return {};
    return {
      incremental_snapshot_correlation_id: this.#correlation,
      incremental_snapshot_collections: JSON.stringify(
        this.#collections.map((c) => ({
          incremental_snapshot_collections_id: c.id,
          incremental_snapshot_collections_additional_condition: c.filter,
          incremental_snapshot_collections_surrogate_key: c.surrogateKey,
        })),
      ),
      ...(this.#maximumKey === null ? {} : { incremental_snapshot_maximum_key: `json:${JSON.stringify(this.#maximumKey)}` }),
      ...(this.#lastKey === null ? {} : { incremental_snapshot_primary_key: `json:${JSON.stringify(this.#lastKey)}` }),
    };
  }
  /** `tables`: ids of all captured tables, which the request's expressions choose from. */
  execute(id: string, request: SnapshotRequest, tables: readonly string[]): void {
    const wanted = request.collections.flatMap((expression) => {
      const pattern = anchored(expression, "data-collections");
      return tables.filter((t) => pattern.test(t) && t !== this.#s.signalTable);
    });
    const wasActive = this.active;
    for (const table of new Set(wanted)) {
      // A signal of a channel that was served before a restart, but not marked as served.
      if (wasActive && id === this.#correlation && this.#collections.some((c) => c.id === table)) continue;
      const condition = request.conditions.find((c) => anchored(c.collection, "additional-conditions").test(table));
      this.#collections.push({ id: table, filter: condition?.filter ?? null, surrogateKey: request.surrogateKey });
    }
    if (wasActive || !this.active) return;
    this.#correlation = id;
    this.#notify("STARTED", { data_collections: this.#ids() });
    this.next();
  }
  pause(): void {
    if (!this.active || this.#paused) return;
    this.#paused = true;
    this.#notify("PAUSED", { data_collections: this.#ids() });
  }
  resume(): void {
    if (!this.active || !this.#paused) return;
    this.#paused = false;
    this.#notify("RESUMED", { data_collections: this.#ids() });
    if (this.#window === null) this.next();
  }
  /** Empty: all collections. */
  stop(collections: readonly string[]): void {
    if (!this.active) return;
    const patterns = collections.map((c) => anchored(c, "data-collections"));
    const kept = collections.length === 0 ? [] : this.#collections.filter((c) => !patterns.some((p) => p.test(c.id)));
    if (kept[0] !== this.#collections[0]) {
      this.#window = null;
      this.#tableDone();
    }
    const all = kept.length === 0;
    const ids = this.#ids();
    this.#collections = kept;
    this.#notify(all ? "ABORTED" : "STOPPED", all ? {} : { data_collections: ids });
    if (!all && this.#window === null) this.next();
  }
  /** A change of a captured table came from the stream. */
  changed(plan: TablePlan, keyText: () => string): void {
    if (this.#openId !== null && plan.id === this.#collections[0]?.id) this.#changed.add(keyText());
  }
  opened(id: string): void {
    if (id !== this.#openId) this.#changed.clear();
    this.#openId = id;
  }
  /** The closing watermark came: what did not change in between is sent, and the next chunk is read. */
  closed(id: string): void {
    const window = this.#window;
    if (window === null || id !== window.id) return;
    this.#window = null;
    this.#openId = null;
    const plan = window.plan;
    if (plan !== null) {
      for (const row of window.rows) if (!this.#changed.has(row.text)) this.#s.emit(plan, row.key, row.row, row.bytes);
      this.#lastKey = window.lastKey;
      this.#notify("IN_PROGRESS", {
        current_collection_in_progress: plan.id,
        maximum_key: (this.#maximumKey ?? []).join(", "),
        last_processed_key: window.lastKey.join(", "),
        data_collections: this.#ids(),
      });
    }
    this.#changed.clear();
    if (!this.#paused) this.next();
  }
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }
  /** Reads the next chunk, unless one is on its way. */
  next(): void {
    if (this.#reading || !this.active || this.#paused || this.#window !== null) return;
    this.#reading = true;
    let failed = false;
    this.#readChunk()
      // A failed query is tried again rather than given up with the table half read.
      .catch((error: unknown) => {
        failed = true;
        this.#s.warn(
          `a chunk of the incremental snapshot could not be read, trying again: ${error instanceof Error ? error.message : String(error)}`,
        );
        void this.close();
        setTimeout(() => this.next(), 1000).unref();
      })
      .finally(() => {
        this.#reading = false;
        // The closing watermark may have come back before its own statement had ended.
        if (!failed) this.next();
      });
  }
  #ids(): string {
    return this.#collections.map((c) => c.id).join(",");
  }
  #notify(type: string, data: Readonly<Record<string, string>>): void {
    this.#s.notifier.send("Incremental Snapshot", type, data, this.#correlation);
  }
  #tableDone(): void {
    this.#lastKey = null;
    this.#maximumKey = null;
    this.#scanned = 0;
  }
  #finishTable(status: string): void {
    const table = this.#collections[0];
    if (table !== undefined)
      this.#notify("TABLE_SCAN_COMPLETED", {
        scanned_collection: table.id,
        total_rows_scanned: String(this.#scanned),
        status,
        data_collections: this.#ids(),
      });
    this.#collections.shift();
    this.#tableDone();
    if (!this.active) this.#notify("COMPLETED", {});
  }
  async #readChunk(): Promise<void> {
    const windowId = randomUUID();
    const openedAt = new Date().toISOString();
    const id = `${windowId}-open`;
    const [schema, name] = splitId(this.#s.signalTable);
    const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
    const client = await this.#s.sql();
    await client.query(`INSERT INTO ${table} VALUES ($1, 'snapshot-window-open', $2)`, [id, `{"openWindowTimestamp": "${openedAt}"}`]);
    this.#session ??= await this.#s.openSession();
    let plan: TablePlan | null = null,
      reader: ChunkReader | null = null;
    for (let current = this.#collections[0]; current !== undefined; current = this.#collections[0]) {
      const chunk = await this.#chunkOf(current, client, this.#session);
      if (typeof chunk === "string") this.#finishTable(chunk);
      else {
        ({ plan, reader } = chunk);
        this.#scanned += reader.rows.length;
        break;
      }
    }
    const closeId = this.#s.deletes ? id : `${windowId}-close`;
    this.#window = { id: closeId, plan, rows: reader?.rows ?? [], lastKey: reader?.lastKey ?? [] };
    if (this.#s.deletes) await client.query(`DELETE FROM ${table} WHERE id = $1`, [id]);
    else
      await client.query(`INSERT INTO ${table} VALUES ($1, 'snapshot-window-close', $2)`, [
        closeId,
        `{"openWindowTimestamp": "${openedAt}", "closeWindowTimestamp": "${new Date().toISOString()}"}`,
      ]);
  }
  /** The rows after the last key, or why the table is done. */
  async #chunkOf(collection: Collection, client: Client, session: RawSession): Promise<{ plan: TablePlan; reader: ChunkReader } | string> {
    const [schema, name] = splitId(collection.id);
    const catalog = await readTable(client, schema, name);
    if (catalog === null) return "UNKNOWN_SCHEMA";
    const key = collection.surrogateKey === null ? catalog.key : [collection.surrogateKey];
    if (key.length === 0) return "NO_PRIMARY_KEY";
    this.#maximumKey ??= await maximumKey(catalog, key, collection.filter, session);
    if (this.#maximumKey === null) return "EMPTY";
    const selected = this.#s.plans.selected(catalog);
    const plan = this.#s.plans.plan(schema, name, selected, catalog, true);
    // The key is read as well where it is not among the captured columns, to know where to go on.
    const extra = key.filter((k) => !selected.some((c) => c.name === k));
    const columns = [...selected.map((c) => c.name), ...extra];
    const reader = new ChunkReader(
      plan,
      key.map((k) => columns.indexOf(k)),
    );
    await session.copyOut(chunkQuery(catalog, columns, key, this.#lastKey, this.#maximumKey, collection.filter, this.#s.chunkSize), reader);
    return reader.rows.length === 0 ? "SUCCEEDED" : { plan, reader };
  }
}

export function splitId(id: string): readonly [schema: string, table: string] {
  const at = id.indexOf(".");
  return [id.slice(0, at), id.slice(at + 1)];
}
const rowOf = (key: readonly string[]): string => `(${key.map(quoteIdentifier).join(", ")})`;
const literals = (key: readonly (string | null)[]): string => `(${key.map((k) => (k === null ? "NULL" : quoteLiteral(k))).join(", ")})`;
const nameOf = (t: CatalogTable): string => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`;

async function maximumKey(
  table: CatalogTable,
  key: readonly string[],
  filter: string | null,
  session: RawSession,
): Promise<readonly (string | null)[] | null> {
  const order = key.map((k) => `${quoteIdentifier(k)} DESC`).join(", ");
  const where = filter === null ? "" : ` WHERE ${filter}`;
  const rows = await session.query(`SELECT ${key.map(quoteIdentifier).join(", ")} FROM ${nameOf(table)}${where} ORDER BY ${order} LIMIT 1`);
  return rows[0] ?? null;
}
function chunkQuery(
  table: CatalogTable,
  columns: readonly string[],
  key: readonly string[],
  after: readonly (string | null)[] | null,
  maximum: readonly (string | null)[],
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
