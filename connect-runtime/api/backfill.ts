/**
 * Backfills: rows of tables that are read once more while a source runs, asked for by REST instead of a signal. Everything here is
 * plain JSON: it goes through threads, over REST and into the offset store.
 */
import type { SourcePartition } from "./record.ts";

/** Where a source keeps them among its offsets: beside the fields of its own partition; the list itself has the same name. */
export const BACKFILLS = "backfills";
export const backfillPartition = (partition: SourcePartition): SourcePartition => ({ ...partition, [BACKFILLS]: "requests" });
export const isBackfillPartition = (partition: SourcePartition): boolean => BACKFILLS in partition;

export type BackfillKind = "incremental" | "blocking";
/**
 * `waiting`: for its turn, or for the stream to be open. `completed`: all rows were read and handed on. `failed`: see `reason`.
 * The last three are final.
 */
export type BackfillState = "waiting" | "running" | "paused" | "completed" | "stopped" | "failed";
export interface BackfillTable {
  /** As the connector's signals name it, e.g. schema.table. */
  readonly table: string;
  /** SQL condition that rows must meet; null: all rows. */
  readonly where: string | null;
}
export interface BackfillRequest {
  /** Null: one is made. A request whose id is known is answered with what became of the first. */
  readonly id: string | null;
  readonly kind: BackfillKind;
  readonly tables: readonly BackfillTable[];
}
export interface BackfillProgress extends BackfillTable {
  readonly state: "waiting" | "running" | "completed" | "stopped" | "failed";
  /** Read since the task started. Null: not known (yet). */
  readonly rows: number | null;
  readonly reason: string | null;
}
export interface Backfill {
  readonly id: string;
  readonly kind: BackfillKind;
  readonly state: BackfillState;
  readonly tables: readonly BackfillProgress[];
  /** ISO 8601. */
  readonly requested_at: string;
  readonly changed_at: string;
  readonly reason: string | null;
}
export type BackfillCommand =
  | { readonly do: "start"; readonly request: BackfillRequest }
  | { readonly do: "list" }
  | { readonly do: "show" | "pause" | "resume" | "stop"; readonly id: string };
