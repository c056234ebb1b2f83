/**
 * What an incremental snapshot needs from a database, and how a connector uses one.
 *
 * Incremental snapshots (DBLog, https://arxiv.org/abs/2010.12597) read tables in chunks by key while streaming goes on. Each chunk
 * is read between two watermarks that come back through the change stream; a row that the stream changes between them is taken
 * from the stream and not from the chunk, so that no older state follows a newer one. The state is part of every offset, so a
 * snapshot goes on after a restart and repeats one chunk at most.
 *
 * A connector
 * 1. implements `IncrementalDatabase` (SQL only: watermarks, largest key, one chunk) and makes one `IncrementalSnapshot` with it;
 * 2. passes signals to `signalHandler` (`../signal-handler.ts`), which calls execute, stop, pause, resume, opened and closed; rows of the
 *    signal table reach it through `StreamSignals.inserted` and `deleted`, signals of other channels through `served`;
 * 3. calls `StreamSignals.changed(table, keyText)` for each change that it streams, twice where an update changes the key (old and new);
 *    `keyText` must give for a streamed row the same text as `ChunkRow.keyText` for a row of a chunk;
 * 4. puts `StreamSignals.offset()` into the offset of each record while it is not null (Debezium's keys);
 * 5. before streaming: `restore(storedOffset)`; once streaming is open: `next()`; on stop or a broken connection: `close()`.
 *
 * Watermarks without a signal table (`read.only=true`): `openWindow` and `closeWindow` note a position of the log instead (GTID set,
 * snapshot of transactions), and the connector's stream calls `opened` and `closed` with the same ids when it passes them.
 *
 * Chunk queries for databases without row comparison: `conditions.ts`.
 */
import type { Struct } from "#connect/api/struct";

/** Values of the key's columns in the database's text form, in the key's order; null for SQL NULL. */
export type KeyValues = readonly (string | null)[];

export interface Collection {
  /** The table as signals and the change stream name it, e.g. schema.table. */
  readonly id: string;
  /** SQL condition that rows must meet (`additional-conditions`). */
  readonly filter: string | null;
  /** Column to chunk by instead of the key (`surrogate-key`). */
  readonly surrogateKey: string | null;
}
export interface ChunkRow {
  /** Tells rows apart; the same text for the same row of the stream. */
  readonly keyText: string;
  readonly key: Struct | null;
  readonly row: Struct;
  readonly bytes: number;
}
/** `plan`: whatever the connector needs besides the row to write its event. */
export interface Chunk<Plan> {
  readonly plan: Plan;
  readonly rows: readonly ChunkRow[];
  /** Of the last row. */
  readonly lastKey: KeyValues;
}
/** Why a table has no (more) chunks: the `status` of its TABLE_SCAN_COMPLETED notification. */
export type TableStatus = "SUCCEEDED" | "EMPTY" | "NO_PRIMARY_KEY" | "UNKNOWN_SCHEMA" | "SQL_EXCEPTION";

export interface ChunkRequest {
  readonly collection: Collection;
  /** Exclusive; null: from the beginning. */
  readonly after: KeyValues | null;
  /** Inclusive; null: not known yet, the database finds it and gives it back. */
  readonly maximum: KeyValues | null;
  readonly maxRows: number;
}
export type ChunkAnswer<Plan> = { readonly maximum: KeyValues; readonly chunk: Chunk<Plan> } | TableStatus;
/** No rows: the table is done. */
export const chunkAnswer = <Plan>(maximum: KeyValues, chunk: Chunk<Plan>): ChunkAnswer<Plan> =>
  chunk.rows.length === 0 ? "SUCCEEDED" : { maximum, chunk };

/** Queries may fail: the chunk is tried again later, with new watermarks and after `reset`. */
export interface IncrementalDatabase<Plan> {
  /** Writes the opening watermark. Its id must come back through `IncrementalSnapshot.opened`. */
  openWindow(watermark: Watermark): Promise<void>;
  /** Writes the closing watermark. `watermark.closeId` must come back through `IncrementalSnapshot.closed`, perhaps before this resolves. */
  closeWindow(watermark: Watermark): Promise<void>;
  /** Rows must be in the order of the key, and read after `openWindow`'s watermark was committed: by a new query or transaction. */
  readChunk(request: ChunkRequest): Promise<ChunkAnswer<Plan>>;
  /** Drops connections that may be broken. */
  reset(): Promise<void>;
}
/** One chunk's pair. */
export interface Watermark {
  readonly openId: string;
  /** Equal to `openId` where deleting the opening row closes the window (`incremental.snapshot.watermarking.strategy=insert_delete`). */
  readonly closeId: string;
  /** Contents of the `data` column of the two rows, as Debezium writes them. */
  readonly openData: string;
  closeData(): string;
}
