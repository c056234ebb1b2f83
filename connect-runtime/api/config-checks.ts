/** Validators for `ConfigKey.check`: each answers the tail of Kafka's sentence, or null when the value is fine. */
import type { ConfigValue, RawConfig } from "./config.ts";
import { JavaRegex } from "./java-regex.ts";

export type ConfigCheck = (value: ConfigValue, config: RawConfig) => string | null;

/** Bounds are inclusive; null leaves a side open. The value must not be null. */
export function inRange(min: number | null, max: number | null = null): ConfigCheck {
  return (value) => {
    if (value === null) return "Value must be non-null";
    const n = Number(value);
    if (min !== null && n < min) return `Value must be at least ${min}`;
    if (max !== null && n > max) return `Value must be no more than ${max}`;
    return null;
  };
}
export function oneOf(...allowed: readonly string[]): ConfigCheck {
  return (value) => (typeof value === "string" && allowed.includes(value) ? null : `String must be one of: ${allowed.join(", ")}`);
}
export function oneOfIgnoringCase(...allowed: readonly string[]): ConfigCheck {
  const upper = new Set(allowed.map((a) => a.toUpperCase()));
  return (value) =>
    typeof value === "string" && upper.has(value.toUpperCase()) ? null : `String must be one of (case insensitive): ${allowed.join(", ")}`;
}
/** Null is accepted, as Kafka's NonEmptyString does. */
export const nonEmptyString: ConfigCheck = (value) => (value === "" ? "String must be non-empty" : null);
export const nonNull: ConfigCheck = (value) => (value === null ? "entry must be non null" : null);
export const nonEmptyList: ConfigCheck = (value) => (Array.isArray(value) && value.length > 0 ? null : "Empty list");
/** Every entry is allowed. */
export function listOf(...allowed: readonly string[]): ConfigCheck {
  return (value) => {
    const bad = Array.isArray(value) ? value.find((v) => !allowed.includes(String(v))) : undefined;
    return bad === undefined ? null : `String must be one of: ${allowed.join(", ")}`;
  };
}
export const noControlCharacters: ConfigCheck = (value) => {
  if (typeof value !== "string") return null;
  if (value === "") return "String may not be empty";
  const found = Array.from(value)
    .map((c) => c.codePointAt(0) ?? 0)
    .filter((c) => c < 32 || (c >= 127 && c < 160));
  return found.length === 0 ? null : `String may not contain control sequences but had the following ASCII chars: ${found.join(", ")}`;
};
/** The first complaint of several checks. */
export function allOf(...checks: readonly ConfigCheck[]): ConfigCheck {
  return (value, config) => {
    for (const check of checks) {
      const tail = check(value, config);
      if (tail !== null) return tail;
    }
    return null;
  };
}
/** What java.util.regex says against the expression; null: nothing. */
export const javaRegexProblem: ConfigCheck = (value) => {
  // Kafka's check sees the null of a missing setting, too.
  if (value === null) return 'Cannot invoke "String.isEmpty()" because "this.pattern" is null';
  if (typeof value !== "string") return null;
  try {
    new JavaRegex(value);
    return null;
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
};
export const javaRegex: ConfigCheck = (value, config) => {
  const problem = javaRegexProblem(value, config);
  return problem === null ? null : `Invalid regex: ${problem}`;
};
