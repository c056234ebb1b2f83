/** What the sessions of an initial snapshot are given to read. */
import { Held, type SessionRows, type TableRun } from "./snapshot-rows.ts";

/** A chunk of a table. */
export interface SnapshotWork {
  readonly table: TableRun;
  readonly chunk: number;
  readonly sql: string;
}
/** Whoever is free gets the next; null: nothing is left. Calls of an async generator's next queue up by themselves. */
export function takingTurns<W>(work: AsyncGenerator<W, void>): () => Promise<W | null> {
  return async () => {
    const { value, done } = await work.next();
    return done === true || value === undefined ? null : value;
  };
}
/** What a session reads with. */
export interface ChunkReader<W> {
  readonly rows: SessionRows;
  read(work: W): Promise<void>;
  /** The chunk was read to its end. */
  ended(): void;
}
/** Reads what is left, chunk after chunk. */
export async function readChunks<W extends SnapshotWork>(work: () => Promise<W | null>, reader: ChunkReader<W>): Promise<void> {
  for (let next = await work(); next !== null; next = await work()) {
    reader.rows.begin(next.table, next.chunk);
    await reader.read(next);
    reader.ended();
  }
}
/** A table of which nothing has been read. */
export const tableRun = (table: Omit<TableRun, "rows" | "held" | "source">): TableRun => ({
  id: table.id,
  plan: table.plan,
  columns: table.columns,
  chunks: table.chunks,
  resumable: table.resumable,
  left: table.left,
  rows: 0,
  held: new Held(),
  source: null,
  scanned: table.scanned,
});
/** `snapshot.tables.order.by.row.count`, ascending or descending. */
export const byRowCount = <T>(tables: readonly T[], order: string, rowsOf: (table: T) => number): readonly T[] =>
  tables.toSorted((a, b) => (order === "ascending" ? rowsOf(a) - rowsOf(b) : rowsOf(b) - rowsOf(a)));
