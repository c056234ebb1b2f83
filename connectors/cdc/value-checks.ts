/** The reference's checks of a setting's value, with its words: what each answers was recorded from Debezium 3.4. */
import type { RawConfig } from "#connect/api/config";
import type { DeclaredKey } from "./declared-keys.ts";
import { anchored, splitExpressions } from "./expressions.ts";
import { splitRules } from "./message-keys.ts";

/** Problems with a value as it was given; null: neither given nor with a default. */
export type ValueCheck = (value: string | null, key: DeclaredKey, config: RawConfig) => readonly string[];
export type CheckName = keyof typeof checks;

const NONE: readonly string[] = [];
const blank = (value: string | null): boolean => value === null || value.trim() === "";
/** The whole number that Java reads; null: it would throw. */
function whole(text: string, bits: 32 | 64): bigint | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const value = BigInt(text.replace("+", ""));
  return value === BigInt.asIntN(bits, value) ? value : null;
}
/** Missing values are fine, others must be whole numbers not below `least`. */
const number =
  (bits: 32 | 64, least: bigint | null, problem: string): ValueCheck =>
  (value) => {
    if (value === null) return NONE;
    const read = whole(value, bits);
    return read === null || (least !== null && read < least) ? [problem] : NONE;
  };
const matching =
  (pattern: RegExp, problem: string): ValueCheck =>
  (value) =>
    value === null || pattern.test(value) ? NONE : [problem];

/** Words that are no part of a Java name. */
const RESERVED =
  "_ abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally " +
  "float for goto if implements import instanceof int interface long native new null package private protected public return short " +
  "static strictfp super switch synchronized this throw throws transient true try void volatile while";
const reserved = new Set(RESERVED.split(" "));
const className: ValueCheck = (value) => {
  if (value === null) return NONE;
  const named = value.split(".").every((part) => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(part) && !reserved.has(part));
  return named ? NONE : ["A Java class name is expected"];
};

/** An address may be one of IPv6, which the reference refuses. */
const HOST = /^([a-zA-Z0-9._-]+|\[?[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*\]?)$/;
const badName = (value: string): string =>
  `${value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`;

function operations(value: string | null): readonly string[] {
  if (value === null) return NONE;
  const given = value.replace(/,+$/, "").split(",");
  if (value.trim() === "" || given.length === 0) return ["Invalid operation"];
  const names = given.map((o) => o.trim());
  if (names.includes("none") && names.length > 1) return ["'none' cannot be specified with other skipped operation types"];
  return names.join("") === "" || names.every((o) => /^(c|u|d|t|r|none)$/.test(o)) ? NONE : ["Invalid operation"];
}
/** Pairs of name and value. */
function pairs(value: string | null): readonly string[] {
  const entries = blank(value) ? [] : (value ?? "").replace(/,+$/, "").split(",");
  const whole = entries.every((entry) => entry === "" || /^[^=]*=[^=]+$/.test(entry));
  return whole ? NONE : ["A equivalent-separated map of valid key/value pairs is expected, for example: k1=v1,k2=v2"];
}
function expressions(value: string | null, key: DeclaredKey): readonly string[] {
  try {
    for (const expression of splitExpressions(value ?? "")) anchored(expression, key.name);
    return NONE;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [text.slice(text.indexOf(": ") + 2)];
  }
}
const RULE = String.raw`^\s*([^\s:]+):([^:\s]+)\s*$`;
function messageKeyRules(value: string | null): readonly string[] {
  if (value === null) return NONE;
  const wrong = splitRules(value).filter((rule) => !new RegExp(RULE).test(rule));
  return [...(value === "" ? ["Must not be empty"] : []), ...wrong.map((rule) => `${rule} has an invalid format (expecting '${RULE}')`)];
}
/** Not beyond the greatest batch, and positive. */
function queueSize(value: string | null, _key: DeclaredKey, config: RawConfig): readonly string[] {
  const size = whole(value ?? "", 32) ?? 8192n;
  const batch = whole(config["max.batch.size"] ?? "", 32) ?? 2048n;
  return [
    ...(size <= 0n ? ["A positive queue size is required"] : []),
    ...(size <= batch ? ["Must be larger than the maximum batch size"] : []),
  ];
}
/** `X.custom.name` stands beside `X=custom`. */
function customName(value: string | null, key: DeclaredKey, config: RawConfig): readonly string[] {
  const mode = key.name.replace(/\.custom\.name$/, "");
  return blank(value) && config[mode]?.trim().toLowerCase() === "custom"
    ? [`${key.name} cannot be empty when ${mode} 'custom' is defined`]
    : NONE;
}
const sinkTopic: ValueCheck = (value, _key, config) =>
  blank(value) && (config["notification.enabled.channels"] ?? "").split(",").some((c) => c.trim() === "sink")
    ? ["Notification topic name must be provided when kafka notification channel is enabled"]
    : NONE;

const checks = {
  boolean: matching(/^\s*(true|false)\s*$/i, "Either 'true' or 'false' is expected"),
  integer: number(32, null, "An integer is expected"),
  long: number(64, null, "A long value is expected"),
  positiveInteger: number(32, 1n, "A positive, non-zero integer value is expected"),
  nonNegativeInteger: number(32, 0n, "An non-negative integer is expected"),
  positiveLong: number(64, 1n, "A positive, non-zero long value is expected"),
  nonNegativeLong: number(64, 0n, "A non-negative long value is expected"),
  className,
  choice: (value, key) =>
    value === null || key.choices === undefined || key.choices.includes(value.toLowerCase())
      ? NONE
      : [`Value must be one of ${key.choices.join(", ")}`],
  required: (value) => (blank(value) ? ["A value is required"] : NONE),
  notEmpty: (value) => (blank(value) ? ["Cannot be empty"] : NONE),
  topicName: (value) => (value === null || /^[a-zA-Z0-9._-]+$/.test(value) ? NONE : [badName(value)]),
  host: (value) => (blank(value) || HOST.test(value ?? "") ? NONE : [badName(value ?? "")]),
  operations,
  pairs,
  expressions,
  messageKeyRules,
  queueSize,
  customName,
  sinkTopic,
} satisfies Readonly<Record<string, ValueCheck>>;
export const CHECKS: Readonly<Record<CheckName, ValueCheck>> = checks;

const BY_TYPE: Partial<Record<DeclaredKey["type"], ValueCheck>> = {
  BOOLEAN: CHECKS.boolean,
  INT: CHECKS.integer,
  LONG: CHECKS.long,
  CLASS: CHECKS.className,
};
export const checkOfType = (type: DeclaredKey["type"]): ValueCheck => BY_TYPE[type] ?? (() => NONE);
