/** What a task does at its start (`snapshot.mode`): whether a snapshot has to be taken, and whether its position still counts. */
import type { SourceOffset } from "#connect/api/record";
import type { SchemaHistory } from "./schema-history/history.ts";
import type { Settings } from "./settings.ts";
import { SourceError } from "./source-error.ts";

export interface StartState {
  /** `snapshot.mode`; `recovery` and the like are the connector's own affair. */
  readonly mode: string;
  /** A snapshot was completed in an earlier run, or streaming had begun. */
  readonly complete: boolean;
  /** The stored position can still be read from. */
  readonly available: boolean;
  /** A snapshot was completed in this run of the task already. */
  readonly taken: boolean;
}

export function snapshotWanted(settings: Settings, { mode, complete, available, taken }: StartState): boolean {
  if (taken) return false;
  switch (mode) {
    case "always":
      return true;
    case "no_data":
      return false;
    case "when_needed":
      return !complete || !available;
    case "configuration_based":
      if (complete && !available) return settings.bool("snapshot.mode.configuration.based.snapshot.on.data.error");
      return !complete && settings.bool("snapshot.mode.configuration.based.snapshot.data");
    default:
      return !complete;
  }
}
/** Whether streaming follows the snapshot. */
export const streamsAfterSnapshot = (settings: Settings, mode: string): boolean =>
  mode !== "initial_only" && (mode !== "configuration_based" || settings.bool("snapshot.mode.configuration.based.start.stream"));

/** What a task of a database with a schema history does first. */
export interface StartDecision {
  readonly schema: boolean;
  readonly data: boolean;
  /** Streaming goes on from the stored position, whatever the snapshot reads. */
  readonly keepsPosition: boolean;
}
export interface StartFacts {
  readonly settings: Settings;
  readonly mode: string;
  readonly stored: { readonly complete: boolean } | null;
  /** Null: it was there in this run already. */
  readonly history: Pick<SchemaHistory, "exists" | "description"> | null;
  /** What the server does not have any more of the changes after the stored position; null: nothing. */
  readonly missing: string | null;
  /** A snapshot was completed in this run already, or its stream was begun. */
  readonly taken: boolean;
  /** For the operator: what is lost, and what to do. */
  readonly lost: (missing: string) => string;
}
const DEBEZIUM = { javaClass: "io.debezium.DebeziumException" };

/** Throws SourceError when neither a position nor a snapshot is to be had. */
export async function startDecision(f: StartFacts): Promise<StartDecision> {
  const { settings, mode, stored } = f;
  const complete = stored?.complete === true;
  if (mode === "recovery" && stored === null)
    throw new SourceError(
      "Could not find existing redo log information while attempting schema only recovery snapshot. Set snapshot.mode=initial: there is no offset to go on from.",
      DEBEZIUM,
    );
  const state = { mode, complete, available: f.missing === null, taken: f.taken };
  if (mode !== "recovery" && mode !== "never" && snapshotWanted(settings, state)) return { schema: true, data: true, keepsPosition: false };
  if (f.missing !== null && complete) throw new SourceError(f.lost(f.missing), DEBEZIUM);
  const rebuilds = stored !== null && (await historyMissing(f));
  // Once in a run: afterwards the history is there, and is that of the stored position.
  if ((mode === "recovery" && !f.taken) || rebuilds) return { schema: true, data: false, keepsPosition: complete };
  const byConfiguration = mode === "configuration_based" && settings.bool("snapshot.mode.configuration.based.snapshot.schema");
  return { schema: !complete && (mode === "no_data" || byConfiguration), data: false, keepsPosition: complete };
}
/** The history has to be there if a position is; without it no row could be read. True: it is rebuilt. Else throws SourceError. */
async function historyMissing({ settings, mode, history }: StartFacts): Promise<boolean> {
  if (history === null || (await history.exists())) return false;
  // Not in when_needed, as in the reference: definitions of now may not be those of the position.
  if (mode === "recovery") return true;
  if (mode === "configuration_based" && settings.bool("snapshot.mode.configuration.based.snapshot.on.schema.error")) return true;
  throw new SourceError(
    "The db history topic is missing. You may attempt to recover it by reconfiguring the connector to recovery.\n" +
      `${history.description} holds no records, but a position is stored: the tables' columns at that position are not known. ` +
      "Set snapshot.mode=recovery if no table has changed since then, else delete the connector's offsets for a new snapshot.",
    DEBEZIUM,
  );
}
/** The sentence of a position that the server has left behind; `what`: what is lost, and what to do. */
export const positionLost = (offset: SourceOffset | null, what: string): string =>
  `The connector is trying to read change stream starting at ${JSON.stringify(offset)}, but this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed.\n${what}`;
