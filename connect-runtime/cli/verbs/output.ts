/** What the commands print: tables for people, JSON for programs. */
import { toJson } from "../../rest/json.ts";

export interface Printed {
  /** For `-o json`. */
  readonly data: unknown;
  readonly text: string;
  /** 1: the command ran, and what it looked at is not in order. */
  readonly exitCode?: 0 | 1;
}
/** Columns as wide as their longest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head.map((h) => h.toUpperCase()), ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  return all.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ")).join("\n");
}
export const pairs = (entries: readonly (readonly [string, string])[]): string => {
  const width = Math.max(0, ...entries.map(([name]) => name.length + 1));
  return entries.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${value}`).join("\n");
};
export const rendered = (printed: Printed, json: boolean): string => (json ? toJson(printed.data, 2) : printed.text);
