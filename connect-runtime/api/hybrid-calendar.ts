/** java.util.GregorianCalendar in UTC: Julian before 1582-10-15, Gregorian from then on. Java's dates print and parse by it. */
import { civilFromDays, daysFromCivil } from "./civil-date.ts";

/** 1582-10-15, in days from 1970-01-01. */
const CUTOVER_DAYS = -141_427;
const DAY_MS = 86_400_000;

export interface CalendarFields {
  /** 0 is 1 BC. */
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
}
function daysFromJulian(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  return 365 * y + Math.floor(y / 4) + Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1 - 719_470;
}
function julianFromDays(days: number): readonly [year: number, month: number, day: number] {
  const z = days + 719_470;
  const y = Math.floor((4 * z + 3) / 1461);
  const dayOfYear = z - (365 * y + Math.floor(y / 4));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [month <= 2 ? y + 1 : y, month, dayOfYear - Math.floor((153 * mp + 2) / 5) + 1];
}
/** Days from 1970-01-01; months and days beyond their range count on, as in a lenient calendar. */
export function calendarDays(year: number, month: number, day: number): number {
  const y = year + Math.floor((month - 1) / 12),
    m = ((((month - 1) % 12) + 12) % 12) + 1;
  const gregorian = daysFromCivil(y, m, 1) + day - 1;
  return gregorian >= CUTOVER_DAYS ? gregorian : daysFromJulian(y, m, 1) + day - 1;
}
/** 0 is Sunday. */
export const weekdayOf = (days: number): number => (((days + 4) % 7) + 7) % 7;

/** The fields of the day `days` from 1970-01-01, `msOfDay` after midnight. */
export function calendarFields(days: number, msOfDay: number): CalendarFields {
  const [year, month, day] = days >= CUTOVER_DAYS ? civilFromDays(days) : julianFromDays(days);
  const seconds = Math.floor(msOfDay / 1000);
  return {
    year,
    month,
    day,
    dayOfYear: days - calendarDays(year, 1, 1) + 1,
    weekday: weekdayOf(days),
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    ms: msOfDay % 1000,
  };
}
export function fieldsOfMs(ms: number): CalendarFields {
  const days = Math.floor(ms / DAY_MS);
  return calendarFields(days, ms - days * DAY_MS);
}
