/** Takes the rows of one session of a snapshot, chunk after chunk. */
import type { SnapshotRows, TableRun } from "../cdc/snapshot-rows.ts";
import { SourceError } from "../cdc/source-error.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { CopyConsumer } from "./raw-session.ts";

export class SnapshotReader implements CopyConsumer {
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
