/** What looks like a secret, how it is masked, and how it is kept out of texts (traces, log lines, headers of dead letters). */
import type { ConfigMap } from "./types.ts";

/** As Kafka prints a value of type PASSWORD. */
export const MASK = "[hidden]";
const NAMED_LIKE_ONE =
  /(password|passwd|passphrase|secret|credential|sasl\.jaas\.config|private\.?key|api\.?key|access\.?key|auth\.user\.info|\.token$|^token$|keystore\.key$)/i;
/** A whole value that is a reference to a config provider. */
const REFERENCE = /^\$\{[^}]+\}$/;
/** Within URLs: `://user:secret@`, `password=secret`. */
const IN_URL: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/[^/?#\s:@]*:)([^@/?#\s]+)(?=@)/g, `$1${MASK}`],
  [/([?&;](?:[\w.]*password|[\w.]*secret|[\w.]*token|sslpassword)=)([^&;\s]+)/gi, `$1${MASK}`],
];
const SHORTEST_SCRUBBED = 4;

/** `declared`: keys of type PASSWORD. */
const isSecret = (key: string, declared: ReadonlySet<string>): boolean => declared.has(key) || NAMED_LIKE_ONE.test(key);
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
 * Takes the secrets of this configuration out of a text. `resolved` has its references resolved; what a reference became is a
 * secret whatever the key is called.
 */
export function scrubber(raw: ConfigMap, resolved: ConfigMap): (text: string) => string {
  const secrets = new Set<string>();
  for (const [key, value] of Object.entries(resolved)) {
    const wasReference = raw[key] !== undefined && raw[key] !== value && raw[key].includes("${");
    if (wasReference || isSecret(key, NOTHING)) secrets.add(value);
    for (const [pattern] of IN_URL) for (const m of value.matchAll(pattern)) secrets.add(m[2] ?? "");
  }
  const long = [...secrets].filter((s) => s.length >= SHORTEST_SCRUBBED).sort((a, b) => b.length - a.length);
  if (long.length === 0) return (text) => text;
  return (text) => long.reduce((t, secret) => t.replaceAll(secret, MASK), text);
}
const NOTHING: ReadonlySet<string> = new Set();
