/** Key or value of a record: the half that a `$Key` or `$Value` transform works on. */
import { DataError } from "#connect/api/errors";
import { isMap, javaClassName } from "#connect/api/java-text";
import type { ConnectRecord } from "#connect/api/record";
import type { Schema, SchemaField } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectMap, ConnectValue } from "#connect/api/value";

export interface Side {
  readonly isKey: boolean;
  schema(record: ConnectRecord): Schema | null;
  value(record: ConnectRecord): ConnectValue;
  with<R extends ConnectRecord>(record: R, schema: Schema | null, value: ConnectValue): R;
}
const keySide: Side = {
  isKey: true,
  schema: (r) => r.keySchema,
  value: (r) => r.key,
  with: (r, keySchema, key) => ({ ...r, keySchema, key }),
};
const valueSide: Side = {
  isKey: false,
  schema: (r) => r.valueSchema,
  value: (r) => r.value,
  with: (r, valueSchema, value) => ({ ...r, valueSchema, value }),
};
export const sideOf = (className: string): Side => (className.endsWith("$Key") ? keySide : valueSide);
/** The class names of a transform that has a variant for keys and one for values. */
export const bothSides = (name: string): readonly string[] => [
  `org.apache.kafka.connect.transforms.${name}$Value`,
  `org.apache.kafka.connect.transforms.${name}$Key`,
];

/** `purpose` stands in the message of the DataError: `Only Map objects supported in absence of schema for [purpose], …`. */
export function requireMap(value: ConnectValue, purpose: string): ConnectMap {
  if (isMap(value)) return value;
  throw new DataError(`Only Map objects supported in absence of schema for [${purpose}], found: ${javaClassName(value)}`);
}
export const requireMapOrNull = (value: ConnectValue, purpose: string): ConnectMap | null =>
  value === null ? null : requireMap(value, purpose);
export function requireStruct(value: ConnectValue, purpose: string, schema: Schema | null = null): Struct {
  if (value instanceof Struct) return value;
  throw new DataError(`Only Struct objects supported for [${purpose}], found: ${javaClassName(value, schema)}`);
}
export const requireStructOrNull = (value: ConnectValue, purpose: string, schema: Schema | null = null): Struct | null =>
  value === null ? null : requireStruct(value, purpose, schema);
export function requireSchema(schema: Schema | null, purpose: string): Schema {
  if (schema === null) throw new DataError(`Schema required for [${purpose}]`);
  return schema;
}
/** Values of these fields in a new array with room for `more`; nulls with a default take it where that is asked for. */
export function slotsOf(s: Struct, fields: readonly SchemaField[], withDefault: boolean, more = 0): ConnectValue[] {
  const n = fields.length;
  const out = new Array<ConnectValue>(n + more);
  for (let i = 0; i < n; i++) {
    const f = fields[i];
    if (f !== undefined) out[i] = slotOf(s, f.index, f.schema, withDefault);
  }
  return out;
}
/** A field's value, with its default in place of null when asked for. */
export const slotOf = (s: Struct, index: number, schema: Schema, withDefault: boolean): ConnectValue =>
  s.at(index) ?? (withDefault ? (schema.default ?? null) : null);

/** `a:b` in its parts; as Java's String.split has it, empty ones at the end do not count. */
export function splitPair(text: string): string[] {
  const parts = text.split(":");
  while (parts.length > 1 && parts.at(-1) === "") parts.pop();
  return parts;
}

/** Results by input schema: the same schema object gives the same result object, which keeps converters' caches warm. */
export function bySchema<T>(make: (schema: Schema) => T): (schema: Schema) => T {
  const known = new WeakMap<Schema, T>();
  let lastSchema: Schema | undefined, last: T | undefined;
  return (schema) => {
    if (schema === lastSchema && last !== undefined) return last;
    let found = known.get(schema);
    if (found === undefined) {
      found = make(schema);
      known.set(schema, found);
    }
    lastSchema = schema;
    last = found;
    return found;
  };
}
