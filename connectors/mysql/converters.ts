/**
 * `converters`: the converters that Debezium brings for these databases, built in. Others are Java classes of the user and are
 * refused by name.
 */
import type { RawColumn } from "#connect/api/raw-row";
import { primitive } from "#connect/api/schema";
import { ConfigError } from "#connect/api/errors";
import { anyOf } from "../cdc/expressions.ts";
import type { Settings } from "../cdc/settings.ts";
import type { Column } from "../cdc/table-model.ts";
import { type ColumnType, decoded, type TypeModes } from "./column-type.ts";
import { shortestFloat } from "../cdc/decimal-text.ts";
import { floatType } from "./types-numeric.ts";
import { columnType } from "./types.ts";

/** Null: no converter takes the column. `id`: database.table. */
export type ColumnConverters = (id: string, column: Column) => ColumnType | null;

function anyBit(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (b[i] !== 0) return true;
  return false;
}
/** The reference takes what is above 0 for true. An unsigned cell has no sign to look at. */
const aboveZero = decoded((b, start, end) => anyBit(b, start, end) && (b[start] as number) < 0x80);
const nonZero = decoded(anyBit);
const bitNumber = decoded((b, start, end) => Number(anyBit(b, start, end)));
const MINUS = 0x2d;
const ZERO = 0x30;
const trueFalse = (unsigned: boolean): ColumnType => ({
  shape: (options) => primitive("BOOLEAN", options),
  neutral: false,
  text: decoded((b, start, end) => b[start] !== MINUS && !(end - start === 1 && b[start] === ZERO)),
  binlog: () => (unsigned ? nonZero : aboveZero),
  defaultOf: (t) => (/^(true|false)$/i.test(t) ? /^true$/i.test(t) : Number.isNaN(Number(t)) ? undefined : Number(t) > 0),
});

/** TINYINT(1), also UNSIGNED, as a boolean. `selector`: expressions of database.table.column; `length.checker`: only of length 1. */
function tinyIntOneToBoolean(settings: Settings, name: string): ColumnConverters {
  const selected = anyOf(settings.optional(`${name}.selector`), `${name}.selector`);
  const checked = (settings.optional(`${name}.length.checker`) ?? "true").toLowerCase() !== "false";
  return (id, column) => {
    if (!column.typeName.toUpperCase().startsWith("TINYINT")) return null;
    if (checked && column.length !== 1) return null;
    return selected === null || selected(`${id}.${column.name}`) ? trueFalse(column.typeName.toUpperCase().includes("UNSIGNED")) : null;
  };
}
const BIT_AS_NUMBER: ColumnType = {
  shape: (options) => primitive("INT16", options),
  neutral: 0,
  text: decoded((b, start, end) => Number(anyBit(b, start, end))),
  binlog: () => bitNumber,
  defaultOf: (t) => (/^[01]+$/.test(t) ? Number(t.includes("1")) : undefined),
};
/** Integers: 1 for what is above 0, else 0. */
function positive(plain: ColumnType): ColumnType {
  const of =
    (cell: RawColumn): RawColumn["decode"] =>
    (b, start, end) =>
      Number(Number(cell.decode(b, start, end)) > 0);
  return {
    shape: (options) => primitive("INT16", options),
    neutral: 0,
    text: decoded(of(plain.text)),
    binlog: (wire) => decoded(of(plain.binlog(wire))),
    defaultOf: (t) => (Number.isNaN(Number(t)) ? undefined : Number(Number(t) > 0)),
  };
}
/** A double as the float next to it. */
function rounded(plain: ColumnType): ColumnType {
  const of =
    (cell: RawColumn): RawColumn["decode"] =>
    (b, start, end) =>
      shortestFloat(Math.fround(Number(cell.decode(b, start, end))));
  return {
    ...plain,
    shape: (options) => primitive("FLOAT32", options),
    text: decoded(of(plain.text)),
    binlog: (wire) => decoded(of(plain.binlog(wire))),
  };
}
const INTEGER = /^(BOOL|BOOLEAN|TINYINT|SMALLINT|MEDIUMINT|INT|INTEGER)\b/;
const SINGLE = /^(FLOAT|FLOAT4)\b/;
const DOUBLE = /^(DOUBLE|DOUBLE PRECISION|REAL|FLOAT8)\b/;
/**
 * For a JDBC sink: booleans as INT16, REAL as a double, text with its character set in the schema's parameters. The selectors alone
 * choose; without one no column is chosen.
 */
function jdbcSink(settings: Settings, name: string, modes: TypeModes): ColumnConverters {
  const of = (kind: string): ((text: string) => boolean) =>
    anyOf(settings.optional(`${name}.selector.${kind}`), `${name}.selector.${kind}`) ?? (() => false);
  const booleans = of("boolean"),
    reals = of("real"),
    strings = of("string");
  const treatRealAsDouble = (settings.optional(`${name}.treat.real.as.double`) ?? "true").toLowerCase() === "true";
  return (id, column) => {
    const type = column.typeName.toUpperCase();
    const at = `${id}.${column.name}`;
    if (booleans(at)) {
      if (type === "BIT" && (column.length ?? 1) === 1) return BIT_AS_NUMBER;
      const plain = INTEGER.test(type) ? columnType(column, modes) : null;
      return plain === null ? null : positive(plain);
    }
    if (reals(at)) {
      if (!SINGLE.test(type) && !DOUBLE.test(type)) return null;
      const single = SINGLE.test(type) && column.scale === null && (column.length ?? 0) <= 24;
      const asDouble = floatType(false, single || (SINGLE.test(type) && column.scale !== null));
      return treatRealAsDouble ? asDouble : rounded(asDouble);
    }
    if (/^(CHAR|VARCHAR|TEXT|TINYTEXT|MEDIUMTEXT|LONGTEXT|NCHAR|NVARCHAR)$/.test(type) && strings(at)) {
      const plain = columnType(column, modes);
      if (plain === null) return null;
      const parameters: Record<string, string> =
        column.charsetName === null ? {} : { "__debezium.source.column.character_set": column.charsetName };
      return { ...plain, shape: (options) => plain.shape({ ...options, parameters: { ...options.parameters, ...parameters } }) };
    }
    return null;
  };
}

const CLASSES: Readonly<Record<string, (settings: Settings, name: string, modes: TypeModes) => ColumnConverters>> = {
  "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter": tinyIntOneToBoolean,
  "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter": tinyIntOneToBoolean,
  "io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter": jdbcSink,
  "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter": jdbcSink,
};

/** Throws ConfigError, naming the setting, for a class that is not one of the built-in ones. */
export function convertersOf(settings: Settings, modes: TypeModes): ColumnConverters {
  const made = settings.list("converters").map((name) => {
    const className = settings.optional(`${name}.type`);
    const make = className === null ? undefined : CLASSES[className];
    if (make === undefined)
      throw new ConfigError(
        `The '${name}.type' value is invalid: '${className ?? ""}' is not a converter that is built in; use one of ${Object.keys(CLASSES).join(", ")}, or remove '${name}' from 'converters'`,
      );
    return make(settings, name, modes);
  });
  return (id, column) => {
    for (const convert of made) {
      const type = convert(id, column);
      if (type !== null) return type;
    }
    return null;
  };
}
