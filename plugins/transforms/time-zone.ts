/** Offsets of time zones, as java.time.ZoneRules gives them. */
export interface Zone {
  /** Milliseconds east of UTC at a moment. */
  at(instantMs: number): number;
  /** For a wall-clock time (milliseconds as if it were UTC); in a gap or overlap the offset before it. */
  atLocal(localMs: number): number;
}
const DAY_MS = 86_400_000;
function fixed(offsetMs: number): Zone {
  return { at: () => offsetMs, atLocal: () => offsetMs };
}
/** Null: no such zone. */
export function zone(id: string): Zone | null {
  const m = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(id);
  if (m !== null) {
    const ms = ((Number(m[2]) * 60 + Number(m[3])) * 60 + Number(m[4] ?? 0)) * 1000;
    return fixed(m[1] === "-" ? -ms : ms);
  }
  if (id === "Z" || id === "UTC" || id === "GMT") return fixed(0);
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: id,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return null;
  }
  const at = (instantMs: number): number => {
    const whole = Math.floor(instantMs / 1000) * 1000;
    const part = new Map(format.formatToParts(whole).map((p) => [p.type, Number(p.value)] as const));
    const get = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0;
    return Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second")) - whole;
  };
  return {
    at,
    atLocal(localMs) {
      const before = at(localMs - DAY_MS),
        after = at(localMs + DAY_MS);
      if (before === after || at(localMs - before) === before) return before;
      return at(localMs - after) === after ? after : before;
    },
  };
}
export function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return "Z";
  const s = Math.abs(offsetMs) / 1000;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(s / 3600)}:${two((s / 60) % 60)}${s % 60 === 0 ? "" : `:${two(s % 60)}`}`;
}
