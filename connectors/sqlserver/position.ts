/** Positions: what is written to the offset store (Debezium's keys, in its order), and what is read from it. */
import type { SourceOffset } from "#connect/api/record";
import { integerField } from "../cdc/offset-fields.ts";
import type { AtOrBefore } from "../cdc/schema-history/history.ts";
import { isLsn, type Lsn, NO_LSN } from "./change-tables/lsn.ts";

export interface Position {
  readonly commit: Lsn | null;
  /** Null: all of the transaction is done (or of the snapshot). */
  readonly change: Lsn | null;
  readonly serial: number;
}
export interface StoredPosition extends Position {
  /** False: a snapshot was begun and not finished. */
  readonly complete: boolean;
  /** It is of a snapshot that was finished, and no change has come since. */
  readonly afterSnapshot: boolean;
}
const lsn = (value: unknown): Lsn | null => (isLsn(value) ? value : null);

/** Null: no offset, or one without a position. */
export function readOffset(offset: SourceOffset | null): StoredPosition | null {
  if (offset === null || offset["commit_lsn"] === undefined) return null;
  const snapshot = offset["snapshot"];
  const inSnapshot = snapshot !== undefined && snapshot !== null;
  const complete = !inSnapshot || offset["snapshot_completed"] === true;
  return {
    commit: lsn(offset["commit_lsn"]),
    change: lsn(offset["change_lsn"]),
    serial: integerField(offset["event_serial_no"]) ?? 0,
    complete,
    afterSnapshot: inSnapshot && complete,
  };
}
export const streamOffset = (p: Position): SourceOffset => ({
  event_serial_no: p.serial,
  commit_lsn: p.commit ?? NO_LSN,
  change_lsn: p.change ?? NO_LSN,
});
export const snapshotOffset = (commit: Lsn | null, kind: "INITIAL" | "BLOCKING", completed: boolean): SourceOffset => ({
  event_serial_no: 1,
  commit_lsn: commit ?? NO_LSN,
  change_lsn: NO_LSN,
  snapshot: kind,
  snapshot_completed: completed,
});

/** History records up to a position: by commit, then change, then serial number. No value is smallest. */
export const historyOrder: AtOrBefore = (recorded, limit) => {
  const text = (value: unknown): string => (isLsn(value) ? value : "");
  for (const key of ["commit_lsn", "change_lsn"]) {
    const a = text(recorded[key]),
      b = text(limit[key]);
    // A whole transaction is done where the change is left out.
    if (a !== b) return key === "change_lsn" && b === "" ? true : a < b;
  }
  return Number(recorded["event_serial_no"] ?? 0) <= Number(limit["event_serial_no"] ?? 0);
};
