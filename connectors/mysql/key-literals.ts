/**
 * Values of key columns, as the server wrote them, back in statements: so that a comparison means the order of the index. Text beside
 * a DECIMAL is compared as a double, and text beside an ENUM or SET by its letters, while their order is that of numbers.
 */
import type { Column } from "../cdc/table-model.ts";
import { literal } from "./catalog.ts";
import { memberText } from "./types-text.ts";

const BINARY = new Set([-2, -3, -4, 2004]);
const EXACT = /^(?:TINY|SMALL|MEDIUM|BIG)?INT(?:EGER)?\b|^(?:DEC|DECIMAL|NUMERIC|FIXED)\b/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** Values of the column are kept in hexadecimal. */
export const isBinary = (column: Column | undefined): boolean => BINARY.has(column?.jdbcType ?? 0);

/** Undefined: the column is not known. */
export function keyLiteral(column: Column | undefined): (value: string) => string {
  if (column === undefined) return literal;
  if (isBinary(column)) return (value) => `X'${value}'`;
  const { typeName, enumValues } = column;
  if (EXACT.test(typeName)) return (value) => (NUMBER.test(value) ? value : literal(value));
  if (!/^(?:ENUM|SET)\b/.test(typeName)) return literal;
  const members = enumValues.map(memberText);
  // The empty text that stands for a value the column does not allow is number 0; so is an empty set.
  if (typeName.startsWith("ENUM")) return (value) => String(members.indexOf(value) + 1);
  return (value) => String(value.split(",").reduce((bits, member) => bits | bit(members.indexOf(member)), 0n));
}
const bit = (at: number): bigint => (at < 0 ? 0n : 1n << BigInt(at));
