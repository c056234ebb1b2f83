/** The rows of an initial snapshot, of all its sessions: markers (first, last and so on), and offsets with the progress. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "./envelope.ts";
import type { EventWriter } from "./event-writer.ts";
import type { SnapshotProgress, TableChunks } from "./snapshot-progress.ts";
import type { TablePlan } from "./table-plan.ts";

export interface SnapshotRowsSettings {
  /** Of an earlier run of this snapshot. Offsets carry it. Null: offsets carry none. */
  readonly progress: SnapshotProgress | null;
  /** Of all rows but the last, without the progress. */
  readonly during: SourceOffset;
  /** Of the last row: streaming begins with it. */
  readonly last: SourceOffset;
  /** The `source` block. `shared`: it will stand in many records. */
  readonly source: (plan: TablePlan, marker: SnapshotMarker, shared: boolean) => Struct;
  /** Told whenever the offset changes. */
  readonly position: (offset: SourceOffset) => void;
}

/** A table that is being read. */
export interface TableRun {
  readonly id: string;
  readonly plan: TablePlan;
  readonly columns: number;
  readonly chunks: TableChunks;
  /** False: chunks mean nothing to a later run, only the whole table does. */
  readonly resumable: boolean;
  /** Chunks that are not finished. */
  left: number;
  rows: number;
  readonly held: Held;
  /** Of all rows that are neither first nor last: made once. */
  source: Struct | null;
  /** Told the number of rows once all chunks are read. */
  readonly scanned: (rows: number) => void;
}
/** The row that waits for the next one of its table, because only then it is known not to be the last. One object for each table. */
export class Held {
  /** Null: none waits. */
  row: Struct | null = null;
  key: Struct | null = null;
  bytes = 0;
  chunk = 0;
  firstOfTable = false;
  /** Its chunk has no more rows, and becomes done with this row. */
  endsChunk = false;
}

/** A row that was held, given its size, with bytes that nobody else uses. */
export type KeptRow = (table: TableRun, bytes: number) => { readonly key: Struct | null; readonly row: Struct };

/** Where the rows of all sessions come together. */
export class SnapshotRows {
  readonly #s: SnapshotRowsSettings;
  readonly #events: EventWriter;
  #offset: SourceOffset;
  /** The last row of a table that is complete; the last of all if no other row comes. */
  #ended: TableRun | null = null;
  /** A table had rows or was found to be empty. */
  #begun = false;
  #firstIsEmpty = false;
  #emitted = 0;

