/** The initial snapshot's rows: markers (first, last and so on), offsets with the progress, one consumer for each session. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import { SnapshotProgress, type TableChunks } from "../cdc/snapshot-progress.ts";
import { SourceError } from "../cdc/source-error.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import { snapshotOffset } from "./position.ts";
import type { CopyConsumer } from "./raw-session.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TablePlan } from "../cdc/table-plan.ts";

export interface SnapshotSettings {
  /** What offsets call it: INITIAL. */
  readonly mode: string;
  readonly lsn: number;
  readonly txId: number;
  readonly nowMicros: () => number;
  /** Of an earlier run of this snapshot. Offsets carry it. Null: offsets carry none. */
  readonly progress: SnapshotProgress | null;
  /** Positions to carry instead of the snapshot's own (a snapshot asked for while streaming): all rows but the last, the last. */
  readonly offsets?: { readonly during: SourceOffset; readonly last: SourceOffset };
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

/** Where the rows of all sessions come together. */
export class SnapshotRows {
  readonly #s: SnapshotSettings;
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #micros: number;
  #offset: SourceOffset;
  /** The last row of a table that is complete; the last of all if no other row comes. */
  #ended: TableRun | null = null;
  #emitted = 0;

  constructor(settings: SnapshotSettings, events: EventWriter, source: SourceInfo) {
    this.#s = settings;
    this.#events = events;
    this.#source = source;
    this.#micros = Math.floor(settings.nowMicros());
    this.#offset = this.#offsetNow();
    source.transaction(this.#micros, settings.txId);
    source.lastCommit(null);
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
    held.endsChunk = false;
    table.rows++;
  }
  /** `kept`: the row that is held, if it is the chunk's own, with bytes that nobody else uses. */
  chunkEnded(table: TableRun, chunk: number, kept: (bytes: number) => { key: Struct | null; row: Struct }): void {
    table.left--;
    const held = table.held;
    if (held.row !== null && held.chunk === chunk) {
      Object.assign(held, kept(held.bytes));
      held.endsChunk = true;
    } else this.#chunkDone(table, chunk);
    if (table.left > 0) return;
    table.scanned(table.rows);
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
    const offset = this.#s.offsets?.last ?? snapshotOffset(this.#s.mode, this.#s.lsn, this.#s.txId, this.#micros, true);
    if (ended !== null && ended.held.row !== null) {
      this.#ended = null;
      this.#events.tick();
      this.#emit(ended, ended.held.row, this.#sourceOf(ended, "last"), offset);
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
    let source: Struct;
    if (this.#emitted === 0) source = this.#sourceOf(table, "first");
    else if (lastOfTable) source = this.#sourceOf(table, "last_in_data_collection");
    else if (held.firstOfTable) source = this.#sourceOf(table, "first_in_data_collection");
    else source = table.source ??= this.#sourceOf(table, "true", true);
    this.#emit(table, row, source, this.#offset);
    if (held.endsChunk) this.#chunkDone(table, held.chunk);
  }
  #sourceOf({ plan }: TableRun, marker: SnapshotMarker, shared = false): Struct {
    return this.#source.block(this.#s.lsn, plan.schema, plan.table, marker, shared);
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
    const { offsets, mode, lsn, txId, progress } = this.#s;
    return offsets?.during ?? { ...snapshotOffset(mode, lsn, txId, this.#micros, false), ...progress?.keys() };
  }
}

/** Takes the rows of one session, chunk after chunk. */
export class SnapshotSession implements CopyConsumer {
  readonly #rows: SnapshotRows;
  readonly #scan = new TupleScan();
  #table: TableRun | null = null;
  #chunk = 0;
  #ticked = false;
  #lastBuffer: Buffer | null = null;
  #lastStart = 0;

  constructor(rows: SnapshotRows) {
    this.#rows = rows;
  }
  get ready(): boolean {
    return !this.#rows.full;
  }
  begin(table: TableRun, chunk: number): void {
    this.#table = table;
    this.#chunk = chunk;
  }
  end(): void {
    const table = this.#table;
    if (table === null) return;
    this.#table = null;
    // The row that is still held must not be overwritten by what the session reads next.
    this.#rows.chunkEnded(table, this.#chunk, (bytes) => {
      const own = Buffer.from((this.#lastBuffer ?? Buffer.alloc(0)).subarray(this.#lastStart, this.#lastStart + bytes));
      this.#scan.shift(-this.#lastStart);
      return { key: table.plan.key(this.#scan, own), row: table.plan.row(this.#scan, own) };
    });
    this.#lastBuffer = null;
  }
  flushed(): void {
    this.#ticked = false;
    this.#rows.flush();
  }
  afterUse(done: () => void): void {
    this.#rows.afterUse(done);
  }
  data(b: Buffer, start: number, end: number): void {
    const table = this.#table;
    if (table === null) return;
    if (!this.#ticked) {
      this.#rows.tick();
      this.#ticked = true;
    }
    const scan = this.#scan;
    scan.scanCopy(b, start, end - 1);
    if (scan.count < table.columns) throw tooFewColumns();
    this.#lastBuffer = b;
    this.#lastStart = start;
    this.#rows.add(table, this.#chunk, table.plan.key(scan, b), table.plan.row(scan, b), end - start);
  }
}

export const tooFewColumns = (): SourceError =>
  new SourceError(
    "Data row is smaller than a column index, internal schema representation is probably out of sync with real database schema",
  );
