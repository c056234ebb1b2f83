/** Typed reading of struct fields, with the errors of Struct.getString and its like. */
import { DataError } from "#connect/api/errors";
import type { SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";

function typed(struct: Struct, name: string, type: SchemaType): ConnectValue {
  const field = struct.field(name);
  if (field.schema.type !== type) throw new DataError(`Field '${name}' is not of type ${type}`);
  return struct.get(name);
}
export function stringField(struct: Struct, name: string): string | null {
  const v = typed(struct, name, "STRING");
  return typeof v === "string" ? v : null;
}
export function structField(struct: Struct, name: string): Struct | null {
  const v = typed(struct, name, "STRUCT");
  return v instanceof Struct ? v : null;
}
export function int64Field(struct: Struct, name: string): bigint | null {
  const v = typed(struct, name, "INT64");
  return typeof v === "bigint" ? v : typeof v === "number" ? BigInt(v) : null;
}
