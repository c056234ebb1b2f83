/** Which representation a column has: from its type and the handling modes. */
import type { Column } from "../cdc/table-model.ts";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { ColumnType } from "./column-type.ts";
import { bitType, decimalType, floatType, integerType } from "./types-numeric.ts";
import { dateType, timestampType, timeType, zonedType } from "./types-temporal.ts";
import { binaryType, characterType, opaqueTextType } from "./types-text.ts";

const TINY = integerType("INT16"),
  INT = integerType("INT32"),
  BIG = integerType("INT64"),
  REAL = floatType(true),
  FLOAT = floatType(false);

/** `int identity` is int, `decimal() identity` decimal. */
const baseName = (typeName: string): string =>
  typeName
    .toLowerCase()
    .replace(/ identity$/, "")
    .replace(/\(.*\)$/, "");

function byName(column: Column, modes: HandlingModes): ColumnType | null {
  switch (baseName(column.typeName)) {
    case "uniqueidentifier":
      return opaqueTextType;
    case "xml":
      return opaqueTextType;
    case "money":
      return decimalType(19, 4, modes, true);
    case "smallmoney":
      return decimalType(10, 4, modes, true);
    default:
      return null;
  }
}
/** Types of the user have names of their own, so it is the driver's number that counts. */
function byNumber(column: Column, modes: HandlingModes): ColumnType | null {
  const scale = column.scale ?? 0;
  switch (column.jdbcType) {
    case -7:
      return bitType;
    case -6:
    case 5:
      return TINY;
    case 4:
      return INT;
    case -5:
      return BIG;
    case 7:
      return REAL;
    case 8:
      return FLOAT;
    case 2:
    case 3:
      return decimalType(column.length ?? 18, scale, modes);
    case 91:
      return dateType(modes);
    case 92:
      return timeType(scale, modes);
    case 93:
      return timestampType(scale, modes);
    case -155:
      return zonedType;
    case 1:
    case 12:
    case -1:
    case -15:
    case -9:
    case -16:
      return characterType;
    case -2:
    case -4:
      return binaryType(modes);
    case -3:
      return baseName(column.typeName) === "hierarchyid" ? null : binaryType(modes);
    default:
      return null;
  }
}
/** Null: no representation; the column is left out. */
export const columnType = (column: Column, modes: HandlingModes): ColumnType | null => byName(column, modes) ?? byNumber(column, modes);
