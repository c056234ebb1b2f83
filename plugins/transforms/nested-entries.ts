/** New fields at dotted paths inside an existing struct, as Debezium's HeaderToValue adds them. */
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { requireStruct } from "./side.ts";

export interface NewEntry {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly value: ConnectValue;
}
/** Entries for the struct itself and those below its field `name`. */
const below = (entries: readonly NewEntry[], name: string): NewEntry[] =>
  entries.filter((e) => e.path.length > 1 && e.path[0] === name).map((e) => ({ ...e, path: e.path.slice(1) }));

/** Structs that get something below them lose their optionality, as the reference does. */
export function schemaWith(schema: Schema, entries: readonly NewEntry[]): Schema {
  if (schema.type !== "STRUCT") return schema;
  const builder = new StructBuilder();
  for (const f of schema.fields) {
    const inner = below(entries, f.name);
    builder.field(f.name, inner.length === 0 ? f.schema : schemaWith(f.schema, inner));
  }
  for (const e of entries) if (e.path.length === 1) builder.field(e.path[0] ?? "", e.schema);
  return builder.build(basicsOf(schema));
}
export function structWith(struct: Struct, schema: Schema, entries: readonly NewEntry[]): Struct {
  const slots: ConnectValue[] = struct.schema.fields.map((f) => {
    const value = struct.get(f.name);
    const inner = below(entries, f.name);
    if (value === null || inner.length === 0) return value;
    const target = schema.byName.get(f.name)?.schema ?? f.schema;
    return structWith(requireStruct(value, "Nested field", f.schema), target, inner);
  });
  for (const e of entries) if (e.path.length === 1) slots.push(e.value);
  return new Struct(schema, slots);
}
