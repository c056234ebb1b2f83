/** Rows of a snapshot as events, marked first, last and so on. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import { SnapshotProgress, type TableChunks } from "../cdc/snapshot-progress.ts";
import type { Lsn } from "./change-tables/lsn.ts";
import type { Row, RowConsumer } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import type { PlannedTable } from "./plans.ts";
import { RowBytes } from "./row-bytes.ts";

/** A row that waits for the next one, because only then it is known not to be the last. */
interface Held {
  readonly table: PlannedTable;
  readonly key: Struct | null;
  readonly row: Struct;
  readonly bytes: number;
  readonly first: boolean;
  readonly firstOfTable: boolean;
  lastOfTable: boolean;
  /** What a later run need not read again, once this row is written. */
  done: (() => void)[];
}
export interface SnapshotOffsets {
  readonly during: SourceOffset;
  readonly last: SourceOffset;
  /** What source blocks say: of a snapshot next to the stream, where the stream is. */
  readonly at: { readonly commit: Lsn | null; readonly change: Lsn | null; readonly serial: number | null };
  /** Null: a restart begins anew. */
  readonly progress: SnapshotProgress | null;
}
export class SnapshotReader implements RowConsumer {
  readonly #c: DatabaseContext;
  readonly #o: SnapshotOffsets;
  readonly #bytes = new RowBytes();
  #offset: SourceOffset;
  #table: PlannedTable | null = null;
  #held: Held | null = null;
  #source: Struct | null = null;
  rows = 0;
  tableRows = 0;

  constructor(context: DatabaseContext, offsets: SnapshotOffsets) {
    this.#c = context;
    this.#o = offsets;
    this.#offset = { ...offsets.during, ...offsets.progress?.keys() };
  }
  get ready(): boolean {
    return !this.#c.events.full;
  }
  table(table: PlannedTable): void {
    this.#table = table;
    this.#source = null;
    this.tableRows = 0;
  }
  row(values: Row): void {
    const table = this.#table;
    if (table === null) return;
    if (this.#held !== null) this.#release(this.#held);
    const size = this.#bytes.row(table.types, values, 0);
    this.#held = {
      table,
      key: table.plan.key(this.#bytes, this.#bytes.bytes),
      row: table.plan.row(this.#bytes, this.#bytes.bytes),
      bytes: size,
      first: this.rows === 0,
      firstOfTable: this.tableRows === 0,
      lastOfTable: false,
      done: [],
    };
    this.rows++;
    this.tableRows++;
    if (this.#c.events.full) this.#c.events.flush();
  }
  endOfChunk(id: string, chunks: TableChunks, chunk: number): void {
    this.#after(() => this.#o.progress?.chunkDone(id, chunks, chunk));
    this.#c.events.flush();
  }
  endOfTable(id: string, shape: string): void {
    if (this.#held !== null && this.#held.table === this.#table) this.#held.lastOfTable = true;
    this.#after(() => this.#o.progress?.tableComplete(id, shape));
  }
  /** Sends the last row. */
  finish(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#emit(held, "last", this.#o.last);
    this.#c.events.flush();
  }
  #after(done: () => void): void {
    if (this.#held !== null) {
      this.#held.done.push(done);
      return;
    }
    done();
    this.#offset = { ...this.#o.during, ...this.#o.progress?.keys() };
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
    if (held.done.length === 0) return;
    for (const done of held.done) done();
    this.#offset = { ...this.#o.during, ...this.#o.progress?.keys() };
  }
  #emit(held: Held, marker: SnapshotMarker, offset: SourceOffset): void {
    const { events, source } = this.#c;
    events.tick();
    const { commit, change, serial } = this.#o.at;
    const block =
      marker === "true"
        ? (this.#source ??= source.block(held.table.name, marker, commit, change, serial, true))
        : source.block(held.table.name, marker, commit, change, serial);
    events.upsert(held.table.plan, "r", held.key, null, held.row, block, null, offset, held.bytes);
  }
}
