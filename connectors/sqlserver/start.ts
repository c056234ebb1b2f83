/** Whether the stored position of a database can still be read from. */
import type { SourceOffset } from "#connect/api/record";
import { positionLost } from "../cdc/start-decision.ts";
import { movedInstances, oldestStartLsn, type TableName } from "./catalog.ts";
import { lsnBytes } from "./change-tables/lsn.ts";
import type { Session } from "./connection.ts";
import type { StoredPosition } from "./position.ts";

/** Null: it can be read from there. Else what is missing. */
export async function missingChanges(
  session: Session,
  database: string,
  stored: StoredPosition,
  captures: (table: TableName) => boolean,
): Promise<string | null> {
  if (stored.commit === null) return null;
  const oldest = await oldestStartLsn(session, database);
  if (oldest === null) return `no table of ${database} is captured any more`;
  if (oldest > stored.commit) return `the oldest changes in ${database} are of ${oldest}`;
  // The job moves all instances of a database; by hand one can be moved alone.
  const moved = (await movedInstances(session, database, lsnBytes(stored.commit))).find(captures);
  return moved === undefined ? null : `the change table of ${moved.instance} begins at ${moved.startLsn}`;
}
/** For `startDecision`. */
export const changesLost =
  (stored: StoredPosition | null, offset: SourceOffset | null) =>
  (missing: string): string =>
    positionLost(
      offset,
      `Changes after ${stored?.commit} were removed by the clean-up job: ${missing}. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep changes longer (EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = <minutes>).`,
    );
