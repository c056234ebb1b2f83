/** Offsets of time zones by the runtime's own tables, for texts that are in a zone (`driver.connectionTimeZone`). */
import { ConfigError } from "#connect/api/errors";

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, number>();

function format(zone: string): Intl.DateTimeFormat {
  let made = formats.get(zone);
  if (made === undefined) {
    try {
      made = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch (cause) {
      throw new ConfigError(`The time zone '${zone}' of driver.connectionTimeZone is not known`, cause);
    }
    formats.set(zone, made);
  }
  return made;
}
function offsetAt(zone: string, utcSeconds: number): number {
  const parts = new Map(
    format(zone)
      .formatToParts(new Date(utcSeconds * 1000))
      .map((p) => [p.type, Number(p.value)]),
  );
  const at = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return Date.UTC(at("year"), at("month") - 1, at("day"), at("hour"), at("minute"), at("second")) / 1000 - utcSeconds;
}
/** Seconds east of Greenwich for a local time (seconds since 1970 as if it were UTC). Throws ConfigError for an unknown zone. */
export function zoneOffsetSeconds(zone: string, localSeconds: number): number {
  const quarter = Math.floor(localSeconds / 900);
  const key = `${zone} ${quarter}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const local = quarter * 900;
  const first = offsetAt(zone, local - offsetAt(zone, local));
  const offset = offsetAt(zone, local - first);
  if (known.size > 10_000) known.clear();
  known.set(key, offset);
  return offset;
}
