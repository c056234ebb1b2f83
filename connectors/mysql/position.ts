/**
 * Positions: what is written to the offset store (Debezium's keys, in its order), and how reading starts again from it.
 *
 * Reading starts again at the beginning of the transaction that the last record belongs to: by the GTIDs before it, or by the
 * file and position of its BEGIN. `event` counts the events of that transaction that are done (BEGIN is the first), `row` the
 * rows that are done of the next one; these are left out when the transaction comes anew.
 */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import type { AtOrBefore, JsonObject } from "../cdc/schema-history/history.ts";
import { MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { integerField } from "../cdc/offset-fields.ts";

export interface BinlogPosition {
  readonly file: string;
  readonly position: number;
  /** Null: GTIDs are off. */
  readonly gtids: string | null;
  /** Events and rows of the transaction at the position that are done. */
  readonly event: number;
  readonly row: number;
}
export interface StoredPosition extends BinlogPosition {
  /** False: a snapshot was begun and not finished. */
  readonly complete: boolean;
}

/** Null: no offset, or one without a position. */
export function readOffset(offset: SourceOffset | null): StoredPosition | null {
  const file = offset?.["file"];
  const position = integerField(offset?.["pos"]);
  if (offset === null || typeof file !== "string" || position === null) return null;
  const gtids = offset["gtids"];
  const snapshot = offset["snapshot"];
  const event = integerField(offset["event"]) ?? 0,
    row = integerField(offset["row"]) ?? 0;
  return {
    file,
    position,
    gtids: typeof gtids === "string" && gtids !== "" ? gtids : null,
    // One event without rows is only the beginning of a transaction, or MariaDB's statement after its GTID.
    event: event === 1 && row === 0 ? 0 : event,
    row,
    complete: snapshot === undefined || snapshot === null || offset["snapshot_completed"] === true,
  };
}
export function snapshotOffset(
  at: Pick<BinlogPosition, "file" | "position" | "gtids">,
  tsSec: number,
  marker: string | null,
): SourceOffset {
  return {
    ts_sec: tsSec,
    file: at.file,
    pos: at.position,
    ...(at.gtids !== null && { gtids: at.gtids }),
    ...(marker !== null && { snapshot: marker }),
  };
}
export function streamOffset(at: BinlogPosition, tsSec: number, serverId: number): SourceOffset {
  // The order that consumers know; one shape for nearly every event.
  if (at.gtids !== null && at.row !== 0 && at.event !== 0)
    return { ts_sec: tsSec, file: at.file, pos: at.position, gtids: at.gtids, row: at.row, server_id: serverId, event: at.event };
  const offset: Record<string, OffsetValue> = { ts_sec: tsSec, file: at.file, pos: at.position };
  if (at.gtids !== null) offset["gtids"] = at.gtids;
  if (at.row !== 0) offset["row"] = at.row;
  offset["server_id"] = serverId;
  if (at.event !== 0) offset["event"] = at.event;
  return offset;
}

/** Whether `whole` has all that `part` has. Throws BinlogError for text that is no GTID set. */
export function containsGtids(flavor: Flavor, whole: string, part: string): boolean {
  return flavor === "mysql"
    ? MysqlGtidSet.parse(whole).containsAll(MysqlGtidSet.parse(part))
    : MariadbGtidSet.parse(whole).containsAll(MariadbGtidSet.parse(part));
}

/** `binlog.000009` before `binlog.000010` before `binlog.1000000`: by number. */
const fileNumber = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
const compareNumbers = (...pairs: readonly (readonly [number, number])[]): number => {
  for (const [a, b] of pairs) if (a !== b) return a - b;
  return 0;
};
type LogPlace = Pick<BinlogPosition, "file" | "position">;
/** On one server. */
export const isAtOrBehind = (at: LogPlace, place: LogPlace): boolean =>
  compareNumbers([fileNumber(at.file), fileNumber(place.file)], [at.position, place.position]) >= 0;
const number = (o: JsonObject, key: string): number => integerField(o[key]) ?? 0;

/** History records up to a position: by GTIDs where both have them, else by file and position. */
export const historyOrder =
  (flavor: Flavor): AtOrBefore =>
  (recorded, limit) => {
    const a = recorded["gtids"],
      b = limit["gtids"];
    if (typeof a === "string" && typeof b === "string") {
      if (a !== b) return containsGtids(flavor, b, a);
      if (recorded["snapshot"] !== undefined) return true;
      // The GTID of a statement that is a transaction by itself is among them. After a failover files and positions would be of two servers.
      if (number(recorded, "event") <= (flavor === "mariadb" ? 1 : 0)) return true;
    }
    const order = compareNumbers(
      [fileNumber(String(recorded["file"])), fileNumber(String(limit["file"]))],
      [number(recorded, "pos"), number(limit, "pos")],
      // MariaDB's statements count as the one event after their GTID; the place between two transactions counts none, and is behind them.
      [number(recorded, "event"), Math.max(1, number(limit, "event"))],
      [number(recorded, "row"), number(limit, "row")],
    );
    return order <= 0;
  };
