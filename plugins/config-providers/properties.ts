/** java.util.Properties text: comments, continued lines, escapes. */
export function parseProperties(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const lines = text.split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    let line = (lines[i] ?? "").replace(/^[ \t\f]+/, "");
    if (line === "" || line.startsWith("#") || line.startsWith("!")) continue;
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(line) && i + 1 < lines.length)
      line = line.slice(0, -1) + (lines[++i] ?? "").replace(/^[ \t\f]+/, "");
    const m = /^((?:[^\\=: \t\f]|\\.)*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s.exec(line);
    if (m !== null) found.set(unescaped(m[1] ?? ""), unescaped(m[2] ?? ""));
  }
  return found;
}
const LETTERS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };
const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.?))/gs, (_, hex: string | undefined, c: string | undefined) =>
    hex === undefined ? (LETTERS[c ?? ""] ?? c ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
