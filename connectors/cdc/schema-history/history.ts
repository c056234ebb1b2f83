/** The schema history: every DDL in its place, from which the tables at any position can be built again. */
import type { TableChange } from "../table-model.ts";
import type { HistoryFigures } from "./history-figures.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Debezium's HistoryRecord (io.debezium.relational.history). */
export interface HistoryRecord {
  /** The partition of the offset, e.g. `{ server: "prefix" }`. */
  readonly source: JsonObject;
  readonly position: JsonObject;
  readonly tsMs: number | null;
  readonly databaseName: string | null;
  readonly schemaName: string | null;
  readonly ddl: string | null;
  readonly tableChanges: readonly TableChange[];
}
/** True: `position` is at or before `limit`, so its change belongs to the schema there. Given by the connector. */
export type AtOrBefore = (position: JsonObject, limit: JsonObject) => boolean;

/** Where records are kept; a record is a JSON text. Places are numbers that grow. */
export interface HistoryStore {
  /** For messages: `Kafka topic x`, `file y`. */
  readonly description: string;
  /** Place of the first record and after the last; null: there is no storage. */
  range(): Promise<{ readonly start: number; readonly end: number } | null>;
  /** Makes the storage; nothing if it is there. */
  create(): Promise<void>;
  /** Records from a place on, oldest first, up to the end as it was at the call. Null texts are passed over. */
  read(from: number): AsyncIterable<{ readonly place: number; readonly text: string | null }>;
  /** Resolves when the records are durable, in order. */
  append(records: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
/** The newest state that was saved beside the history, for each source one. Losing it costs time only. */
export interface HistoryCheckpoints {
  load(source: string): Promise<Checkpoint | null>;
  save(source: string, checkpoint: Checkpoint): Promise<void>;
  close(): Promise<void>;
}
/** How connectors see it; `openSchemaHistory` makes one. */
export interface SchemaHistory {
  readonly description: string;
  /** For metrics. */
  readonly figures: Pick<HistoryFigures, "report">;
  /** The storage is there, perhaps empty. */
  storageExists(): Promise<boolean>;
  /** There are records (of any source, as Debezium looks). */
  exists(): Promise<boolean>;
  initialize(): Promise<void>;
  /** Resolves when durable: only then may the offset after it be handed on. In the order of the calls. */
  record(records: readonly HistoryRecord[]): Promise<void>;
  /** Throws ConnectError naming what is missing. A second call throws: a task recovers once. */
  recover(position: JsonObject, target: HistoryTarget): Promise<RecoveredHistory>;
  close(): Promise<void>;
}
export interface Checkpoint {
  /** Place of the first record that is not in the state. */
  readonly next: number;
  /** Every record in it is at or before this position. */
  readonly position: JsonObject;
  /** SHA-256 of the record before `next`: another log with the same places is not taken for this one. */
  readonly mark: string;
  readonly state: JsonObject;
}

export interface RecoveredHistory {
  /** Records that were applied, and that were left out because they are after the position or of another source. */
  readonly applied: number;
  readonly skipped: number;
  /** Position of the last applied record; null: none. */
  readonly last: JsonObject | null;
  /** Records that a checkpoint spared. */
  readonly spared: number;
}
/** What builds the tables again: the connector's schema. */
export interface HistoryTarget {
  /** A record with table changes, or with only a statement (`ddl`), which the connector's parser reads. */
  apply(record: HistoryRecord): void;
  /** For checkpoints; null: this target's state cannot be saved. */
  readonly state: { save(): JsonObject; load(state: JsonObject): void } | null;
}
