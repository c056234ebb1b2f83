/** Whether the stored position can still be read from, and where the stream begins. */
import type { Connection } from "mysql2/promise";
import type { SourceOffset } from "#connect/api/record";
import { SourceError } from "../cdc/source-error.ts";
import { positionLost } from "../cdc/start-decision.ts";
import { MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import { firstRow, readLogFiles, type Server } from "./catalog.ts";
import type { StoredPosition } from "./position.ts";
import type { StreamStart } from "./replication-commands.ts";

const DEBEZIUM = { javaClass: "io.debezium.DebeziumException" };

/** Null: it can be read from there. Else what is missing. */
export async function missingLog(sql: Connection, info: Server, stored: StoredPosition): Promise<string | null> {
  if (stored.gtids !== null && info.gtidMode && !info.mariadb) {
    const row = await firstRow(sql, "SELECT @@global.gtid_purged AS purged, @@global.gtid_executed AS executed");
    const known = MysqlGtidSet.parse(stored.gtids);
    const purged = MysqlGtidSet.parse(row["purged"] ?? "").minus(known);
    if (!purged.isEmpty) return `the transactions ${purged.toString()} were purged from the server's logs`;
    return null;
  }
  const files = await readLogFiles(sql);
  if (stored.gtids !== null && info.mariadb) return missingMariadb(sql, stored.gtids, files);
  if (files.includes(stored.file)) return null;
  return `the log ${stored.file} is not on the server any more (it has ${files[0] ?? "none"} to ${files.at(-1) ?? "none"})`;
}
/** The server's oldest log begins with the GTIDs that are before it. */
async function missingMariadb(sql: Connection, gtids: string, files: readonly string[]): Promise<string | null> {
  const oldest = files[0];
  if (oldest === undefined) return "the server has no logs";
  const row = await firstRow(sql, `SELECT BINLOG_GTID_POS('${oldest.replaceAll("'", "")}', 4) AS p`);
  const before = MariadbGtidSet.parse(row["p"] ?? "");
  const known = MariadbGtidSet.parse(gtids);
  const gap = before.gtids.filter((g) => !known.contains(g));
  return gap.length === 0 ? null : `the transactions up to ${before.toString()} were purged, the connector had read up to ${gtids}`;
}

/** For `startDecision`. */
export const logLost =
  (stored: StoredPosition | null, offset: SourceOffset | null) =>
  (missing: string): string =>
    positionLost(
      offset,
      `Changes after ${stored?.gtids ?? `${stored?.file}:${stored?.position}`} are lost: ${missing}. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep logs longer (binlog_expire_logs_seconds).`,
    );

/** Where the stream begins. `at` null: with the oldest log. */
export async function streamStart(sql: Connection, info: Server, at: StoredPosition | null): Promise<StreamStart> {
  if (at === null) {
    const [oldest] = await readLogFiles(sql);
    if (oldest === undefined) throw new SourceError("The server has no binary logs: set log_bin", DEBEZIUM);
    return { by: "position", file: oldest, position: 4 };
  }
  if (at.gtids !== null && info.gtidMode)
    return info.mariadb ? { by: "mariadbGtid", position: at.gtids } : { by: "mysqlGtid", executed: MysqlGtidSet.parse(at.gtids) };
  return { by: "position", file: at.file, position: at.position };
}
