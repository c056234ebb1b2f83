/** What to say when the stored position cannot be read from any more. */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { SourceError } from "../cdc/source-error.ts";
import { lsnText } from "./pgoutput/integers.ts";
import type { StoredPosition } from "./position.ts";
import type { TaskSettings } from "./task-settings.ts";

/**
 * The slot is gone although a position is stored: what was changed since then cannot be read. The first line is the
 * reference's own text, which people search for.
 */
export function slotLost(s: TaskSettings, stored: StoredPosition, offset: SourceOffset | null, slot: string): SourceError {
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
      `The replication slot "${slot}" does not exist any more: changes after ${lsnText(stored.at.lsn)} and before a new slot are lost. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot.`,
    { javaClass: "io.debezium.DebeziumException" },
  );
}
