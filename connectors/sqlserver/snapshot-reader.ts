/** Takes the rows of the session of a snapshot, chunk after chunk. */
import { SessionRows, type SnapshotRows } from "../cdc/snapshot-rows.ts";
import type { Row, RowConsumer } from "./connection.ts";
import type { PlannedTable } from "./plans.ts";
import { RowBytes } from "./row-bytes.ts";

export class SnapshotReader implements RowConsumer {
  readonly rows: SessionRows;
  readonly #all: SnapshotRows;
  readonly #bytes = new RowBytes();
  /** As the statement that is running gives its rows. */
  types: PlannedTable["types"] = [];

  constructor(rows: SnapshotRows) {
    this.#all = rows;
    this.rows = new SessionRows(rows);
  }
  get ready(): boolean {
    return this.rows.ready;
  }
  row(values: Row): void {
    const { table } = this.rows;
    if (table === null) return;
    // The driver gives row by row, each at its own time.
    this.#all.tick();
    const cells = this.#bytes;
    const size = cells.row(this.types, values, 0);
    this.rows.add(table, table.plan.key(cells, cells.bytes), table.plan.row(cells, cells.bytes), size);
    if (this.#all.full) this.rows.flushed();
  }
  /** The chunk was read to its end. A row's bytes are not used again, so the one that is held keeps them. */
  ended(): void {
    this.rows.end(null);
    this.rows.flushed();
  }
}
