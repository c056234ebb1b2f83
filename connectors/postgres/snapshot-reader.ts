/** Takes the rows of one session of a snapshot, chunk after chunk. */
import { SessionRows, type SnapshotRows } from "../cdc/snapshot-rows.ts";
import { SourceError } from "../cdc/source-error.ts";
import { shiftCells } from "../cdc/table-plan.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { CopyConsumer } from "./raw-session.ts";

export class SnapshotReader implements CopyConsumer {
  readonly rows: SessionRows;
  readonly #scan = new TupleScan();
  #lastBuffer: Buffer | null = null;
  #lastStart = 0;

  constructor(rows: SnapshotRows) {
    this.rows = new SessionRows(rows);
  }
  get ready(): boolean {
    return this.rows.ready;
  }
  /** The chunk was read to its end: the row that is still held must not be overwritten by what the session reads next. */
  ended(): void {
    this.rows.end(({ plan }, bytes) => {
      const own = Buffer.from((this.#lastBuffer ?? Buffer.alloc(0)).subarray(this.#lastStart, this.#lastStart + bytes));
      shiftCells(this.#scan, this.#scan.count, -this.#lastStart);
      return { key: plan.key(this.#scan, own), row: plan.row(this.#scan, own) };
    });
    this.#lastBuffer = null;
  }
  flushed(): void {
    this.rows.flushed();
  }
  afterUse(done: () => void): void {
    this.rows.afterUse(done);
  }
  data(b: Buffer, start: number, end: number): void {
    const { table } = this.rows;
    if (table === null) return;
    const scan = this.#scan;
    scan.scanCopy(b, start, end - 1);
    if (scan.count < table.columns) throw tooFewColumns();
    this.#lastBuffer = b;
    this.#lastStart = start;
    this.rows.add(table, table.plan.key(scan, b), table.plan.row(scan, b), end - start);
  }
}

export const tooFewColumns = (): SourceError =>
  new SourceError(
    "Data row is smaller than a column index, internal schema representation is probably out of sync with real database schema",
  );
