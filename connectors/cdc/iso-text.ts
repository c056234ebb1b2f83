/** Dates and times of day as ISO 8601 texts. */
import { civilFromDays } from "#connect/api/civil-date";

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
/** `days` since 1970-01-01, in the years 0 to 9999. */
export function dateText(days: number): string {
  const [y, m, d] = civilFromDays(days);
  return `${String(y).padStart(4, "0")}-${two(m)}-${two(d)}`;
}
/** `seconds` since midnight; `fraction`: digits of the second, perhaps none. */
export function clockText(seconds: number, fraction: string): string {
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === "" ? text : `${text}.${fraction}`;
}
