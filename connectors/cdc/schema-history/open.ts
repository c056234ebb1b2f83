/** A connector's schema history by its settings (`schema.history.internal.*`). */
import { confine, fileRoots } from "#connect/api/confinement";
import type { OwnTopic, SourceTaskContext } from "#connect/api/connector";
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "../settings.ts";
import { fileCheckpoints, topicCheckpoints } from "./checkpoints.ts";
import type { HistoryCheckpoints, HistoryStore, SchemaHistory } from "./history.ts";
import { RecordedHistory, type SchemaHistoryOptions } from "./schema-history.ts";
import { FileStore, memoryStore, topicStore } from "./stores.ts";

const PREFIX = "schema.history.internal.";
/** Settings that the reference does not list in its ConfigDef, with their defaults. */
export const HISTORY_SETTINGS: readonly (readonly [name: string, value: string | null])[] = [
  [`${PREFIX}kafka.topic`, null],
  [`${PREFIX}kafka.bootstrap.servers`, null],
  [`${PREFIX}kafka.recovery.poll.interval.ms`, "100"],
  [`${PREFIX}kafka.recovery.attempts`, "100"],
  [`${PREFIX}kafka.query.timeout.ms`, "3000"],
  [`${PREFIX}kafka.create.timeout.ms`, "30000"],
  [`${PREFIX}file.filename`, null],
  [`${PREFIX}name`, null],
  [`${PREFIX}ddl.filter`, null],
  // The reference knows the filter by this name only.
  [`internal.${PREFIX}ddl.filter`, null],
];
/** Class names by their last part; the older ones are of Debezium before 2.0. */
const KINDS: Readonly<Record<string, "kafka" | "file" | "memory">> = {
  KafkaSchemaHistory: "kafka",
  KafkaDatabaseHistory: "kafka",
  FileSchemaHistory: "file",
  FileDatabaseHistory: "file",
  MemorySchemaHistory: "memory",
  MemoryDatabaseHistory: "memory",
};
const value = (s: Settings, name: string): string | null =>
  s.optional(PREFIX + name) ?? HISTORY_SETTINGS.find(([n]) => n === PREFIX + name)?.[1] ?? null;
function required(s: Settings, name: string): string {
  const found = value(s, name);
  if (found === null || found === "")
    throw new ConfigError(
      `Error configuring an instance of the schema history: the '${PREFIX}${name}' value is invalid: A value is required`,
    );
  return found;
}
function milliseconds(s: Settings, name: string): number {
  const n = Number(value(s, name));
  if (!Number.isInteger(n) || n < 0)
    throw new ConfigError(
      `Error configuring an instance of the schema history: the '${PREFIX}${name}' value is invalid: An integer is expected`,
    );
  return n;
}
const passed = (s: Settings, kind: "producer" | "consumer"): Record<string, string> =>
  Object.fromEntries(
    s
      .matching(kind === "producer" ? /^schema\.history\.internal\.producer\.(.+)$/ : /^schema\.history\.internal\.consumer\.(.+)$/)
      .map((m) => [m.match[1] ?? "", m.value]),
  );

interface Kept {
  readonly store: HistoryStore;
  readonly checkpoints: HistoryCheckpoints | null;
}
function kafka(s: Settings, context: Pick<SourceTaskContext, "ownTopic" | "connectorName">): Kept {
  const name = required(s, "kafka.topic");
  const servers = required(s, "kafka.bootstrap.servers");
  if (context.ownTopic === undefined) throw new ConfigError(`'${PREFIX}kafka.topic': there is no Kafka for the schema history here`);
  const stallMs = Math.max(1_000, milliseconds(s, "kafka.recovery.attempts") * milliseconds(s, "kafka.recovery.poll.interval.ms"));
  const id = value(s, "name") ?? `${context.connectorName}-schemahistory`;
  const own = (topic: string): OwnTopic | undefined =>
    context.ownTopic?.({
      topic,
      producer: { "bootstrap.servers": servers, "client.id": id, ...passed(s, "producer") },
      consumer: {
        "bootstrap.servers": servers,
        "client.id": id,
        "group.id": id,
        "auto.offset.reset": "earliest",
        ...passed(s, "consumer"),
      },
      stallMs,
    });
  const topic = own(name);
  const beside = own(`${name}.checkpoint`);
  if (topic === undefined) throw new ConfigError(`'${PREFIX}kafka.topic': there is no Kafka for the schema history here`);
  const timeouts = { queryMs: milliseconds(s, "kafka.query.timeout.ms"), createMs: milliseconds(s, "kafka.create.timeout.ms") };
  return { store: topicStore(topic, name, timeouts), checkpoints: beside === undefined ? null : topicCheckpoints(beside) };
}
const classOf = (s: Settings): string => s.optional("schema.history.internal") ?? "KafkaSchemaHistory";
const kindOf = (className: string): "kafka" | "file" | "memory" | undefined => KINDS[className.split(".").at(-1) ?? ""];
export type HistoryPlace =
  | { readonly kind: "file"; readonly name: string }
  | {
      readonly kind: "kafka";
      readonly name: string;
      readonly servers: string;
      /** Settings of its clients beside the servers. */
      readonly producer: Readonly<Record<string, string>>;
    };
/** Where the records are kept; null: nowhere, or the settings do not say. */
export function historyPlace(s: Settings): HistoryPlace | null {
  const kind = kindOf(classOf(s));
  const name = value(s, kind === "file" ? "file.filename" : "kafka.topic") ?? "",
    servers = value(s, "kafka.bootstrap.servers") ?? "";
  if (name === "") return null;
  if (kind === "file") return { kind, name };
  return kind === "kafka" && servers !== "" ? { kind, name, servers, producer: passed(s, "producer") } : null;
}
function kept(s: Settings, context: Pick<SourceTaskContext, "ownTopic" | "connectorName">, memory: HistoryStore): Kept {
  const className = classOf(s);
  const kind = kindOf(className);
  if (kind === "kafka") return kafka(s, context);
  if (kind === "memory") return { store: memory, checkpoints: null };
  if (kind === undefined)
    throw new ConfigError(
      `Unable to instantiate the schema history class ${className}: there are KafkaSchemaHistory, FileSchemaHistory and MemorySchemaHistory`,
    );
  const name = required(s, "file.filename");
  const roots = fileRoots(process.env);
  return {
    store: new FileStore(name, () => confine(name, roots)),
    checkpoints: fileCheckpoints(() => confine(`${name}.checkpoint`, roots)),
  };
}
/** Throws ConfigError for what the settings lack. Nothing is opened yet. `memory`: where MemorySchemaHistory keeps its records. */
export function openSchemaHistory(
  s: Settings,
  context: Pick<SourceTaskContext, "ownTopic" | "connectorName" | "log">,
  options: Omit<SchemaHistoryOptions, "store" | "checkpoints" | "log"> & { readonly memory?: HistoryStore },
): SchemaHistory {
  const { memory = memoryStore(), ...others } = options;
  return new RecordedHistory({ ...others, ...kept(s, context, memory), log: context.log });
}
