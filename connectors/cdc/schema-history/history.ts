/** The schema history: every DDL in its place, from which the tables at any position can be built again. */
import type { Table, TableChange } from "../table-model.ts";

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

/** Where records are kept. Records are whole lines of JSON text. */
export interface HistoryStore {
  /** For messages: `Kafka topic x`, `file y`. */
  readonly description: string;
  /** The storage is there (it may be empty). */
  exists(): Promise<boolean>;
  /** Makes the storage; nothing if it is there. */
  create(): Promise<void>;
  /** All records in order, oldest first; `from` skips that many. Finite: up to the end as it was at the call. */
  read(from: number): AsyncIterable<string>;
  /** Resolves when the records are durable, in order. */
  append(records: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface RecoveredHistory {
  /** Records that were applied, and that were left out because they are after the position or of another source. */
  readonly applied: number;
  readonly skipped: number;
  /** Position of the last applied record; null: none. */
  readonly last: JsonObject | null;
}
/** What builds the tables again: the connector's schema. */
export interface HistoryTarget {
  /** A record with table changes, or with only a statement (`ddl`), which the connector's parser reads. */
  apply(record: HistoryRecord): void;
  /** For compact snapshots; null: this target's state cannot be saved (records are replayed from the first). */
  readonly state: { save(): JsonObject; load(state: JsonObject): void } | null;
}
export interface SchemaHistory {
  /** The storage is there. */
  storageExists(): Promise<boolean>;
  /** There is at least one record of this source. */
  exists(): Promise<boolean>;
  initialize(): Promise<void>;
  /** Resolves when durable: only then may the offset after it be handed on. In the order of the calls. */
  record(records: readonly HistoryRecord[]): Promise<void>;
  /** Exactly once for each task start; throws SchemaHistoryError naming the gap when the records do not reach `position`. */
  recover(position: JsonObject, target: HistoryTarget): Promise<RecoveredHistory>;
  close(): Promise<void>;
}
export type { Table, TableChange };
