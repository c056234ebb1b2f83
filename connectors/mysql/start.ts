/** What a task does first: which parts of a snapshot it takes, and whether the stored position can still be read from. */
import type { Connection } from "mysql2/promise";
import type { SourceOffset } from "#connect/api/record";
import type { SchemaHistory } from "../cdc/schema-history/history.ts";
import { SourceError } from "../cdc/source-error.ts";
import { snapshotWanted } from "../cdc/start-decision.ts";
import { MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import { firstRow, readLogFiles, type Server } from "./catalog.ts";
import type { StoredPosition } from "./position.ts";
import type { StreamStart } from "./replication-commands.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface StartDecision {
  readonly schema: boolean;
  readonly data: boolean;
  /** Streaming goes on from the stored position, whatever the snapshot reads. */
  readonly keepsPosition: boolean;
}
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

export interface StartFacts {
  readonly settings: TaskSettings;
  readonly stored: StoredPosition | null;
  readonly offset: SourceOffset | null;
  readonly history: SchemaHistory;
  /** From `missingLog`. */
  readonly missing: string | null;
  /** A snapshot was completed in this run already, or its stream was begun. */
  readonly taken: boolean;
}
/** Throws SourceError when neither a position nor a snapshot is to be had. */
export async function startDecision(f: StartFacts): Promise<StartDecision> {
  const { settings, stored } = f;
  const mode = settings.snapshotMode;
  const complete = stored?.complete === true;
  if (mode === "recovery" && stored === null)
    throw new SourceError(
      "Could not find existing redo log information while attempting schema only recovery snapshot. Set snapshot.mode=initial: there is no offset to go on from.",
      DEBEZIUM,
    );
  if (mode !== "recovery" && wantsData(f, complete)) return { schema: true, data: true, keepsPosition: false };
  if (f.missing !== null && stored !== null && complete) throw logLost(f, f.missing);
  const history = await historyState(f);
  // Once in a run: afterwards the history is there, and is that of the stored position.
  if ((mode === "recovery" && !f.taken) || history === "rebuild") return { schema: true, data: false, keepsPosition: complete };
  const schema = mode === "no_data" || mode === "configuration_based" ? !complete && wantsSchema(settings) : false;
  return { schema, data: false, keepsPosition: complete };
}
function wantsData({ settings, missing, taken }: StartFacts, complete: boolean): boolean {
  if (settings.snapshotMode === "never") return false;
  return snapshotWanted(settings.all, { mode: settings.snapshotMode, complete, available: missing === null, taken });
}
const wantsSchema = (s: TaskSettings): boolean =>
  s.snapshotMode !== "configuration_based" || s.all.bool("snapshot.mode.configuration.based.snapshot.schema");

/** The history has to be there if a position is; without it no row could be read. */
async function historyState({ settings, stored, history }: StartFacts): Promise<"there" | "rebuild"> {
  if (stored === null) return "there";
  if (await history.exists()) return "there";
  const mode = settings.snapshotMode;
  if (mode === "recovery" || mode === "when_needed") return "rebuild";
  if (mode === "configuration_based" && settings.all.bool("snapshot.mode.configuration.based.snapshot.on.schema.error")) return "rebuild";
  throw new SourceError(
    "The db history topic is missing. You may attempt to recover it by reconfiguring the connector to recovery.\n" +
      `${history.description} holds no records, but a position is stored: the tables' columns at that position are not known. ` +
      "Set snapshot.mode=recovery if no table has changed since then, else snapshot.mode=when_needed or delete the connector's offsets.",
    DEBEZIUM,
  );
}
function logLost({ stored, offset }: StartFacts, missing: string): SourceError {
  return new SourceError(
    `The connector is trying to read change stream starting at ${JSON.stringify(offset)}, but this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed.\n` +
      `Changes after ${stored?.gtids ?? `${stored?.file}:${stored?.position}`} are lost: ${missing}. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep logs longer (binlog_expire_logs_seconds).`,
    DEBEZIUM,
  );
}

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
