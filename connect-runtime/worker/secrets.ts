/** What looks like a secret, how it is masked, and how it is kept out of texts (traces, log lines, headers of dead letters). */
import type { ConfigMap } from "./types.ts";

/** As Kafka prints a value of type PASSWORD. */
export const MASK = "[hidden]";
const NAMED_LIKE_ONE =
  /(password|passwd|passphrase|secret|credential|sasl\.jaas\.config|private\.?key|api\.?key|access\.?key|access\.?token|auth\.user\.info|\.token$|^token$|keystore\.key$)/i;
/** A whole value that is a reference to a config provider. */
const REFERENCE = /^\$\{[^}]+\}$/;
/** Within URLs: `://user:secret@`, `password=secret`. */
const IN_URL: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/[^/?#\s:@]*:)([^@/?#\s]+)(?=@)/g, `$1${MASK}`],
  [/([?&;](?:[\w.]*password|[\w.]*secret|[\w.]*token|sslpassword)=)([^&;\s]+)/gi, `$1${MASK}`],
];
const SHORTEST_SCRUBBED = 4;
const NOTHING: ReadonlySet<string> = new Set();

/** `declared`: keys of type PASSWORD. */
export const isSecret = (key: string, declared: ReadonlySet<string>): boolean => declared.has(key) || NAMED_LIKE_ONE.test(key);
export function maskValue(key: string, value: string, declared: ReadonlySet<string>): string {
  if (value === "" || REFERENCE.test(value)) return value;
  if (isSecret(key, declared)) return MASK;
  return value.includes("://") || value.startsWith("jdbc:")
    ? IN_URL.reduce((text, [pattern, by]) => text.replace(pattern, by), value)
    : value;
}
/** Whether a posted value can only be a mask. */
export const isMasked = (key: string, value: string, declared: ReadonlySet<string>): boolean =>
  (value === MASK && isSecret(key, declared)) || value.includes(`:${MASK}@`) || value.includes(`=${MASK}`);

/**
 * The secrets of this configuration. `resolved` has its references resolved; what a reference became is a secret whatever the key is
 * called. Texts that are too short to be told from others are left out.
 */
export function secretValues(raw: ConfigMap, resolved: ConfigMap, declared: ReadonlySet<string>): readonly string[] {
  const secrets = new Set<string>();
  for (const [key, value] of Object.entries(resolved)) {
    const wasReference = raw[key] !== undefined && raw[key] !== value && raw[key].includes("${");
    if (wasReference || isSecret(key, declared)) secrets.add(value);
    for (const [pattern] of IN_URL) for (const m of value.matchAll(pattern)) secrets.add(m[2] ?? "");
  }
  // What the configuration shows openly, as a login that is its own password, hides nothing and would only make texts unreadable.
  const open = new Set(Object.entries(raw).flatMap(([key, value]) => (isSecret(key, declared) ? [] : [value])));
  return [...secrets].filter((s) => s.length >= SHORTEST_SCRUBBED && !open.has(s));
}
export type Hiding = (text: string) => string;
/** Takes these values out of a text. */
export function hiding(values: readonly string[]): Hiding {
  const long = values.toSorted((a, b) => b.length - a.length);
  if (long.length === 0) return (text) => text;
  return (text) => long.reduce((t, secret) => t.replaceAll(secret, MASK), text);
}
/** The same in every text of an answer: lists, plain objects with their keys, as deep as they go. */
export function hiddenTexts(value: unknown, hide: Hiding): unknown {
  if (typeof value === "string") return hide(value);
  if (Array.isArray(value)) return value.map((each) => hiddenTexts(each, hide));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [hide(key), hiddenTexts(each, hide)]));
}
export const scrubber = (raw: ConfigMap, resolved: ConfigMap, declared: ReadonlySet<string> = NOTHING): Hiding =>
  hiding(secretValues(raw, resolved, declared));
