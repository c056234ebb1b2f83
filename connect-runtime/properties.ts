/** Java's .properties format: comments, `=`/`:`/space separators, continuation lines, \uXXXX and the usual escapes. */
const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string): string {
  return text.replace(/\\(u([0-9a-fA-F]{4})|[\s\S])/g, (_, all: string, hex: string | undefined) =>
    hex === undefined ? (ESCAPES[all] ?? all) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
/** Joins lines that end in an odd number of backslashes with the next one, as java.util.Properties does. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let pending: string | null = null;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line: string = raw.replace(/^[ \t\f]+/, "");
    if (pending === null && (line === "" || line.startsWith("#") || line.startsWith("!"))) continue;
    const joined: string = pending === null ? line : pending + line;
    const trailing = /\\*$/.exec(joined)?.[0].length ?? 0;
    if (trailing % 2 === 1) {
      pending = joined.slice(0, -1);
      continue;
    }
    lines.push(joined);
    pending = null;
  }
  if (pending !== null && pending !== "") lines.push(pending);
  return lines;
}
/** Later keys win. */
export function parseProperties(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const line of logicalLines(text)) {
    const m = /^((?:\\[\s\S]|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*([\s\S]*)$/.exec(line);
    if (m === null) continue;
    out[unescape(m[1] ?? "")] = unescape(m[2] ?? "");
  }
  return out;
}
/** `key=value` of `--override`. Null: no key. */
export function parseAssignment(text: string): readonly [string, string] | null {
  const at = text.indexOf("=");
  return at > 0 ? [text.slice(0, at).trim(), text.slice(at + 1)] : null;
}
