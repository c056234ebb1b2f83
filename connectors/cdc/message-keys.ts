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
  const rules = splitRules(setting)
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .map((rule) => {
      const at = rule.lastIndexOf(":");
      if (at < 1)
        throw new ConfigError(`The 'message.key.columns' value is invalid: ${rule} has an invalid format (expecting '<table>:<column>,…')`);
      return {
        table: anchored(rule.slice(0, at).trim(), "message.key.columns"),
        columns: rule
          .slice(at + 1)
          .split(",")
          .map((c) => anchored(c.trim(), "message.key.columns")),
      };
    });
  return (schema, table, columns) => {
    const rule = rules.find((r) => r.table.test(`${schema}.${table}`));
    if (rule === undefined) return null;
    const found = new Set(rule.columns.flatMap((c) => columns.filter((name) => c.test(name))));
    return found.size === 0 ? null : [...found];
  };
}
