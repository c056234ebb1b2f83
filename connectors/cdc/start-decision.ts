/** Whether a snapshot has to be taken at the start (`snapshot.mode`). */
import type { Settings } from "./settings.ts";

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
