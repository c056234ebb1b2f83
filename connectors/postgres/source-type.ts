/** Types of columns as the reference tells them (`column.propagate.source.type`). */
import type { SourceType } from "../cdc/source-type.ts";
import type { PgType, TypeRegistry } from "./type-registry.ts";

const UNLIMITED = 2_147_483_647;
const FIXED: Readonly<Record<string, readonly [length: number, scale: number]>> = {
  int2: [5, 0],
  int4: [10, 0],
  int8: [19, 0],
  oid: [10, 0],
  float4: [8, 8],
  float8: [17, 17],
  bool: [1, 0],
  date: [13, 0],
};

/** Length and scale as the reference's driver reports them. */
function sizeOf(name: string, typmod: number): readonly [length: number, scale: number] {
  const fixed = FIXED[name];
  if (fixed !== undefined) return fixed;
  const fraction = typmod === -1 ? 6 : typmod;
  const digits = fraction === 0 ? 0 : fraction === 1 ? 3 : fraction + 1;
  switch (name) {
    case "numeric":
      return typmod === -1 ? [131_089, 0] : [((typmod - 4) >> 16) & 0xffff, (typmod - 4) & 0xffff];
    case "varchar":
    case "bpchar":
      return [typmod === -1 ? UNLIMITED : typmod - 4, 0];
    case "time":
      return [8 + digits, fraction];
    case "timetz":
      return [14 + digits, fraction];
    case "timestamp":
      return [22 + digits, fraction];
    case "timestamptz":
      return [28 + digits, fraction];
    case "interval":
      return [49, fraction];
    case "bit":
    case "varbit":
      return [typmod === -1 ? (name === "bit" ? 1 : UNLIMITED) : typmod, 0];
    default:
      return [UNLIMITED, 0];
  }
}

/** `typeName`: the column's own type, which may be a domain; `source`: what it comes down to. */
export function sourceTypeOf(
  column: string,
  typeName: string,
  source: { readonly type: PgType; readonly typmod: number },
  types: TypeRegistry,
): SourceType {
  const element = source.type.element === 0 ? source.type : (types.get(source.type.element) ?? source.type);
  const [length, scale] = sizeOf(element.name, source.typmod);
  return { name: column, typeName: typeName.toUpperCase(), length, scale };
}
