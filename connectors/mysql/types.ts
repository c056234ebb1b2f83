/** Which representation a column has: from the type in its definition and the handling modes. */
import type { Column } from "../cdc/table-model.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";
import { binaryType, geometryType, pointType, vectorType } from "./types-binary.ts";
import { bigintType, bitType, decimalType, floatType, integerType, yearType } from "./types-numeric.ts";
import { addressType, characterType, enumType, jsonType, setType, uuidType } from "./types-text.ts";
import { datetimeType, dateType, timestampType, timeType } from "./types-temporal.ts";

const GEOMETRIES = new Set([
  "GEOMETRY",
  "LINESTRING",
  "POLYGON",
  "MULTIPOINT",
  "MULTILINESTRING",
  "MULTIPOLYGON",
  "GEOMETRYCOLLECTION",
  "GEOMCOLLECTION",
]);

function integer(name: string, unsigned: boolean, zerofill: boolean, modes: TypeModes): ColumnType | null {
  switch (name) {
    case "TINYINT":
    case "INT1":
      return integerType("INT16", unsigned, zerofill);
    case "BOOL":
    case "BOOLEAN":
      return integerType("INT16", false);
    case "SMALLINT":
    case "INT2":
      return integerType(unsigned ? "INT32" : "INT16", unsigned, zerofill);
    case "MEDIUMINT":
    case "INT3":
    case "MIDDLEINT":
      return integerType("INT32", unsigned, zerofill);
    case "INT":
    case "INTEGER":
    case "INT4":
      return integerType(unsigned ? "INT64" : "INT32", unsigned, zerofill);
    case "BIGINT":
    case "INT8":
      return bigintType(unsigned, modes);
    case "SERIAL":
      return bigintType(true, modes);
    default:
      return null;
  }
}
function approximate(name: string, column: Column): ColumnType | null {
  if (/^(FLOAT|FLOAT4)$/.test(name)) {
    const single = column.scale === null && (column.length ?? 0) <= 24;
    return floatType(single, single || column.scale !== null);
  }
  return /^(DOUBLE|DOUBLE PRECISION|REAL|FLOAT8)$/.test(name) ? floatType(false, false) : null;
}
function temporal(name: string, column: Column, modes: TypeModes): ColumnType | null {
  switch (name) {
    case "DATE":
      return dateType(modes);
    case "TIME":
      return timeType(modes);
    case "DATETIME":
      return datetimeType(column.length ?? 0, modes);
    case "TIMESTAMP":
      return timestampType(column.length ?? 0, modes);
    case "YEAR":
      return yearType(modes);
    default:
      return null;
  }
}
function structured(name: string, column: Column, modes: TypeModes): ColumnType | null {
  const charset = column.detail?.storedCharset;
  if (GEOMETRIES.has(name)) return geometryType;
  switch (name) {
    case "POINT":
      return pointType;
    case "VECTOR":
      return vectorType;
    case "JSON":
      // MariaDB's, after CONVERT TO CHARACTER SET.
      return charset === undefined ? jsonType : { ...jsonType, binlog: characterType(charset, modes).binlog };
    case "ENUM":
      return enumType(column.enumValues);
    case "SET":
      return setType(column.enumValues);
    case "UUID":
      return uuidType;
    case "INET4":
      return addressType(4);
    case "INET6":
      return addressType(16);
    default:
      return null;
  }
}

/** Null: no representation; the column is left out. */
export function columnType(column: Column, modes: TypeModes): ColumnType | null {
  const full = column.typeName.toUpperCase();
  const name = full.replace(/\s+(UNSIGNED|SIGNED|ZEROFILL)\b/g, "").trim();
  const zerofill = full.includes("ZEROFILL");
  const unsigned = zerofill || full.includes("UNSIGNED");
  if (/^(DECIMAL|DEC|NUMERIC|FIXED)$/.test(name)) return decimalType(column.length ?? 10, column.scale ?? 0, modes);
  if (name === "BIT") return bitType(column.length ?? 1);
  if (/BLOB$|^(VARBINARY|BINARY VARYING|LONG VARBINARY)$/.test(name)) return binaryType(null, modes);
  if (name === "BINARY") return binaryType(column.length ?? 1, modes);
  return (
    integer(name, unsigned, zerofill, modes) ??
    approximate(name, column) ??
    temporal(name, column, modes) ??
    structured(name, column, modes) ??
    (/CHAR|TEXT|^LONG/.test(name) ? character(column, modes) : null)
  );
}
function character(column: Column, modes: TypeModes): ColumnType {
  const charset = column.detail?.storedCharset ?? column.charsetName;
  return charset === "binary" ? binaryType(null, modes) : characterType(charset, modes);
}
