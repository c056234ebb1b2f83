/**
 * Whether the stream can go on where the stored offset ends. A slot that is gone, lost its WAL, was made anew or moved, a server
 * that went back in time, another cluster: the source then stops and names what is missing, from A to B, and the repairs.
 */
import type { Client } from "pg";
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { SourceError } from "../cdc/source-error.ts";
import { streamsAfterSnapshot } from "../cdc/start-decision.ts";
import { lsnOf, lsnText } from "./pgoutput/integers.ts";
import { reach, type SnapshotPosition, type StoredPosition } from "./position.ts";
import type { RawSession } from "./raw-session.ts";
import { checkSlot, dropSlot, type SlotInfo } from "./slot.ts";
import type { TaskSettings } from "./task-settings.ts";

const JAVA_CLASS = "io.debezium.DebeziumException";
const REPAIRS =
  "To choose from: snapshot.mode=when_needed, which takes a new snapshot by itself; or stop the connector, delete its offsets (DELETE /connectors/NAME/offsets), drop the slot and resume it; ";

export interface Cluster {
  readonly systemId: string;
  readonly timeline: number;
  /** WAL that is written, or replayed on a standby. */
  readonly lsn: number;
}
export async function clusterOf(session: RawSession): Promise<Cluster> {
  const [row] = await session.query("IDENTIFY_SYSTEM");
  return { systemId: row?.[0] ?? "", timeline: Number(row?.[1] ?? 0), lsn: lsnOf(row?.[2] ?? "0/0") };
}
export async function positionNow(client: Pick<Client, "query">): Promise<number> {
  const { rows } = await client.query<{ lsn: string | null }>(
    "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn",
  );
  return lsnOf(rows[0]?.lsn ?? "0/0");
}

const takesSnapshotAnew = (s: TaskSettings): boolean =>
  s.snapshotMode === "when_needed" ||
  (s.snapshotMode === "configuration_based" && s.all.bool("snapshot.mode.configuration.based.snapshot.on.data.error"));

interface Found {
  readonly stored: StoredPosition | null;
  readonly now: number;
  readonly warn: (message: string) => void;
}
/**
 * The slot if it can be read from; null where there is none, or where `snapshot.mode` asks for a new snapshot instead of it. Throws
 * SourceError when it is another one's, or has lost WAL.
 */
export async function slotUsable(
  client: Pick<Client, "query">,
  s: TaskSettings,
  slot: SlotInfo | null,
  { stored, now, warn }: Found,
): Promise<SlotInfo | null> {
  const name = s.all.string("slot.name");
  if (slot === null) {
    if (stored?.kind === "snapshot" && !stored.at.completed && streamsAfterSnapshot(s.all, s.snapshotMode))
      warn(cutOffMessage(name, stored.at));
    return null;
  }
  checkSlot(name, slot, s.server.database);
  const from = Math.max(slot.confirmedFlushLsn ?? 0, stored === null ? 0 : reach(stored.at));
  if (slot.walStatus === "lost") {
    const gap = `Replication slot "${name}" has lost WAL that was not read yet (wal_status=lost): changes from ${lsnText(from)} to ${lsnText(now)} cannot be read any more.`;
    if (!takesSnapshotAnew(s))
      throw new SourceError(`${gap} ${REPAIRS}and raise max_slot_wal_keep_size so that it does not happen again.`, {
        javaClass: JAVA_CLASS,
      });
    warn(`${gap} snapshot.mode asks for a new snapshot: the slot is made anew.`);
    await dropSlot(client, name);
    return null;
  }
  if (stored !== null && isAhead(slot, reach(stored.at)) && takesSnapshotAnew(s)) {
    warn(`${aheadMessage(name, slot, reach(stored.at))} snapshot.mode asks for a new snapshot.`);
    await dropSlot(client, name);
    return null;
  }
  return slot;
}
const cutOffMessage = (name: string, at: SnapshotPosition): string =>
  `A snapshot was cut off, and replication slot "${name}" of its position ${lsnText(at.lsn)} is gone: a new snapshot is taken. Rows that the first one sent, and that were deleted since then, get no delete event: delete the topics, or compare them with the tables.`;
const isAhead = (slot: SlotInfo, at: number): boolean => (slot.confirmedFlushLsn ?? 0) > at;
const aheadMessage = (name: string, slot: SlotInfo, at: number): string =>
  `Replication slot "${name}" begins after the stored offset: changes from ${lsnText(at)} to ${lsnText(slot.confirmedFlushLsn ?? 0)} cannot be read any more. The slot was dropped and made anew, or moved by something else.`;

