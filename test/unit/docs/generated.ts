/**
 * Tables in the documents that follow from the code, between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. Tests compare them;
 * `UPDATE_DOCS=1 npx vitest run test/unit/docs` writes them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export const ROOT = join(import.meta.dirname, "../../..");
export const readDoc = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const begin = (name: string): string => `<!-- ${name}: begin -->\n`;
const end = (name: string): string => `<!-- ${name}: end -->`;

function part(path: string, name: string): { readonly before: string; readonly inside: string; readonly after: string } {
  const text = readDoc(path);
  const from = text.indexOf(begin(name));
  const to = text.indexOf(end(name), from);
  if (from < 0 || to < 0) throw new Error(`${path} lacks the markers ${begin(name).trim()} … ${end(name)}`);
  const inside = from + begin(name).length;
  return { before: text.slice(0, inside), inside: text.slice(inside, to), after: text.slice(to) };
}
const escaped = (cell: string): string => cell.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

export const code = (text: string): string => `\`${text}\``;
/** The last column of each row is prose that is kept from the document; a row without it fails the test. */
export function withProse(path: string, name: string, rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const written = new Map(
    part(path, name)
      .inside.split("\n")
      .map((line) => cellsOf(line))
      .map((cells) => [cells[0] ?? "", cells[cells.length - 1] ?? ""]),
  );
  const all = rows.map((row) => [...row, written.get(row[0] ?? "") ?? ""]);
  expect(all.filter((row) => row[row.length - 1] === "").map((row) => row[0])).toEqual([]);
  return all;
}
export function expectTable(path: string, name: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  const text = `\n${[line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n")}\n\n`;
  const { before, inside, after } = part(path, name);
  if (process.env["UPDATE_DOCS"] === "1" && inside !== text) {
    writeFileSync(join(ROOT, path), before + text + after);
    return;
  }
  expect(inside, `${path} differs from the code; write it with UPDATE_DOCS=1 npx vitest run test/unit/docs`).toBe(text);
}
