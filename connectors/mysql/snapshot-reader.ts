/** Takes the rows of one session of a snapshot, chunk after chunk. */
import { SessionRows, type SnapshotRows } from "../cdc/snapshot-rows.ts";
import type { TextRow, TextRowConsumer } from "./text-session.ts";

export class SnapshotReader implements TextRowConsumer {
  readonly rows: SessionRows;

  constructor(rows: SnapshotRows) {
    this.rows = new SessionRows(rows);
  }
  get ready(): boolean {
    return this.rows.ready;
  }
  flushed(): void {
    this.rows.flushed();
  }
  row(b: Buffer, row: TextRow, bytes: number): void {
    const { table } = this.rows;
    if (table !== null) this.rows.add(table, table.plan.key(row, b), table.plan.row(row, b), bytes);
  }
}
