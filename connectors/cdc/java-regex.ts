/** Lists of regular expressions in settings are written for Java; the usual subset means the same in JavaScript. */
import { ConfigError } from "#connect/api/errors";

/** Parts of a comma-separated list; `\,` is a comma inside an expression. */
export const splitExpressions = (list: string): readonly string[] =>
  list
    .split(/(?<!\\),/)
    .map((s) => s.trim().replaceAll("\\,", ","))
    .filter((s) => s !== "");

const QUOTED = /\\Q([\s\S]*?)(?:\\E|$)/g;
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/** The whole text has to match, without regard to case, as Debezium's filters do. Throws ConfigError. */
export function anchored(expression: string, setting: string): RegExp {
  const plain = expression
    .replace(QUOTED, (_, text: string) => text.replace(SPECIAL, "\\$&"))
    .replace(/^\(\?[a-z]+\)/, "")
    .replace(/([*+?}])\+/g, "$1");
  try {
    return new RegExp(`^(?:${plain})$`, "is");
  } catch (cause) {
    throw new ConfigError(
      `The '${setting}' value is invalid: A comma-separated list of valid regular expressions is expected, but '${expression}' is not valid`,
      cause,
    );
  }
}

/** Null: the setting is not there, so it decides nothing. */
export function anyOf(list: string | null, setting: string): ((text: string) => boolean) | null {
  if (list === null || list === "") return null;
  const expressions = splitExpressions(list).map((e) => anchored(e, setting));
  return (text) => expressions.some((e) => e.test(text));
}
