/** Naming styles of Debezium's JDBC sink. */
import type { ConfigDef } from "#connect/api/config";
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
  { name: `${what}.naming.prefix`, type: "STRING", default: "", importance: "LOW", doc: `Put before each ${what} name.` },
  { name: `${what}.naming.suffix`, type: "STRING", default: "", importance: "LOW", doc: `Put after each ${what} name.` },
  {
    name: `${what}.naming.style`,
    type: "STRING",
    default: "default",
    importance: "LOW",
    doc: `snake_case, camel_case, UPPER_CASE, lower_case or default (as it is).`,
  },
];
