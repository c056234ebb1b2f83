/** Column defaults: what the reference makes of the catalogue's expression. It never evaluates one. */
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import type { ColumnType } from "./column-type.ts";

const FUNCTION = /^[(]?[A-Za-z0-9_.]+\((?:.+(?:, ?.+)*)?\)/;
const LITERAL = /'(.*?)'/;
const CURRENT = new Set(["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"]);

function literal(expression: string, placeholder: string): string | null {
  if (FUNCTION.test(expression) || CURRENT.has(expression.toLowerCase())) return placeholder;
  if (!expression.includes("'")) return expression;
  // Quotes inside a literal end it here: `'it''s'` is read as `it`. Literals of several lines are not read.
  return LITERAL.exec(expression)?.[1] ?? null;
}

/** undefined: no default in the schema. */
export function defaultOf(expression: string | null, type: ColumnType): ConnectValue | undefined {
  if (expression === null || type.generatedDefault === undefined || expression.startsWith("NULL::")) return undefined;
  const text = literal(expression, type.generatedDefault);
  if (text === null) return undefined;
  const given = type.defaultFrom?.(text);
  if (given !== undefined) return given ?? undefined;
  const bytes = Buffer.from(text);
  try {
    const value = type.raw.decode(bytes, 0, bytes.length);
    if (value === null || value instanceof Struct) return undefined;
    if (typeof value === "number" && Number.isNaN(value) && text !== "NaN") return undefined;
    return value;
  } catch {
    return undefined;
  }
}
