/** Records as a person reads them: JSON where it is JSON, text where it is text, else base64. */
import type { SinkRecord } from "../api/record.ts";
import type { Schema } from "../api/schema.ts";
import { Struct } from "../api/struct.ts";
import type { ShownRecord } from "./preview.ts";

export function shownBytes(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  if (text.includes("\uFFFD")) return { base64: Buffer.from(bytes).toString("base64") };
  try {
    const parsed: unknown = JSON.parse(text, exact);
    return parsed;
  } catch {
    return text;
  }
}
/** Integers beyond 2^53 stay exact. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined || !/^-?\d+$/.test(source)) return value;
  return BigInt(source);
}
/** A Connect value as plain data that JSON can carry. */
export function shownValue(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Struct) return Object.fromEntries(fieldsOf(value.schema).map((name) => [name, shownValue(value.get(name))]));
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map)
    return [...value].every(([k]) => typeof k === "string")
      ? Object.fromEntries([...value].map(([k, v]) => [k, shownValue(v)]))
      : [...value].map(([k, v]) => [shownValue(k), shownValue(v)]);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, typeof v === "bigint" ? v : shownValue(v)]));
  return value;
}
const fieldsOf = (schema: Schema): string[] => (schema.fields ?? []).map((f) => f.name);

export const shownSinkRecord = (record: SinkRecord): ShownRecord => ({
  topic: record.topic,
  partition: record.partition,
  key: shownValue(record.key),
  value: shownValue(record.value),
  timestamp: record.timestamp,
  headers: record.headers.map((h) => ({ key: h.key, value: shownValue(h.value) })),
  source_partition: { kafka_topic: record.originalTopic, kafka_partition: record.originalPartition },
  source_offset: { kafka_offset: record.originalOffset },
});
