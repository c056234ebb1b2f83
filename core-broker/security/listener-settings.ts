/** Settings of one listener: `listener.name.<name>.` before a key makes it that listener's own. */
import { readFileSync } from "node:fs";
import { BrokerError } from "../base/errors.ts";
import type { Properties } from "../config.ts";

export const invalid = (key: string, why: string): BrokerError =>
  new BrokerError("INVALID_CONFIG", `Invalid value for configuration ${key}: ${why}`);

/** Trimmed; undefined when the setting is neither the listener's nor the broker's, or empty. */
export type Read = (key: string) => string | undefined;
export function reader(properties: Properties, listener: string): Read {
  return (key) => (properties[`listener.name.${listener.toLowerCase()}.${key}`] ?? properties[key])?.trim() || undefined;
}
/** A whole number that is at least 0. Throws BrokerError(INVALID_CONFIG). */
export function numberOf(read: Read, key: string, fallback: number): number {
  const text = read(key);
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) throw invalid(key, `${text} is no number from 0 on`);
  return Number(text);
}
/** The bytes of the file that a setting names. Throws BrokerError(INVALID_CONFIG). */
export function fileOf(key: string, location: string): Buffer {
  try {
    return readFileSync(location);
  } catch (error) {
    throw invalid(key, error instanceof Error ? error.message : String(error));
  }
}
