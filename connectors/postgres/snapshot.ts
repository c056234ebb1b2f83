/** The initial snapshot's rows: their offsets and source blocks, and one consumer for each session. */
import type { SourceOffset } from "#connect/api/record";
import type { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { SnapshotRows, type TableRun } from "../cdc/snapshot-rows.ts";
import { SourceError } from "../cdc/source-error.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import { snapshotOffset } from "./position.ts";
import type { CopyConsumer } from "./raw-session.ts";
import type { SourceInfo } from "./source-info.ts";

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

/** Where the rows of all sessions come together. */
export function snapshotRows(s: SnapshotSettings, events: EventWriter, source: SourceInfo): SnapshotRows {
  const micros = Math.floor(s.nowMicros());
  source.transaction(micros, s.txId);
  source.lastCommit(null);
  const own = (done: boolean): SourceOffset => snapshotOffset(s.mode, s.lsn, s.txId, micros, done);
  return new SnapshotRows(
    {
      progress: s.offsets === undefined ? s.progress : null,
      during: s.offsets?.during ?? own(false),
      last: s.offsets?.last ?? own(true),
      source: ({ schema, table }, marker, shared) => source.block(s.lsn, schema, table, marker, shared),
      position: s.position,
    },
    events,
  );
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
