/**
 * Offsets as JSON text. Integers beyond 2^53 stay exact (bigint); a key is `["connector",{partition}]` as Kafka Connect's
 * OffsetStorageWriter writes it.
 */
import { inHashMapOrder } from "../api/hash-map-order.ts";
import type { OffsetValue, SourceOffset, SourcePartition } from "../api/record.ts";

type OffsetMap = Readonly<Record<string, OffsetValue>>;

const scalar = (value: OffsetValue): string => (typeof value === "bigint" ? value.toString() : JSON.stringify(value));

export function offsetToJson(map: OffsetMap): string {
  let text = "{";
  for (const [key, value] of Object.entries(map)) text += `${text.length > 1 ? "," : ""}${JSON.stringify(key)}:${scalar(value)}`;
  return `${text}}`;
}
/**
 * In the order of a java.util.HashMap, which is what the JVM's connectors make their partitions of: the JVM finds an offset only under
 * the same bytes, and only the same bytes are compacted away.
 */
export const offsetKey = (connector: string, partition: SourcePartition): string =>
  `[${JSON.stringify(connector)},${offsetToJson(Object.fromEntries(inHashMapOrder(Object.entries(partition))))}]`;

/** The same for equal partitions, whatever the order of their keys: writers in other languages order them their own way. */
export function canonicalKey(connector: string, partition: SourcePartition): string {
  const keys = Object.keys(partition);
  if (keys.length < 2) return offsetKey(connector, partition);
  const sorted: Record<string, OffsetValue> = {};
  for (const key of keys.sort()) sorted[key] = partition[key] ?? null;
  return offsetKey(connector, sorted);
}

interface SourceText {
  readonly source?: string;
}
/** JSON.parse with exact integers. Throws SyntaxError. */
function parseExact(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: SourceText): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
    return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(text, exact);
}
function asOffsetMap(value: unknown): OffsetMap | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const map: Record<string, OffsetValue> = {};
  for (const [key, field] of Object.entries(value)) {
    const plain: unknown = field;
    if (
      plain === null ||
      typeof plain === "string" ||
      typeof plain === "number" ||
      typeof plain === "bigint" ||
      typeof plain === "boolean"
    ) {
      map[key] = plain;
    } else return null;
  }
  return map;
}
/** Null: not an offset that Connect could have written. */
export function parseOffset(text: string): SourceOffset | null {
  try {
    return asOffsetMap(parseExact(text));
  } catch {
    return null;
  }
}
/** Null: not a key of an offset record. */
export function parseOffsetKey(text: string): { readonly connector: string; readonly partition: SourcePartition } | null {
  try {
    const key: unknown = parseExact(text);
    if (!Array.isArray(key) || key.length !== 2) return null;
    const connector: unknown = key[0];
    const partition = asOffsetMap(key[1]);
    return typeof connector === "string" && partition !== null ? { connector, partition } : null;
  } catch {
    return null;
  }
}