interface Resumption {
  readonly s: TaskSettings;
  readonly stored: StoredPosition | null;
  /** Where this process was, when it has streamed already; else 0. */
  readonly read: number;
  readonly slot: SlotInfo | null;
  readonly cluster: Cluster;
  /** Of the connection before, in this process. */
  readonly before: Cluster | null;
  readonly warn: (message: string) => void;
}
/** Throws SourceError where changes are missing between the stored offset and what the server can send. */
export async function checkContinuity(session: RawSession, { s, stored, read, slot, cluster, before, warn }: Resumption): Promise<void> {
  const name = s.all.string("slot.name");
  if (before !== null && before.systemId !== cluster.systemId)
    throw new SourceError(
      `The server at ${s.server.host}:${s.server.port} is another cluster than before (system identifier ${cluster.systemId}, not ${before.systemId}): positions of the one mean nothing in the other. What was changed since ${stored === null ? "the start" : lsnText(reach(stored.at))} there and before ${lsnText(cluster.lsn)} here is not known. Connect to the old one again, or ${REPAIRS}and use another topic.prefix if the tables are not the same.`,
      { javaClass: JAVA_CLASS },
    );
  if (stored === null) return;
  const at = Math.max(reach(stored.at), read);
  if (before !== null && cluster.timeline > before.timeline) {
    const end = await timelineEnd(session, before.timeline, cluster.timeline);
    warn(`the server changed from timeline ${before.timeline} to ${cluster.timeline}${end === null ? "" : ` at ${lsnText(end)}`}`);
    if (end !== null && at > end)
      throw new SourceError(
        `The server was promoted at ${lsnText(end)} (timeline ${before.timeline} to ${cluster.timeline}), before the stored offset: changes from ${lsnText(end)} to ${lsnText(at)} are in the topics but not in the database, and what it wrote since then under the same positions would be missed. ${REPAIRS}compare the rows that were changed last.`,
        { javaClass: JAVA_CLASS },
      );
  }
  if (at > cluster.lsn)
    throw new SourceError(
      `The server is at ${lsnText(cluster.lsn)}, before the stored offset ${lsnText(at)}: it was restored from a backup, promoted without its last changes, or is another one. Changes from ${lsnText(cluster.lsn)} to ${lsnText(at)} are in the topics but not in the database. ${REPAIRS}or connect to the right server.`,
      { javaClass: JAVA_CLASS },
    );
  if (slot === null || !isAhead(slot, at)) return;
  const strategy = s.all.choice("offset.mismatch.strategy");
  const message = aheadMessage(name, slot, at);
  if (strategy === "trust_offset")
    throw new SourceError(
      `${message} ${REPAIRS}or, if nothing is missing because it was moved on purpose, offset.mismatch.strategy=trust_slot for one start.`,
      { javaClass: JAVA_CLASS },
    );
  warn(`${message} offset.mismatch.strategy=${strategy} goes on all the same.`);
}
/** Where the old timeline was left for its successor; null: the history does not say. */
async function timelineEnd(session: RawSession, from: number, to: number): Promise<number | null> {
  const [row] = await session.query(`TIMELINE_HISTORY ${to}`);
  for (const line of (row?.[1] ?? "").split("\n")) {
    const m = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/.exec(line);
    if (m !== null && Number(m[1]) === from) return lsnOf(m[2] ?? "0/0");
  }
  return null;
}

/**
 * The slot is gone although a position is stored: what was changed since then cannot be read. The first line is the
 * reference's own text, which people search for.
 */
export function slotLost(s: TaskSettings, stored: StoredPosition, offset: SourceOffset | null, now: number): SourceError {
  const slot = s.all.string("slot.name");
  const lsn = (value: unknown): string =>
    typeof value === "number" || typeof value === "bigint" ? `LSN{${lsnText(Number(value))}}` : "null";
  const text = (value: OffsetValue | undefined): string => (value === undefined || value === null ? "null" : String(value));
  const micros = offset?.["ts_usec"];
  const instant =
    typeof micros === "number"
      ? new Date(Math.floor(micros / 1000)).toISOString().replace("Z", `${String(micros % 1000).padStart(3, "0")}Z`)
      : "null";
  const info = `source_info[server='${s.naming.prefix}'db='${s.server.database}', lsn=${lsn(offset?.["lsn"])}, txId=${text(offset?.["txId"])}, messageType=${text(offset?.["messageType"])}, lastCommitLsn=${lsn(offset?.["lsn_commit"] ?? offset?.["lsn"])}, timestamp=${instant}, snapshot=${stored.kind === "stream" ? "FALSE" : "TRUE"}, schema=, table=]`;
  const context =
    `PostgresOffsetContext [sourceInfoSchema=Schema{io.debezium.connector.postgresql.Source:STRUCT}, sourceInfo=${info}, lastSnapshotRecord=${stored.kind === "snapshot"}, ` +
    `lastCompletelyProcessedLsn=${lsn(offset?.["lsn_proc"])}, lastCommitLsn=${lsn(offset?.["lsn_commit"] ?? offset?.["lsn"])}, streamingStoppingLsn=null, transactionContext=TransactionContext ` +
    "[currentTransactionId=null, perTableEventCount={}, totalEventCount=0], incrementalSnapshotContext=IncrementalSnapshotContext [windowOpened=false, chunkEndPosition=null, " +
    "dataCollectionsToSnapshot=[], lastEventKeySent=null, maximumKey=null]]";
  return new SourceError(
    `The connector is trying to read change stream starting at ${context}, but this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed.\n` +
      `The replication slot "${slot}" does not exist any more: changes from ${lsnText(reach(stored.at))} to ${lsnText(now)}, where the server is now, cannot be read any more. ${REPAIRS}and find out who dropped the slot.`,
    { javaClass: JAVA_CLASS },
  );
}
