/** PostgreSQL's ISO date and time texts, read from bytes without Date objects (its years go from -4713 to 294276). */

import { civilFromDays, daysFromCivil } from "#connect/api/civil-date";

/** Result of the last read: reused, because these run for every cell. */
export const moment = { days: 0, micros: 0, year: 0, month: 0, day: 0, offsetSeconds: 0, fractionDigits: 0 };

const two = (b: Uint8Array, p: number): number => ((b[p] as number) - 48) * 10 + ((b[p + 1] as number) - 48);

/** `infinity` or `-infinity`: 1 or -1; else 0. */
export const infinityAt = (b: Uint8Array, p: number): number => (b[p] === 0x69 ? 1 : b[p] === 0x2d && b[p + 1] === 0x69 ? -1 : 0);

/** Reads `YYYY-MM-DD`, sets year, month, day and days; returns the position after it. */
export function readDate(b: Uint8Array, start: number, end: number): number {
  let p = start,
    year = 0;
  while (p < end && b[p] !== 0x2d) year = year * 10 + ((b[p++] as number) - 48);
  // The era stands at the very end, after time and zone.
  if (end - start > 3 && b[end - 1] === 0x43 && b[end - 2] === 0x42) year = 1 - year;
  moment.year = year;
  moment.month = two(b, p + 1);
  moment.day = two(b, p + 4);
  moment.days = daysFromCivil(year, moment.month, moment.day);
  return p + 6;
}

/** Reads `HH:MM:SS[.ffffff][±HH[:MM[:SS]]]`, sets micros, offsetSeconds and fractionDigits; returns the position after it. */
export function readTime(b: Uint8Array, start: number, end: number): number {
  let p = start + 8;
  let micros = (two(b, start) * 3600 + two(b, start + 3) * 60 + two(b, start + 6)) * 1_000_000;
  let digits = 0;
  if (b[p] === 0x2e && p < end) {
    let unit = 100_000;
    p++;
    for (let c = b[p] as number; p < end && c >= 48 && c <= 57; c = b[++p] as number) {
      micros += (c - 48) * unit;
      unit /= 10;
      digits++;
    }
  }
  moment.micros = micros;
  moment.fractionDigits = digits;
  moment.offsetSeconds = 0;
  const sign = b[p];
  if (p < end && (sign === 0x2b || sign === 0x2d)) {
    let offset = two(b, p + 1) * 3600;
    p += 3;
    if (b[p] === 0x3a && p < end) {
      offset += two(b, p + 1) * 60;
      p += 3;
      if (b[p] === 0x3a && p < end) {
        offset += two(b, p + 1);
        p += 3;
      }
    }
    moment.offsetSeconds = sign === 0x2d ? -offset : offset;
  }
  return p;
}

/** Reads a timestamp with or without zone; days and micros are then UTC (micros may lie outside the day). */
export function readTimestamp(b: Uint8Array, start: number, end: number): void {
  readTime(b, readDate(b, start, end) + 1, end);
  moment.micros -= moment.offsetSeconds * 1_000_000;
}

const pad2 = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** As Java prints a year: at least four digits, a sign outside 0–9999. */
function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, "0");
  return year < 0 ? `-${String(-year).padStart(4, "0")}` : `+${year}`;
}
export function dateText(days: number): string {
  const [year, month, day] = civilFromDays(days);
  return `${yearText(year)}-${pad2(month)}-${pad2(day)}`;
}
/** `digits`: how many fraction digits; null: as many as needed. `micros` in [0, 86400000000]. */
export function timeText(micros: number, digits: number | null): string {
  const seconds = Math.floor(micros / 1_000_000);
  let fraction = String(micros % 1_000_000).padStart(6, "0");
  if (digits === null) fraction = fraction.replace(/0+$/, "");
  else fraction = fraction.slice(0, digits);
  const clock = `${pad2(Math.floor(seconds / 3600))}:${pad2(Math.floor(seconds / 60) % 60)}:${pad2(seconds % 60)}`;
  return fraction === "" ? clock : `${clock}.${fraction}`;
}
/** Days and micros (which may lie outside the day) as ISO text with `Z`. */
export function instantText(days: number, micros: number, digits: number | null): string {
  const shift = Math.floor(micros / 86_400_000_000);
  return `${dateText(days + shift)}T${timeText(micros - shift * 86_400_000_000, digits)}Z`;
}

export interface IntervalParts {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}
const UNIT = /([+-]?\d+) (year|mon|day)s?/g;
const CLOCK = /([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;

/** `1 year 2 mons 3 days 04:05:06.789` (IntervalStyle postgres). */
export function readInterval(text: string): IntervalParts {
  let months = 0,
    days = 0,
    micros = 0n;
  for (const m of text.matchAll(UNIT)) {
    const n = Number(m[1]);
    if (m[2] === "year") months += 12 * n;
    else if (m[2] === "mon") months += n;
    else days += n;
  }
  const clock = CLOCK.exec(text);
  if (clock !== null) {
    const seconds = BigInt(clock[2] ?? 0) * 3600n + BigInt(clock[3] ?? 0) * 60n + BigInt(clock[4] ?? 0);
    micros = seconds * 1_000_000n + BigInt((clock[5] ?? "").padEnd(6, "0"));
    if (clock[1] === "-") micros = -micros;
  }
  return { months, days, micros };
}
/** A month counts as 365.25 / 12 days. Saturates at the ends of int64. */
export function intervalMicros(parts: IntervalParts): bigint {
  const total = BigInt(parts.months) * 2_629_800_000_000n + BigInt(parts.days) * 86_400_000_000n + parts.micros;
  const max = 9_223_372_036_854_775_807n;
  return total > max ? max : total < -max - 1n ? -max - 1n : total;
}
/** `P1Y2M3DT4H5M6.789S`, every unit with its own sign. */
export function intervalText(parts: IntervalParts): string {
  const negative = parts.micros < 0n;
  const micros = negative ? -parts.micros : parts.micros;
  const sign = (n: bigint | string): string => (negative && !/^[0.]*$/.test(String(n)) ? `-${n}` : String(n));
  const seconds = micros / 1_000_000n;
  const fraction = (micros % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  const s = `${seconds % 60n}${fraction === "" ? "" : `.${fraction}`}`;
  const years = Math.trunc(parts.months / 12);
  return `P${years}Y${parts.months - years * 12}M${parts.days}DT${sign(seconds / 3600n)}H${sign((seconds / 60n) % 60n)}M${sign(s)}S`;
}
