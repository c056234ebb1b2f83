/** What a task does first for a database: which parts of a snapshot it takes, and whether the stored position can still be read from. */
import type { SourceOffset } from "#connect/api/record";
import type { SchemaHistory } from "../cdc/schema-history/history.ts";
import { SourceError } from "../cdc/source-error.ts";
import { snapshotWanted } from "../cdc/start-decision.ts";
import { oldestStartLsn } from "./catalog.ts";
import type { Session } from "./connection.ts";
import type { StoredPosition } from "./position.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface StartDecision {
  readonly schema: boolean;
  readonly data: boolean;
  /** Streaming goes on from the stored position, whatever the snapshot reads. */
  readonly keepsPosition: boolean;
}
const DEBEZIUM = { javaClass: "io.debezium.DebeziumException" };

/** Null: it can be read from there. Else what is missing. */
export async function missingChanges(session: Session, database: string, stored: StoredPosition): Promise<string | null> {
  if (stored.commit === null) return null;
  const oldest = await oldestStartLsn(session, database);
  if (oldest === null) return `no table of ${database} is captured any more`;
  // The clean-up job moves all instances of a database; one that starts later alone is a new one.
  return oldest > stored.commit ? `the oldest changes in ${database} are of ${oldest}` : null;
}
export interface StartFacts {
  readonly settings: TaskSettings;
  readonly stored: StoredPosition | null;
  readonly offset: SourceOffset | null;
  readonly history: SchemaHistory;
  /** From `missingChanges`. */
  readonly missing: string | null;
  /** A snapshot was completed in this run already. */
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
  const state = { mode, complete, available: f.missing === null, taken: f.taken };
  if (mode !== "recovery" && snapshotWanted(settings.all, state)) return { schema: true, data: true, keepsPosition: false };
  if (f.missing !== null && complete) throw changesLost(f, f.missing);
  const history = await historyState(f);
  if (mode === "recovery" || history === "rebuild") return { schema: true, data: false, keepsPosition: complete };
  const schema = (mode === "no_data" || mode === "configuration_based") && !complete && wantsSchema(settings);
  return { schema, data: false, keepsPosition: complete };
}
const wantsSchema = (s: TaskSettings): boolean =>
  s.snapshotMode !== "configuration_based" || s.all.bool("snapshot.mode.configuration.based.snapshot.schema");

/** The history has to be there if a position is; without it no row could be read. */
async function historyState({ settings, stored, history, taken }: StartFacts): Promise<"there" | "rebuild"> {
  if (stored === null || taken) return "there";
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
function changesLost({ stored, offset }: StartFacts, missing: string): SourceError {
  return new SourceError(
    `The connector is trying to read change stream starting at ${JSON.stringify(offset)}, but this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed.\n` +
      `Changes after ${stored?.commit} were removed by the clean-up job: ${missing}. Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep changes longer (EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = <minutes>).`,
    DEBEZIUM,
  );
}
