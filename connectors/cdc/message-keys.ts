/** `message.key.columns`: `schema.table:column,column;…`, the table part being a regular expression. */
import { ConfigError } from "#connect/api/errors";
import { anchored } from "./expressions.ts";

/** Null: the table's own key counts, also where none of the columns is there. Columns come as they are listed. */
export type MessageKeys = (schema: string, table: string, columns: readonly string[]) => readonly string[] | null;

/** Rules as they were given, split as Java does: empty ones at the end do not count, unless there is nothing else at all. */
export function splitRules(setting: string): readonly string[] {
  const rules = setting.replace(/;+$/, "");
  return rules === "" && setting !== "" ? [] : rules.split(";");
}

export function messageKeys(setting: string | null): MessageKeys {
  if (setting === null || setting.trim() === "") return () => null;
  // Table and column are one expression for the column's whole name, and all rules count, not only a table's first.
  const expressions = splitRules(setting)
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .flatMap((rule) => {
      const at = rule.lastIndexOf(":");
      if (at < 1)
        throw new ConfigError(`The 'message.key.columns' value is invalid: ${rule} has an invalid format (expecting '<table>:<column>,…')`);
      const table = rule.slice(0, at).trim();
      return rule
        .slice(at + 1)
        .split(",")
        .map((column) => anchored(`${table}.${column.trim()}`, "message.key.columns"));
    });
  return (schema, table, columns) => {
    const found = new Set(expressions.flatMap((e) => columns.filter((name) => e.test(`${schema}.${table}.${name}`))));
    return found.size === 0 ? null : [...found];
  };
}
