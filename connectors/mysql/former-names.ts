/** Settings by their names of before 2.0, which articles and older deployments still post. The reference itself refuses them. */
import type { RawConfig } from "#connect/api/config";

const RENAMED: Readonly<Record<string, string>> = {
  "database.server.name": "topic.prefix",
  "database.history": "schema.history.internal",
  "database.whitelist": "database.include.list",
  "database.blacklist": "database.exclude.list",
  "table.whitelist": "table.include.list",
  "table.blacklist": "table.exclude.list",
  "column.whitelist": "column.include.list",
  "column.blacklist": "column.exclude.list",
};
/** Renamed with all that stands behind the prefix. */
const PREFIX = "database.history.";
const CURRENT_PREFIX = "schema.history.internal.";
/** Values of `snapshot.mode`; only in a configuration that has old names. */
const MODES: Readonly<Record<string, string>> = { schema_only: "no_data", schema_only_recovery: "recovery" };
const CLASSES: Readonly<Record<string, string>> = {
  "io.debezium.relational.history.KafkaDatabaseHistory": "io.debezium.storage.kafka.history.KafkaSchemaHistory",
  "io.debezium.relational.history.FileDatabaseHistory": "io.debezium.storage.file.history.FileSchemaHistory",
  "io.debezium.relational.history.MemoryDatabaseHistory": "io.debezium.relational.history.MemorySchemaHistory",
};

function renamed(name: string): string | null {
  const known = RENAMED[name];
  if (known !== undefined) return known;
  return name.startsWith(PREFIX) ? CURRENT_PREFIX + name.slice(PREFIX.length) : null;
}
export const isFormerName = (name: string): boolean => renamed(name) !== null;
/** What old names say, by the current ones; a current name that is there as well wins. One warning for each. */
export function currentNames(config: RawConfig): {
  readonly values: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
} {
  const values: Record<string, string> = {};
  const warnings: string[] = [];
  for (const [old, value] of Object.entries(config)) {
    const name = renamed(old);
    if (name === null || value === null) continue;
    const current = config[name];
    if (current !== undefined && current !== null && current !== "") {
      warnings.push(`the setting '${old}' is now called '${name}', which is given as well and wins`);
      continue;
    }
    values[name] = CLASSES[value] ?? value;
    warnings.push(`the setting '${old}' is now called '${name}'`);
  }
  const mode = config["snapshot.mode"]?.toLowerCase();
  const now = mode === undefined ? undefined : MODES[mode];
  if (now !== undefined && warnings.length > 0) {
    values["snapshot.mode"] = now;
    warnings.push(`the value '${mode}' of 'snapshot.mode' is now called '${now}'`);
  }
  return { values, warnings };
}
