/** Which representation a column has: from the type in the catalogue and the handling modes. */
import { primitive } from "#connect/api/schema";
import * as semantic from "../cdc/semantic-types.ts";
import type { Shape } from "../cdc/semantic-types.ts";
import { ascii, javaDouble } from "../cdc/cell-bytes.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";
import type { PgType, TypeRegistry } from "./type-registry.ts";
import { binaryType, bitsType, bitType, boolType, byteaBytes, stringCell } from "./types-binary.ts";
import { floatType, integerType, moneyType, numericType, oidType } from "./types-numeric.ts";
import { alwaysNull, arrayType, geometryType, hstoreType, pointType } from "./types-structured.ts";
import { dateType, intervalType, timestampType, timestamptzType, timetzType, timeType } from "./types-temporal.ts";
import { doubleVectorType, floatVectorType, sparseVectorType } from "./types-vector.ts";

const string: Shape = (options) => primitive("STRING", options);

function text(shape: Shape, modes: TypeModes, generatedDefault?: string, neutral = ""): ColumnType {
  const type: ColumnType = {
    shape,
    raw: { form: "text", decode: stringCell },
    neutral,
    unavailable: modes.placeholder.toString("utf8"),
  };
  return generatedDefault === undefined ? type : { ...type, generatedDefault };
}

const PLAIN_TEXT = new Set(["text", "varchar", "bpchar"]);
/** Shown as their text, but without defaults. */
const TEXT_LIKE = new Set([
  "char",
  "name",
  "inet",
  "cidr",
  "macaddr",
  "macaddr8",
  "int4range",
  "int8range",
  "numrange",
  "tsrange",
  "tstzrange",
  "daterange",
  "citext",
  "isbn",
]);
/** Arrays of these have no representation in the reference. */
const NO_ARRAYS = new Set(["varbit", "interval", "money", "xml", "point", "int4multirange", "name", "bit"]);
/** The driver of the reference prints these through doubles. */
const GEOMETRIC = new Set(["line", "lseg", "box", "path", "polygon", "circle"]);

/** Fraction digits of a time or timestamp; -1 is the type's maximum, 6. */
const precisionOf = (typmod: number): number => (typmod === -1 ? 6 : typmod);

function temporal(name: string, typmod: number, modes: TypeModes): ColumnType | null {
  switch (name) {
    case "date":
      return dateType(modes);
    case "time":
      return timeType(modes, precisionOf(typmod));
    case "timetz":
      return timetzType();
    case "timestamp":
      return timestampType(modes, precisionOf(typmod));
    case "timestamptz":
      return timestamptzType(precisionOf(typmod));
    case "interval":
      return intervalType(modes);
    default:
      return null;
  }
}
function scalar(name: string, typmod: number, modes: TypeModes): ColumnType | null {
  switch (name) {
    case "int2":
      return integerType("INT16");
    case "int4":
      return integerType("INT32");
    case "int8":
      return integerType("INT64");
    case "oid":
      return oidType;
    case "float4":
      return floatType("FLOAT32");
    case "float8":
      return floatType("FLOAT64");
    case "numeric":
      return numericType(modes, typmod);
    case "money":
      return moneyType(modes);
    case "bool":
      return boolType;
    case "bytea":
      return binaryType(modes, byteaBytes);
    case "bit":
      return bitType(typmod === -1 ? 1 : typmod);
    case "varbit":
      return bitType(typmod === -1 ? null : typmod);
    case "json":
    case "jsonb":
      return text(semantic.json, modes, "{}", "{}");
    case "uuid":
      return text(semantic.uuid, modes, "00000000-0000-0000-0000-000000000000");
    case "xml":
      return text(semantic.xml, modes, "");
    case "tsvector":
      return text(semantic.tsvector, modes);
    case "ltree":
      return text(semantic.ltree, modes);
    case "hstore":
      return hstoreType(modes);
    case "point":
      return pointType();
    case "vector":
      return doubleVectorType;
    case "halfvec":
      return floatVectorType;
    case "sparsevec":
      return sparseVectorType;
    case "geometry":
      return geometryType("Geometry");
    case "geography":
      return geometryType("Geography");
    default:
      return temporal(name, typmod, modes);
  }
}

/** Numbers inside a geometric literal as Java prints doubles. */
const throughDoubles = (literal: string): string => literal.replace(/-?[0-9][0-9.e+-]*|-?Infinity|NaN/g, (n) => javaDouble(Number(n)));

function unknown(type: PgType, modes: TypeModes): ColumnType | null {
  if (!modes.includeUnknown || type.kind === "c") return null;
  const geometric = GEOMETRIC.has(type.name);
  return binaryType(modes, (b, start, end) => {
    const value = ascii(b, start, end);
    return Buffer.from(geometric ? throughDoubles(value) : value, "latin1");
  });
}

/** Times inside arrays go through the driver's Time in the reference, which has no microseconds: `HH:MM:SS.mmm` is left. */
function toMilliseconds(time: ColumnType): ColumnType {
  return { ...time, raw: { form: "decode", decode: (b, start, end) => time.raw.decode(b, start, Math.min(end, start + 12)) } };
}

function arrayOfType(type: PgType, typmod: number, modes: TypeModes, types: TypeRegistry): ColumnType | null {
  const element = types.resolve(type.element, typmod);
  if (element === null) return null;
  if (element.type.name === "bit") return alwaysNull(bitsType(typmod === -1 ? 1 : typmod));
  if (NO_ARRAYS.has(element.type.name)) return null;
  // Arrays are read alike in snapshot and stream.
  const snapshot = modes.snapshot || element.type.name === "date";
  const of = columnType(element.type.oid, element.typmod, { ...modes, snapshot, includeUnknown: false }, types);
  if (of === null) return unknown(type, modes);
  return arrayType(
    element.type.name === "time" ? toMilliseconds(of) : of,
    modes,
    element.type.kind !== "e" && element.type.name !== "tsvector",
  );
}

/** Null: the type is not supported, and the column is left out (`include.unknown.datatypes` false). */
export function columnType(oid: number, typmod: number, modes: TypeModes, types: TypeRegistry): ColumnType | null {
  const resolved = types.resolve(oid, typmod);
  if (resolved === null) return null;
  const { type, typmod: mod } = resolved;
  if (type.element !== 0 && type.name.startsWith("_")) return arrayOfType(type, mod, modes, types);
  if (type.kind === "e") return text(semantic.enumeration(type.labels), modes, "");
  if (PLAIN_TEXT.has(type.name)) return text(string, modes, "");
  if (type.name === "name" && !modes.snapshot && !modes.includeUnknown) return alwaysNull(text(string, modes));
  if (TEXT_LIKE.has(type.name)) return text(string, modes);
  return scalar(type.name, mod, modes) ?? unknown(type, modes);
}
