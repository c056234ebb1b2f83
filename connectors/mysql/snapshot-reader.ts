/** Takes the rows of one session of a snapshot, chunk after chunk. */
import type { SnapshotRows, TableRun } from "../cdc/snapshot-rows.ts";
import type { TextRow, TextRowConsumer } from "./text-session.ts";

export class SnapshotReader implements TextRowConsumer {
  readonly #rows: SnapshotRows;
  #table: TableRun | null = null;
  #chunk = 0;
  #ticked = false;

  constructor(rows: SnapshotRows) {
    this.#rows = rows;
  }
  get ready(): boolean {
    return !this.#rows.full;
  }
  flushed(): void {
    this.#ticked = false;
    this.#rows.flush();
  }
  begin(table: TableRun, chunk: number): void {
    this.#table = table;
    this.#chunk = chunk;
  }
  end(): void {
    const table = this.#table;
    this.#table = null;
    // The memory that a session read into is not used again, so the row that is held keeps it.
    if (table !== null) this.#rows.chunkEnded(table, this.#chunk, null);
  }
  row(b: Buffer, row: TextRow, bytes: number): void {
    const table = this.#table;
    if (table === null) return;
    if (!this.#ticked) {
      this.#rows.tick();
      this.#ticked = true;
    }
    this.#rows.add(table, this.#chunk, table.plan.key(row, b), table.plan.row(row, b), bytes);
  }
}
