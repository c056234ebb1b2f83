/** java.text.SimpleDateFormat in English and UTC: patterns as TimestampRouter and TimestampConverter take them. Parsing is lenient. */
import { ConnectError } from "./errors.ts";
import { calendarDays, calendarFields, fieldsOfMs, weekdayOf, type CalendarFields } from "./hybrid-calendar.ts";
import { DAY_MS } from "./logical.ts";

interface Part {
  /** A pattern letter, or "" for literal text. */
  readonly letter: string;
  readonly count: number;
  readonly text: string;
}
const LETTERS = "GyMdkHmsSEDFwWahKzZYuXL";
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const illegal = (message: string): ConnectError =>
  new ConnectError(message, { javaClass: "java.lang.IllegalArgumentException", causeClass: "config" });

function compile(pattern: string): Part[] {
  const parts: Part[] = [];
  let literal = "";
  const flush = (): void => {
    if (literal !== "") parts.push({ letter: "", count: 0, text: literal });
    literal = "";
  };
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === "'") {
      if (pattern[i + 1] === "'") {
        literal += "'";
        i++;
        continue;
      }
      for (i++; ; i++) {
        if (i >= pattern.length) throw illegal("Unterminated quote");
        if (pattern[i] !== "'") literal += pattern.charAt(i);
        else if (pattern[i + 1] === "'") literal += pattern.charAt(i++);
        else break;
      }
    } else if (/[A-Za-z]/.test(c)) {
      if (!LETTERS.includes(c)) throw illegal(`Illegal pattern character '${c}'`);
      flush();
      let count = 1;
      while (pattern[i + 1] === c) {
        count++;
        i++;
      }
      if (c === "X" && count > 3) throw illegal(`invalid ISO 8601 format: length=${count}`);
      parts.push({ letter: c, count, text: "" });
    } else literal += c;
  }
  flush();
  return parts;
}
const pad = (n: number, width: number): string => (n < 0 ? `-${String(-n).padStart(width, "0")}` : String(n).padStart(width, "0"));
/** Weeks start on Sunday and the first has at least one day (the calendar of Locale.US). */
const weekOf = (day: number, firstWeekday: number): number => Math.floor((day - 1 + firstWeekday) / 7) + 1;
function weekOfYear(d: CalendarFields): { week: number; year: number } {
  const newYear = calendarDays(d.year, 1, 1),
    nextYear = calendarDays(d.year + 1, 1, 1);
  const lastSunday = nextYear - weekdayOf(nextYear);
  return newYear + d.dayOfYear - 1 >= lastSunday
    ? { week: 1, year: d.year + 1 }
    : { week: weekOf(d.dayOfYear, weekdayOf(newYear)), year: d.year };
}
function formatPart(p: Part, d: CalendarFields): string {
  switch (p.letter) {
    case "":
      return p.text;
    case "G":
      return d.year > 0 ? "AD" : "BC";
    case "y":
    case "Y": {
      const full = p.letter === "Y" ? weekOfYear(d).year : d.year;
      const year = full > 0 ? full : 1 - full;
      return p.count === 2 ? pad(year % 100, 2) : pad(year, p.count);
    }
    case "M":
    case "L": {
      const name = MONTHS[d.month - 1] ?? "";
      return p.count >= 4 ? name : p.count === 3 ? name.slice(0, 3) : pad(d.month, p.count);
    }
    case "E": {
      const name = DAYS[d.weekday] ?? "";
      return p.count >= 4 ? name : name.slice(0, 3);
    }
    case "a":
      return d.hour < 12 ? "AM" : "PM";
    case "z":
      return p.count >= 4 ? "Coordinated Universal Time" : "UTC";
    case "Z":
      return "+0000";
    case "X":
      return "Z";
    default:
      return pad(numberOf(p.letter, d), p.count);
  }
}
function numberOf(letter: string, d: CalendarFields): number {
  switch (letter) {
    case "d":
      return d.day;
    case "H":
      return d.hour;
    case "k":
      return d.hour === 0 ? 24 : d.hour;
    case "K":
      return d.hour % 12;
    case "h":
      return d.hour % 12 === 0 ? 12 : d.hour % 12;
    case "m":
      return d.minute;
    case "s":
      return d.second;
    case "S":
      return d.ms;
    case "D":
      return d.dayOfYear;
    case "F":
      return Math.floor((d.day - 1) / 7) + 1;
    case "w":
      return weekOfYear(d).week;
    case "W":
      return weekOf(d.day, weekdayOf(calendarDays(d.year, d.month, 1)));
    default:
      return d.weekday === 0 ? 7 : d.weekday;
  }
}

/** What a text said, before it becomes a moment. */
interface Fields {
  era: number;
  year: number | null;
  month: number;
  day: number | null;
  dayOfYear: number | null;
  hour: number;
  pm: number | null;
  minute: number;
  second: number;
  ms: number;
  /** Milliseconds east of UTC. */
  offset: number;
}
const isNumeric = (p: Part | undefined): boolean =>
  p !== undefined && p.letter !== "" && !"GEazZX".includes(p.letter) && !("ML".includes(p.letter) && p.count > 2);

