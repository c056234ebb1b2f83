/** Whether the stored position can still be read from, and where the stream begins. */
import type { Connection } from "mysql2/promise";
import type { SourceOffset } from "#connect/api/record";
import { waited } from "../cdc/retries.ts";
import { SourceError } from "../cdc/source-error.ts";
import { positionLost } from "../cdc/start-decision.ts";
import { MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import { firstRow, readLogFiles, type Server } from "./catalog.ts";
import type { StoredPosition } from "./position.ts";
import type { StreamStart } from "./replication-commands.ts";

const DEBEZIUM = { javaClass: "io.debezium.DebeziumException" };

/** Of `gtid.source.includes` and `excludes`: a server's UUID, or MariaDB's domain and server (`0-1`); null: all. */
type GtidSource = ((source: string) => boolean) | null;
/** A transaction is in the log before the server counts it among those it has: how long it may take. */
const COUNTED_TRIES = 20;
const COUNTED_WAIT_MS = 250;
const pause = (ms: number): Promise<void> => waited(ms, () => false);

/** Null: it can be read from there. Else what is missing. */
export async function missingLog(
  sql: Connection,
  info: Server,
  stored: StoredPosition,
  wanted: GtidSource,
  wait: (ms: number) => Promise<void> = pause,
): Promise<string | null> {
  if (stored.gtids !== null && info.gtidMode) {
    for (let tries = COUNTED_TRIES; ; tries--) {
      const unknown = await unknownGtids(sql, info, stored.gtids, wanted);
      if (unknown === "") break;
      if (tries === 0)
        return `the server does not have the transactions ${unknown}, which were read already: its logs were reset or cut, or it is not of the same replication topology`;
      await wait(COUNTED_WAIT_MS);
    }
    const passes = wanted ?? (() => true);
    return info.mariadb ? missingMariadb(sql, stored.gtids, passes) : missingMysql(sql, stored.gtids, passes);
  }
  const files = await readLogFiles(sql);
  if (files.includes(stored.file)) return null;
  return `the log ${stored.file} is not on the server any more (it has ${files[0] ?? "none"} to ${files.at(-1) ?? "none"})`;
}
/** Transactions that were read and that the server does not know; "" for none. */
async function unknownGtids(sql: Connection, info: Server, gtids: string, wanted: GtidSource): Promise<string> {
  const passes = wanted ?? (() => true);
  if (!info.mariadb) {
    const executed = (await firstRow(sql, "SELECT @@global.gtid_executed AS e"))["e"] ?? "";
    return MysqlGtidSet.parse(gtids).minus(MysqlGtidSet.parse(executed)).only(passes).toString();
  }
  const there = MariadbGtidSet.parse((await firstRow(sql, "SELECT @@global.gtid_current_pos AS p"))["p"] ?? "");
  const domains = new Set(there.gtids.map((g) => g.domain));
  // A domain may have been taken out of the log's state (FLUSH BINARY LOGS DELETE_DOMAIN_ID).
  const unknown = MariadbGtidSet.parse(gtids).only((g) => passes(`${g.domain}-${g.server}`) && !there.contains(g));
  return unknown.only((g) => there.isEmpty || domains.has(g.domain)).toString();
}
type Passes = (source: string) => boolean;
const readPurged = async (sql: Connection): Promise<MysqlGtidSet> =>
  MysqlGtidSet.parse((await firstRow(sql, "SELECT @@global.gtid_purged AS purged"))["purged"] ?? "");
async function missingMysql(sql: Connection, gtids: string, passes: Passes): Promise<string | null> {
  const purged = (await readPurged(sql)).minus(MysqlGtidSet.parse(gtids)).only(passes);
  return purged.isEmpty ? null : `the transactions ${purged.toString()} were purged from the server's logs`;
}
/** The server's oldest log begins with the GTIDs that are before it. Null: there is no log. */
async function beforeOldest(sql: Connection): Promise<MariadbGtidSet | null> {
  const [oldest] = await readLogFiles(sql);
  if (oldest === undefined) return null;
  const row = await firstRow(sql, `SELECT BINLOG_GTID_POS('${oldest.replaceAll("'", "")}', 4) AS p`);
  return MariadbGtidSet.parse(row["p"] ?? "");
}
async function missingMariadb(sql: Connection, gtids: string, passes: Passes): Promise<string | null> {
  const before = await beforeOldest(sql);
  if (before === null) return "the server has no logs";
  const known = MariadbGtidSet.parse(gtids);
  const gap = before.gtids.filter((g) => passes(String(g.domain)) && !known.contains(g));
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

/**
 * Where the stream begins. `at` null: with the oldest log. What is not wanted and was purged counts as read, as a server sends nothing
 * to who lacks it.
 */
export async function streamStart(sql: Connection, info: Server, at: StoredPosition | null, wanted: GtidSource): Promise<StreamStart> {
  if (at === null) {
    const [oldest] = await readLogFiles(sql);
    if (oldest === undefined) throw new SourceError("The server has no binary logs: set log_bin", DEBEZIUM);
    return { by: "position", file: oldest, position: 4 };
  }
  if (at.gtids !== null && info.gtidMode) return info.mariadb ? mariadbStart(sql, at.gtids, wanted) : mysqlStart(sql, at.gtids, wanted);
  return { by: "position", file: at.file, position: at.position };
}
async function mysqlStart(sql: Connection, gtids: string, wanted: GtidSource): Promise<StreamStart> {
  const executed = MysqlGtidSet.parse(gtids);
  if (wanted === null) return { by: "mysqlGtid", executed };
  return { by: "mysqlGtid", executed: executed.plus((await readPurged(sql)).only((uuid) => !wanted(uuid))) };
}
async function mariadbStart(sql: Connection, gtids: string, wanted: GtidSource): Promise<StreamStart> {
  if (wanted === null) return { by: "mariadbGtid", position: gtids };
  const unwanted = (await beforeOldest(sql))?.only((g) => !wanted(String(g.domain)));
  const position = MariadbGtidSet.parse(gtids).plus(unwanted ?? new MariadbGtidSet());
  return { by: "mariadbGtid", position: position.toString() };
}
