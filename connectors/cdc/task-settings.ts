/** What the tasks of all databases take from their settings, read once. */
import type { Header } from "#connect/api/record";
import { columnMasks } from "./column-mask.ts";
import { contextHeaders, uuidV7 } from "./context-headers.ts";
import { anyOf } from "./expressions.ts";
import { type MessageKeys, messageKeys } from "./message-keys.ts";
import { nameAdjuster } from "./name-adjustment.ts";
import type { QueueLimits } from "./record-queue.ts";
import type { Settings } from "./settings.ts";
import { type TopicNaming, topicNaming } from "./topic-naming.ts";

/** Bound of the queue where `max.queue.size.in.bytes` sets none: a burst must not grow the process. */
const DEFAULT_QUEUE_BYTES = 32 * 1024 * 1024;

export interface CommonSettings {
  readonly all: Settings;
  readonly naming: TopicNaming;
  readonly headers: readonly Header[];
  readonly queue: QueueLimits;
  readonly snapshotMode: string;
  /** Operations that are left out: c, u, d, t, r. */
  readonly skipped: ReadonlySet<string>;
  /** `skip.messages.without.change`: updates whose captured columns are as before are left out. */
  readonly skipsUnchanged: boolean;
}
/** PostgreSQL's topics do not name the database, MySQL has no schemas; SQL Server's name both. */
const LEFT_OUT: Readonly<Record<string, "Default" | "Schema">> = { postgresql: "Default", mysql: "Schema", mariadb: "Schema" };
/** `connector`: its name in context headers. */
export function commonSettings(s: Settings, connector: string, taskId: number, nowMs: number): CommonSettings {
  const naming = topicNaming(s, LEFT_OUT[connector] ?? null);
  const queueBytes = s.int("max.queue.size.in.bytes");
  const skipped = s.list("skipped.operations").map((o) => o.toLowerCase());
  return {
    all: s,
    naming,
    headers: s.bool("extended.headers.enabled") ? contextHeaders(naming.prefix, taskId, connector, uuidV7(nowMs)) : [],
    queue: {
      maxBatchRecords: s.int("max.batch.size"),
      maxRecords: s.int("max.queue.size"),
      maxBytes: queueBytes > 0 ? queueBytes : DEFAULT_QUEUE_BYTES,
    },
    snapshotMode: s.choice("snapshot.mode"),
    skipped: new Set(skipped.includes("none") ? [] : skipped),
    skipsUnchanged: s.bool("skip.messages.without.change"),
  };
}

export interface CommonPlanSettings {
  readonly keys: MessageKeys;
  readonly adjustSchema: ReturnType<typeof nameAdjuster>;
  readonly adjustField: ReturnType<typeof nameAdjuster>;
  readonly mask: ReturnType<typeof columnMasks>;
  /** Whether the schema of a column tells its type in the database. */
  readonly propagate: (column: string, type: string) => boolean;
}
/** How tables become schemas, as far as it is the same for all databases. */
export function commonPlanSettings(s: Settings): CommonPlanSettings {
  const byColumn = anyOf(s.optional("column.propagate.source.type"), "column.propagate.source.type");
  const byType = anyOf(s.optional("datatype.propagate.source.type"), "datatype.propagate.source.type");
  return {
    keys: messageKeys(s.optional("message.key.columns")),
    adjustSchema: nameAdjuster(s.choice("schema.name.adjustment.mode"), false),
    adjustField: nameAdjuster(s.choice("field.name.adjustment.mode"), true),
    mask: columnMasks(s),
    propagate: (column, type) => byColumn?.(column) === true || byType?.(type) === true,
  };
}
/** Wanted by an include list, or not unwanted by an exclude list; null: neither is set. */
export function chosenBy(s: Settings, included: string, excluded: string): ((text: string) => boolean) | null {
  const isIn = anyOf(s.optional(included), included);
  const isOut = anyOf(s.optional(excluded), excluded);
  if (isIn === null && isOut === null) return null;
  return (text) => (isIn !== null ? isIn(text) : isOut?.(text) !== true);
}
/** `database.initial.statements`; `;;` stands for a semicolon inside a statement. */
export const initialStatements = (s: Settings): readonly string[] =>
  (s.optional("database.initial.statements") ?? "")
    .split(/(?<!;);(?!;)/)
    .map((statement) => statement.replaceAll(";;", ";").trim())
    .filter((statement) => statement !== "");
