/** The initial snapshot: tables read by COPY inside one exported snapshot, rows marked first, last and so on. */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import type { CatalogTable } from "./catalog.ts";
import { readTable } from "./catalog.ts";
import type { EventWriter } from "./events.ts";
import { SourceError } from "../cdc/source-error.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { TablePlans, WireColumn } from "./plans.ts";
import { snapshotOffset } from "./position.ts";
import type { TableName } from "./publication.ts";
import type { CopyConsumer, RawSession } from "./raw-session.ts";
import { quoteIdentifier } from "./slot.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TablePlan } from "./table-plan.ts";

export interface SnapshotSettings {
  /** What offsets call it: INITIAL. */
  readonly mode: string;
  readonly lsn: number;
  readonly txId: number;
  readonly nowMicros: () => number;
  /** Statements to read tables by, instead of the whole table (`snapshot.select.statement.overrides`). */
  readonly overrides: ReadonlyMap<string, string>;
  /** Positions to carry instead of the snapshot's own (a snapshot asked for while streaming): all rows but the last, the last. */
  readonly offsets?: { readonly during: SourceOffset; readonly last: SourceOffset };
  readonly aborted: () => boolean;
  /** Told of progress: notifications and metrics. */
  readonly onTable?: (table: TableName, rows: number | null) => void;
}

/** A row that waits for the next one, because only then it is known not to be the last. */
interface Held {
  readonly plan: TablePlan;
  readonly key: Struct | null;
  readonly row: Struct;
  readonly bytes: number;
  readonly first: boolean;
  readonly firstOfTable: boolean;
  lastOfTable: boolean;
}

export class SnapshotReader implements CopyConsumer {
  readonly #s: SnapshotSettings;
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #scan = new TupleScan();
  readonly #offset: SourceOffset;
  readonly #micros: number;
  #plan: TablePlan | null = null;
  #columns = 0;
  #held: Held | null = null;
  #rows = 0;
  #tableRows = 0;
  #ticked = false;

  constructor(settings: SnapshotSettings, events: EventWriter, source: SourceInfo) {
    this.#s = settings;
    this.#events = events;
    this.#source = source;
    this.#micros = Math.floor(settings.nowMicros());
    this.#offset = settings.offsets?.during ?? snapshotOffset(settings.mode, settings.lsn, settings.txId, this.#micros, false);
    source.transaction(this.#micros, settings.txId);
    source.lastCommit(null);
  }
  get ready(): boolean {
    return !this.#events.full;
  }
  /** Of the rows before the last. */
  get offset(): SourceOffset {
    return this.#offset;
  }
  get rows(): number {
    return this.#rows;
  }
  flushed(): void {
    this.#ticked = false;
    this.#events.flush();
  }
  afterUse(done: () => void): void {
    this.#events.afterUse(done);
  }
  /** `client` and `session` are one connection each, both inside the same snapshot. */
  async read(tables: readonly TableName[], plans: TablePlans, client: Client, session: RawSession): Promise<void> {
    for (const name of tables) {
      if (this.#s.aborted()) return;
      const catalog = await readTable(client, name.schema, name.table);
      if (catalog === null) continue;
      await this.#readTable(catalog, plans, client, session);
    }
  }
  /** Sends the last row; returns the offset with which streaming begins. */
  finish(): SourceOffset {
    const held = this.#held;
    const offset = this.#s.offsets?.last ?? snapshotOffset(this.#s.mode, this.#s.lsn, this.#s.txId, this.#micros, true);
    if (held !== null) {
      this.#held = null;
      this.#events.tick();
      this.#emit(held, "last", offset);
    }
    this.#events.flush();
    return offset;
  }
  async #readTable(catalog: CatalogTable, plans: TablePlans, client: Client, session: RawSession): Promise<void> {
    const captured = plans.selected(catalog);
    if (captured.length === 0) return;
    const override = this.#s.overrides.get(`${catalog.schema}.${catalog.table}`)?.replace(/;\s*$/, "");
    const selected = override === undefined ? captured : await overrideColumns(client, override, catalog, captured);
    this.#plan = plans.plan(catalog.schema, catalog.table, selected, catalog, true);
    this.#columns = selected.length;
    this.#tableRows = 0;
    this.#s.onTable?.(catalog, null);
    const names = selected.map((c) => quoteIdentifier(c.name)).join(", ");
    const from = override ?? `SELECT ${names} FROM ${quoteIdentifier(catalog.schema)}.${quoteIdentifier(catalog.table)}`;
    await session.copyOut(`COPY (${from}) TO STDOUT`, this);
    if (this.#held !== null && this.#held.plan === this.#plan) this.#held.lastOfTable = true;
    this.#s.onTable?.(catalog, this.#tableRows);
  }
  data(b: Buffer, start: number, end: number): void {
    const plan = this.#plan;
    if (plan === null) return;
    if (!this.#ticked) {
      this.#events.tick();
      this.#ticked = true;
    }
    this.#scan.scanCopy(b, start, end - 1);
    if (this.#scan.count < this.#columns) throw tooFewColumns();
    if (this.#held !== null) this.#release(this.#held);
    this.#held = {
      plan,
      key: plan.key(this.#scan, b),
      row: plan.row(this.#scan, b),
      bytes: end - start,
      first: this.#rows === 0,
      firstOfTable: this.#tableRows === 0,
      lastOfTable: false,
    };
    this.#rows++;
    this.#tableRows++;
  }
  #release(held: Held): void {
    const marker: SnapshotMarker = held.first
      ? "first"
      : held.lastOfTable
        ? "last_in_data_collection"
        : held.firstOfTable
          ? "first_in_data_collection"
          : "true";
    this.#emit(held, marker, this.#offset);
  }
  #emit(held: Held, marker: SnapshotMarker, offset: SourceOffset): void {
    const source = this.#source.block(this.#s.lsn, held.plan.schema, held.plan.table, marker);
    this.#events.upsert(held.plan, "r", held.key, null, held.row, source, null, offset, held.bytes);
  }
}

const tooFewColumns = (): SourceError =>
  new SourceError(
    "Data row is smaller than a column index, internal schema representation is probably out of sync with real database schema",
  );

/** The columns that a statement of the user gives, in its order. Throws SourceError if a captured one is missing. */
async function overrideColumns(
  client: Client,
  statement: string,
  catalog: CatalogTable,
  captured: readonly WireColumn[],
): Promise<readonly WireColumn[]> {
  const { fields } = await client.query(`SELECT * FROM (${statement}) AS s LIMIT 0`);
  const names = new Set(fields.map((f) => f.name));
  if (captured.some((c) => !names.has(c.name))) throw tooFewColumns();
  return fields.map(
    (f) => catalog.columns.find((c) => c.name === f.name) ?? { name: f.name, typeOid: f.dataTypeID, typmod: f.dataTypeModifier },
  );
}
