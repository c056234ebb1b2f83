/** What everything that concerns one database shares. */
import type { Logger } from "#connect/api/connector";
import type { SourcePartition } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { Notifier } from "../cdc/notifications.ts";
import type { TablePlans } from "./plans.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface DatabaseContext {
  readonly settings: TaskSettings;
  readonly database: string;
  readonly partition: SourcePartition;
  readonly tracker: SchemaTracker;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  readonly log: Logger;
  /** Microseconds since 1970. */
  readonly nowMicros: () => number;
  /** Resolves when the queue has room. */
  readonly room: () => Promise<void>;
  readonly stopping: () => boolean;
}
