/** What a field is in one particular version: the questions that the compiler and the interpreter both ask. */
import { type Field, type Shape, ZERO_UUID } from "./schema.ts";

export interface Layout {
  readonly version: number;
  readonly flexible: boolean;
}
export const isPresent = (field: Field<unknown>, version: number): boolean =>
  version >= (field.since ?? 0) && version <= (field.until ?? Number.POSITIVE_INFINITY);
export const isTagged = (field: Field<unknown>, layout: Layout): boolean =>
  field.tag !== undefined && layout.flexible && layout.version >= (field.taggedSince ?? field.since ?? 0);
export const isNullable = (field: Field<unknown>, version: number): boolean =>
  field.nullable === true || (field.nullable !== undefined && version >= field.nullable);
export const isCompact = (field: Field<unknown>, layout: Layout): boolean => layout.flexible && field.compact !== false;

const EMPTY = new Uint8Array(0);
/** The value of a field that is not on the wire. Structs and arrays are made anew for each message. */
export function defaultOf(field: Field<unknown>): unknown {
  if (field.default !== undefined) return field.default;
  switch (field.kind) {
    case "bool":
      return false;
    case "string":
      return "";
    case "uuid":
      return ZERO_UUID;
    case "bytes":
    case "records":
      return EMPTY;
    case "array":
      return [];
    case "struct":
      return defaultsOf(field.shape ?? {});
    default:
      return 0;
  }
}
export function defaultsOf(shape: Shape): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, defaultOf(field)]));
}
/** Whether a given value is the default, so that a tagged or absent field need not be written. */
export function isDefault(field: Field<unknown>, value: unknown): boolean {
  if (value === undefined) return true;
  const expected = defaultOf(field);
  if (field.kind === "array") return value === null ? expected === null : Array.isArray(value) && value.length === 0 && expected !== null;
  if (field.kind === "bytes" || field.kind === "records")
    return value === expected || (value instanceof Uint8Array && value.length === 0 && expected !== null);
  if (field.kind !== "struct") return value === expected;
  if (value === null) return expected === null;
  return Object.entries(field.shape ?? {}).every(([name, inner]) => isDefault(inner, Reflect.get(value, name)));
}
