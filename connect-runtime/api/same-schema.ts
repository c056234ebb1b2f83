/** Structural equality of schemas and values: Java's equals. */
import { isList, isMap } from "./java-text.ts";
import type { Schema } from "./schema.ts";
import { Struct } from "./struct.ts";
import { Boxed, Decimal, type ConnectValue } from "./value.ts";

export function sameSchema(a: Schema | null, b: Schema | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (a.type !== b.type || a.optional !== b.optional || a.name !== b.name || a.version !== b.version || a.doc !== b.doc) return false;
  if (!sameParameters(a.parameters, b.parameters) || !sameValue(a.default ?? null, b.default ?? null)) return false;
  if (a.fields.length !== b.fields.length) return false;
  for (let i = 0; i < a.fields.length; i++) {
    const x = a.fields[i],
      y = b.fields[i];
    if (x === undefined || y === undefined || x.name !== y.name || !sameSchema(x.schema, y.schema)) return false;
  }
  return sameSchema(a.keySchema, b.keySchema) && sameSchema(a.valueSchema, b.valueSchema);
}
function sameParameters(a: Schema["parameters"], b: Schema["parameters"]): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => a[k] === b[k]);
}
export function sameValue(a: ConnectValue, b: ConnectValue): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Decimal) return b instanceof Decimal && a.unscaled === b.unscaled && a.scale === b.scale;
  if (a instanceof Boxed) return b instanceof Boxed && a.type === b.type && a.value === b.value;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Struct) return b instanceof Struct && sameSchema(a.schema, b.schema) && a.slots.every((v, i) => sameValue(v, b.at(i)));
  if (isMap(a)) return isMap(b) && a.size === b.size && Array.from(a).every(([k, v]) => b.has(k) && sameValue(v, b.get(k) ?? null));
  return isList(a) && isList(b) && a.length === b.length && a.every((v, i) => sameValue(v, b[i] ?? null));
}
