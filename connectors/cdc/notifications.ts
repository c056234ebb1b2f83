/** Notifications about snapshots (`notification.enabled.channels`): to a topic, to the log. */
import { randomUUID } from "node:crypto";
import type { Logger } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { INT64, mapOf, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "./settings.ts";
import { SnapshotFigures } from "./snapshot-figures.ts";

const KEY: Schema = structOf([["id", STRING]], { name: "io.debezium.connector.common.NotificationKey", version: 1 });
const VALUE: Schema = structOf(
  [
    ["id", STRING],
    ["type", STRING],
    ["aggregate_type", STRING],
    ["additional_data", mapOf(STRING, STRING, { optional: true })],
    ["timestamp", INT64],
  ],
  { name: "io.debezium.connector.common.Notification", version: 1 },
);

export type Aggregate = "Initial Snapshot" | "Incremental Snapshot" | "Capture Instance";

export interface NotificationTarget {
  readonly partition: SourcePartition;
  readonly log: Logger;
  /** The position that the notification's record carries. */
  readonly offset: () => SourceOffset;
  readonly emit: (record: SourceRecord) => void;
}

export class Notifier {
  readonly #topic: string | null;
  readonly #toLog: boolean;
  readonly #connector: string;
  readonly #target: NotificationTarget;
  /** For metrics. */
  readonly figures = new SnapshotFigures();
  /** Told of each, whether or not anybody else is. */
  observe: ((aggregate: Aggregate, type: string, data: Readonly<Record<string, string>>) => void) | null = null;

  constructor(settings: Settings, target: NotificationTarget) {
    const channels = settings.list("notification.enabled.channels").map((c) => c.toLowerCase());
    const topic = settings.optional("notification.sink.topic.name");
    if (channels.includes("sink") && topic === null)
      throw new ConfigError(
        "The 'notification.sink.topic.name' value is invalid: Notification topic name must be provided when sink notification channel is enabled",
      );
    this.#topic = channels.includes("sink") ? topic : null;
    this.#toLog = channels.includes("log");
    this.#connector = settings.string("topic.prefix");
    this.#target = target;
  }
  /** Of an initial or a blocking snapshot. `collections`: ids of tables, with commas. */
  tableBegun(id: string, collections: string): void {
    this.send("Initial Snapshot", "IN_PROGRESS", { current_collection_in_progress: id, data_collections: collections });
  }
  tableScanned(id: string, rows: number, collections: string): void {
    this.send("Initial Snapshot", "TABLE_SCAN_COMPLETED", {
      scanned_collection: id,
      total_rows_scanned: String(rows),
      status: "SUCCEEDED",
      data_collections: collections,
    });
  }
  /** `id` null: a new one. */
  send(aggregate: Aggregate, type: string, data: Readonly<Record<string, string>> = {}, id: string | null = null): void {
    const all = { connector_name: this.#connector, ...data };
    if (aggregate !== "Capture Instance") this.figures.observed(type, data);
    this.observe?.(aggregate, type, data);
    if (this.#toLog) this.#target.log.info(`[Notification Service] ${aggregate} ${type}`, all);
    if (this.#topic === null) return;
    const name = id ?? randomUUID();
    this.#target.emit({
      topic: this.#topic,
      partition: null,
      keySchema: KEY,
      key: new Struct(KEY, [name]),
      valueSchema: VALUE,
      value: new Struct(VALUE, [name, type, aggregate, new Map(Object.entries(all)), BigInt(Date.now())]),
      timestamp: null,
      headers: [],
      // What is said of a capture instance is said after a commit, and has no position of its own.
      sourcePartition: aggregate === "Capture Instance" ? {} : this.#target.partition,
      sourceOffset: aggregate === "Capture Instance" ? {} : this.#target.offset(),
    });
  }
}
