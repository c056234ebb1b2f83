/** Lists of regular expressions in settings, as Debezium reads them: Java's syntax, the whole text, without regard to case. */
import { ConfigError } from "#connect/api/errors";
import { JavaRegex } from "#connect/api/java-regex";

/** Parts of a comma-separated list; `\,` is a comma inside an expression. */
export const splitExpressions = (list: string): readonly string[] =>
  list
    .split(/(?<!\\),/)
    .map((s) => s.trim().replaceAll("\\,", ","))
    .filter((s) => s !== "");

export interface Expression {
  test(text: string): boolean;
}
/** Throws ConfigError naming the setting. */
export function anchored(expression: string, setting: string, options: { readonly dotAll?: boolean } = {}): Expression {
  try {
    const regex = new JavaRegex(expression, { ignoreCase: true, ...options });
    return { test: (text) => regex.matches(text) };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `The '${setting}' value is invalid: A comma-separated list of valid regular expressions is expected, but ${problem}`,
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
