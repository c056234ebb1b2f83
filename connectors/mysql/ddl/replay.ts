/**
 * A record of the history applied again. What it says of tables counts (a JVM may have written it); the statement is read for character
 * sets of databases, for variables, and for what the record's tables do not carry (character sets the bytes are in, hidden columns).
 */
import { changeJson } from "../../cdc/schema-history/history-json.ts";
import type { HistoryRecord } from "../../cdc/schema-history/history.ts";
import type { TableChange } from "../../cdc/table-model.ts";
import { type DdlResult, UncertainDdl } from "./ddl.ts";
import type { MysqlSchema } from "./schema.ts";

/** `passed`: nothing could be made of the statement, and the record names no tables. */
export function replayed(schema: MysqlSchema, record: HistoryRecord): "applied" | "passed" {
  const result = record.ddl === null ? null : tried(schema, record.ddl, record.databaseName ?? "");
  const own = result?.events.flatMap((e) => e.changes) ?? [];
  for (const change of record.tableChanges) if (!own.some((o) => sameChange(o, change))) schema.tables.apply(change);
  return result === null && record.tableChanges.length === 0 && record.ddl !== null ? "passed" : "applied";
}
const sameChange = (a: TableChange, b: TableChange): boolean => JSON.stringify(changeJson(a)) === JSON.stringify(changeJson(b));
function tried(schema: MysqlSchema, ddl: string, database: string): DdlResult | null {
  try {
    return schema.apply(ddl, { database });
  } catch (error) {
    if (error instanceof UncertainDdl) return null;
    throw error;
  }
}
/** The first record of a snapshot: the server's variables. */
export const beginsSnapshot = (r: HistoryRecord): boolean => r.position["snapshot"] !== undefined && /^SET\s/i.test(r.ddl ?? "");