  constructor(settings: SnapshotRowsSettings, events: EventWriter) {
    this.#s = settings;
    this.#events = events;
    this.#offset = this.#offsetNow();
    settings.position(this.#offset);
  }
  get full(): boolean {
    return this.#events.full;
  }
  get emitted(): number {
    return this.#emitted;
  }
  tick(): void {
    this.#events.tick();
  }
  flush(): void {
    this.#events.flush();
  }
  afterUse(done: () => void): void {
    this.#events.afterUse(done);
  }
  add(table: TableRun, chunk: number, key: Struct | null, row: Struct, bytes: number): void {
    if (this.#ended !== null) this.#releaseEnded(this.#ended);
    const held = table.held;
    if (held.row !== null) this.#release(table, held.row, false);
    held.row = row;
    held.key = key;
    held.bytes = bytes;
    held.chunk = chunk;
    held.firstOfTable = table.rows === 0;
    this.#begun = true;
    held.endsChunk = false;
    table.rows++;
  }
  /** `kept`: the row that is held, if it is the chunk's own, with bytes that nobody else uses; null: its bytes stay as they are. */
  chunkEnded(table: TableRun, chunk: number, kept: KeptRow | null): void {
    table.left--;
    const held = table.held;
    if (held.row !== null && held.chunk === chunk) {
      if (kept !== null) Object.assign(held, kept(table, held.bytes));
      held.endsChunk = true;
    } else this.#chunkDone(table, chunk);
    if (table.left > 0) return;
    table.scanned(table.rows);
    // As in the reference: where the first table is empty, no row is the first.
    if (!this.#begun) this.#begun = this.#firstIsEmpty = true;
    if (held.row === null) {
      this.#tableDone(table);
      return;
    }
    if (this.#ended !== null) this.#releaseEnded(this.#ended);
    this.#ended = table;
  }
  /** Sends the last row; returns the offset with which streaming begins. */
  finish(): SourceOffset {
    const ended = this.#ended;
    const offset = this.#s.last;
    if (ended !== null && ended.held.row !== null) {
      this.#ended = null;
      this.#events.tick();
      this.#emit(ended, ended.held.row, this.#s.source(ended.plan, "last", false), offset);
    }
    this.#events.flush();
    this.#s.position(offset);
    return offset;
  }
  #releaseEnded(table: TableRun): void {
    this.#ended = null;
    if (table.held.row !== null) this.#release(table, table.held.row, true);
    table.held.row = null;
    this.#tableDone(table);
  }
  #release(table: TableRun, row: Struct, lastOfTable: boolean): void {
    const held = table.held;
    const { plan } = table;
    let source: Struct;
    if (this.#emitted === 0 && !this.#firstIsEmpty) source = this.#s.source(plan, "first", false);
    else if (lastOfTable) source = this.#s.source(plan, "last_in_data_collection", false);
    else if (held.firstOfTable) source = this.#s.source(plan, "first_in_data_collection", false);
    else source = table.source ??= this.#s.source(plan, "true", true);
    this.#emit(table, row, source, this.#offset);
    if (held.endsChunk) this.#chunkDone(table, held.chunk);
  }
  #emit(table: TableRun, row: Struct, source: Struct, offset: SourceOffset): void {
    this.#emitted++;
    this.#events.upsert(table.plan, "r", table.held.key, null, row, source, null, offset, table.held.bytes);
  }
  /** From now on rows say that the chunk need not be read again: all of its rows were written before them. */
  #chunkDone(table: TableRun, chunk: number): void {
    if (!table.resumable || table.chunks.bounds.length === 0 || this.#s.progress === null) return;
    this.#s.progress.chunkDone(table.id, table.chunks, chunk);
    this.#moved();
  }
  #tableDone(table: TableRun): void {
    if (this.#s.progress === null) return;
    this.#s.progress.tableComplete(table.id, table.chunks.shape);
    this.#moved();
  }
  #moved(): void {
    this.#offset = this.#offsetNow();
    this.#s.position(this.#offset);
  }
  #offsetNow(): SourceOffset {
    const { during, progress } = this.#s;
    return progress === null || progress.empty ? during : { ...during, ...progress.keys() };
  }
}

/** What one session reads of them, chunk after chunk. */
export class SessionRows {
  readonly #rows: SnapshotRows;
  /** That is being read; null: none is. */
  table: TableRun | null = null;
  #chunk = 0;
  #ticked = false;

  constructor(rows: SnapshotRows) {
    this.#rows = rows;
  }
  get ready(): boolean {
    return !this.#rows.full;
  }
  begin(table: TableRun, chunk: number): void {
    this.table = table;
    this.#chunk = chunk;
  }
  /** `kept`: as of `SnapshotRows.chunkEnded`. */
  end(kept: KeptRow | null): void {
    const table = this.table;
    this.table = null;
    if (table !== null) this.#rows.chunkEnded(table, this.#chunk, kept);
  }
  add(table: TableRun, key: Struct | null, row: Struct, bytes: number): void {
    if (!this.#ticked) {
      this.#rows.tick();
      this.#ticked = true;
    }
    this.#rows.add(table, this.#chunk, key, row, bytes);
  }
  /** After each piece of input. */
  flushed(): void {
    this.#ticked = false;
    this.#rows.flush();
  }
  afterUse(done: () => void): void {
    this.#rows.afterUse(done);
  }
}