function matchName(text: string, at: number, names: readonly string[]): { index: number; length: number } | null {
  let best: { index: number; length: number } | null = null;
  names.forEach((name, index) => {
    for (const n of [name, name.slice(0, 3)])
      if (text.slice(at, at + n.length).toLowerCase() === n.toLowerCase() && n.length > (best?.length ?? 0))
        best = { index, length: n.length };
  });
  return best;
}
const ZONE = /^(?:(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})|(?:GMT|UTC)?([+-])(\d{2})|(UTC|GMT|Z))/i;

export class SimpleDateFormat {
  readonly #parts: readonly Part[];
  /** Throws ConnectError (java.lang.IllegalArgumentException) for a pattern that Java refuses. */
  constructor(pattern: string) {
    this.#parts = compile(pattern);
  }
  format(date: Date): string {
    return this.#text(fieldsOfMs(date.getTime()));
  }
  /** For moments that a Date does not reach: the day from 1970-01-01 and the milliseconds after its midnight. */
  formatDay(days: number, msOfDay: number): string {
    return this.#text(calendarFields(days, msOfDay));
  }
  #text(fields: CalendarFields): string {
    return this.#parts.map((p) => formatPart(p, fields)).join("");
  }
  /** The moment that the start of the text says; text after it is ignored. Null: unparseable. */
  parse(text: string): Date | null {
    const f: Fields = {
      era: 1,
      year: null,
      month: 0,
      day: null,
      dayOfYear: null,
      hour: 0,
      pm: null,
      minute: 0,
      second: 0,
      ms: 0,
      offset: 0,
    };
    let at = 0;
    for (let i = 0; i < this.#parts.length; i++) {
      const p = this.#parts[i];
      if (p === undefined) break;
      if (p.letter === "") {
        if (!text.startsWith(p.text, at)) return null;
        at += p.text.length;
        continue;
      }
      while (text[at] === " " || text[at] === "\t") at++;
      // Numbers that abut have the widths of their letters, all others take every digit there is.
      const abuts =
        isNumeric(p) && (isNumeric(this.#parts[i + 1]) || (i > 0 && isNumeric(this.#parts[i - 1]) && isNumeric(this.#parts[i + 1])));
      const next = isNumeric(p) ? readNumber(text, at, p, abuts, f) : readText(text, at, p, f);
      if (next < 0) return null;
      at = next;
    }
    return momentOf(f);
  }
}
function readText(text: string, at: number, p: Part, f: Fields): number {
  switch (p.letter) {
    case "G": {
      const era = /^(AD|BC)/i.exec(text.slice(at, at + 2));
      if (era === null) return -1;
      f.era = era[0].toUpperCase() === "AD" ? 1 : 0;
      return at + 2;
    }
    case "a": {
      const half = /^(AM|PM)/i.exec(text.slice(at, at + 2));
      if (half === null) return -1;
      f.pm = half[0].toUpperCase() === "PM" ? 1 : 0;
      return at + 2;
    }
    case "E": {
      const day = matchName(text, at, DAYS);
      return day === null ? -1 : at + day.length;
    }
    case "z":
    case "Z":
    case "X": {
      const m = ZONE.exec(text.slice(at));
      if (m === null) return -1;
      const sign = (m[1] ?? m[4]) === "-" ? -1 : 1;
      if (m[6] === undefined) f.offset = sign * (Number(m[2] ?? m[5]) * 60 + Number(m[3] ?? 0)) * 60_000;
      return at + m[0].length;
    }
    default: {
      const month = matchName(text, at, MONTHS);
      if (month === null) return -1;
      f.month = month.index;
      return at + month.length;
    }
  }
}
function readNumber(text: string, at: number, p: Part, abuts: boolean, f: Fields): number {
  const m = /^[+-]?\d+/.exec(text.slice(at, abuts ? at + p.count : undefined));
  if (m === null || m[0].startsWith("+")) return -1;
  const n = Number(m[0]);
  switch (p.letter) {
    case "y":
    case "Y":
      f.year = p.count <= 2 && m[0].length === 2 && n >= 0 ? twoDigitYear(n) : n;
      break;
    case "M":
    case "L":
      f.month = n - 1;
      break;
    case "d":
      f.day = n;
      break;
    case "D":
      f.dayOfYear = n;
      break;
    case "H":
      f.hour = n;
      break;
    case "k":
      f.hour = n === 24 ? 0 : n;
      break;
    case "K":
      f.hour = n;
      f.pm ??= 0;
      break;
    case "h":
      f.hour = n === 12 ? 0 : n;
      f.pm ??= 0;
      break;
    case "m":
      f.minute = n;
      break;
    case "s":
      f.second = n;
      break;
    case "S":
      f.ms = n;
      break;
    default:
  }
  return at + m[0].length;
}
/** Within 80 years before and 20 years after now, as SimpleDateFormat places two digits. */
function twoDigitYear(n: number): number {
  const start = new Date().getUTCFullYear() - 80;
  const year = start - (start % 100) + n;
  return year < start ? year + 100 : year;
}
function momentOf(f: Fields): Date {
  const year = f.year ?? 1970;
  const signed = f.era === 0 ? 1 - year : year;
  const hour = f.pm === null ? f.hour : (f.hour % 12) + f.pm * 12;
  const days =
    f.dayOfYear !== null && f.day === null ? calendarDays(signed, 1, f.dayOfYear) : calendarDays(signed, f.month + 1, f.day ?? 1);
  return new Date(days * DAY_MS + hour * 3_600_000 + f.minute * 60_000 + f.second * 1000 + f.ms - f.offset);
}
