/** Naming styles of Debezium's JDBC sink. */
import type { ConfigDef, ConfigKey } from "#connect/api/config";
import { debeziumError } from "./debezium.ts";

const STYLES = ["SNAKE_CASE", "CAMEL_CASE", "UPPER_CASE", "LOWER_CASE", "DEFAULT"] as const;
const snake = (name: string): string =>
  name
    .replace(/([\p{Ll}0-9])(\p{Lu})|([\p{Lu}\p{Ll}])(\d)/gu, "$1$3_$2$4")
    .replaceAll(".", "_")
    .toLowerCase();
const camel = (name: string): string => name.toLowerCase().replace(/[._]+(.?)/gu, (_, next: string) => next.toUpperCase());

/** Throws ConnectError (io.debezium.DebeziumException) for an unknown style. */
export function namingStyle(style: string): (name: string) => string {
  switch (STYLES.find((s) => s === style.toUpperCase())) {
    case "SNAKE_CASE":
      return snake;
    case "CAMEL_CASE":
      return camel;
    case "UPPER_CASE":
      return (name) => name.toUpperCase();
    case "LOWER_CASE":
      return (name) => name.toLowerCase();
    case "DEFAULT":
      return (name) => name;
    default:
      throw debeziumError(`Invalid naming style: ${style}. Allowed styles are: ${STYLES.join(", ")}`);
  }
}
export const namingConfig = (what: "collection" | "column"): ConfigDef => [
  { ...declared(what, "prefix", "Name Prefix"), default: "", doc: `Put before each ${what} name.` },
  { ...declared(what, "suffix", "Name Suffix"), default: "", doc: `Put after each ${what} name.` },
  {
    ...declared(what, "style", "Naming Style"),
    default: "default",
    doc: "snake_case, camel_case, UPPER_CASE, lower_case or default (as it is).",
  },
];
/** As Debezium declares them: those of columns have a display name and a place. */
function declared(what: "collection" | "column", part: string, label: string): Omit<ConfigKey, "doc"> {
  const shape = { name: `${what}.naming.${part}`, type: "STRING", importance: "LOW" } as const;
  return what === "collection" ? shape : { ...shape, orderInGroup: 1, displayName: `Column ${label}` };
}
