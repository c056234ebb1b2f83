/** The inner loops of compiled writers. They write at `at`, where the caller has made room, and return the position after. */
import { doubleToString } from "#connect/api/java-text";
import { integer53, PLAIN, SHORT_ESCAPE } from "./append.ts";

/** A quoted ASCII string; -1 (nothing counts as written) for one that needs more than two-character escapes. Room: 2n + 2. */
export function plainString(b: Uint8Array, at: number, text: string): number {
  const n = text.length;
  let p = at;
  b[p++] = 34;
  for (let i = 0; i < n; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return -1;
    const kind = PLAIN[c];
    if (kind === 1) b[p++] = c;
    else if (kind === 2) {
      b[p] = 92;
      b[p + 1] = SHORT_ESCAPE[c] ?? 0;
      p += 2;
    } else return -1;
  }
  b[p] = 34;
  return p + 1;
}
/** The last text of a field and its bytes: names of databases, schemas and tables hardly ever change between records. */
export class StringMemory {
  text = "";
  bytes: Uint8Array | null = null;
}
const REMEMBERED_CHARS_MAX = 200;
/** As plainString, from memory when the text is that of the call before. */
export function cachedString(b: Uint8Array, at: number, text: string, memory: StringMemory): number {
  if (text === memory.text) {
    const known = memory.bytes;
    if (known !== null) {
      const n = known.length;
      for (let i = 0; i < n; i++) b[at + i] = known[i] ?? 0;
      return at + n;
    }
    const end = plainString(b, at, text);
    if (end >= 0) memory.bytes = Uint8Array.prototype.slice.call(b, at, end);
    return end;
  }
  if (text.length <= REMEMBERED_CHARS_MAX) {
    memory.text = text;
    memory.bytes = null;
  }
  return plainString(b, at, text);
}
/** UTF-8 bytes as a quoted string; -1 for control characters without a short escape. Room: 2n + 2. */
export function utf8Cell(b: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  let p = at;
  b[p++] = 34;
  for (let i = start; i < end; i++) {
    const c = source[i] ?? 0;
    const kind = PLAIN[c];
    if (kind === 1) b[p++] = c;
    else if (kind === 2) {
      b[p] = 92;
      b[p + 1] = SHORT_ESCAPE[c] ?? 0;
      p += 2;
    } else return -1;
  }
  b[p] = 34;
  return p + 1;
}
/** Java's spelling; what is no number in JSON is quoted. At most 26 bytes. */
export function doubleText(b: Uint8Array, at: number, v: number): number {
  if (Number.isInteger(v) && v < 1e7 && v > -1e7 && (v !== 0 || 1 / v > 0)) {
    const p = integer53(b, at, v);
    b[p] = 46;
    b[p + 1] = 48;
    return p + 2;
  }
  const text = Number.isFinite(v) ? doubleToString(v) : `"${doubleToString(v)}"`;
  for (let i = 0; i < text.length; i++) b[at + i] = text.charCodeAt(i);
  return at + text.length;
}
