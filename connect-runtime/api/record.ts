/** The records that pass between connectors, transforms and converters (org.apache.kafka.connect.connector). */
import type { Schema } from "./schema.ts";
import type { ConnectValue } from "./value.ts";

export interface Header {
  readonly key: string;
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}
/** JSON-able: what stands in the offset topic. bigint is written as a JSON integer. */
export type OffsetValue = string | number | bigint | boolean | null;
export type SourcePartition = Readonly<Record<string, OffsetValue>>;
export type SourceOffset = Readonly<Record<string, OffsetValue>>;

interface RecordFields {
  readonly topic: string;
  /** Null: the producer's partitioner decides (source). */
  readonly partition: number | null;
  readonly keySchema: Schema | null;
  readonly key: ConnectValue;
  readonly valueSchema: Schema | null;
  readonly value: ConnectValue;
  /** Milliseconds since the epoch; null: now. */
  readonly timestamp: number | null;
  readonly headers: readonly Header[];
}
/** Transforms return new records made by `{ ...record, … }`; they never change one in place. */
export interface SourceRecord extends RecordFields {
  readonly sourcePartition: SourcePartition;
  readonly sourceOffset: SourceOffset;
}
export interface SinkRecord extends RecordFields {
  readonly partition: number;
  readonly offset: number;
  readonly timestampType: "CREATE_TIME" | "LOG_APPEND_TIME" | "NO_TIMESTAMP_TYPE";
  /** Where the record came from, before any transform renamed it (KIP-793). */
  readonly originalTopic: string;
  readonly originalPartition: number;
  readonly originalOffset: number;
}
export type ConnectRecord = SourceRecord | SinkRecord;
export const isSinkRecord = (r: ConnectRecord): r is SinkRecord => "originalOffset" in r;
