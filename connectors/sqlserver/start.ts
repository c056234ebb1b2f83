/** Whether the stored position of a database can still be read from. */
import type { SourceOffset } from "#connect/api/record";
import { positionLost } from "../cdc/start-decision.ts";
import { oldestStartLsn } from "./catalog.ts";
import type { Session } from "./connection.ts";
import type { StoredPosition } from "./position.ts";

/** Null: it can be read from there. Else what is missing. */
export async function missingChanges(session: Session, database: string, stored: StoredPosition): Promise<string | null> {
  if (stored.commit === null) return null;
  const oldest = await oldestStartLsn(session, database);
  if (oldest === null) return `no table of ${database} is captured any more`;
  // The clean-up job moves all instances of a database; one that starts later alone is a new one.
  return oldest > stored.commit ? `the oldest changes in ${database} are of ${oldest}` : null;
}
/** For `startDecision`. */
export const changesLost =
  (stored: StoredPosition | null, offset: SourceOffset | null) =>
  (missing: string): string =>
    positionLost(
      offset,
      `Changes after ${stored?.commit} were removed by the clean-up job: ${missing}. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep changes longer (EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = <minutes>).`,
    );
