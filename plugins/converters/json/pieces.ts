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
      b.set(known, at);
      return at + known.length;
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
/** From here on a native copy of what needs no escapes is cheaper than a loop, though it is looked at first. */
const COPIED_BYTES_MIN = 20;
/** UTF-8 bytes as a quoted string; -1 for control characters without a short escape. Room: 2n + 2. */
export function utf8Cell(b: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  if (end - start < COPIED_BYTES_MIN) return escapedCell(b, at, source, start, end);
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    const plain =
      (PLAIN[source[i] as number] as number) &
      (PLAIN[source[i + 1] as number] as number) &
      (PLAIN[source[i + 2] as number] as number) &
      (PLAIN[source[i + 3] as number] as number);
    if (plain !== 1) return escapedCell(b, at, source, start, end);
  }
  for (; i < end; i++) if (PLAIN[source[i] as number] !== 1) return escapedCell(b, at, source, start, end);
  b[at] = 34;
  Buffer.prototype.copy.call(source, b, at + 1, start, end);
  const p = at + 1 + end - start;
  b[p] = 34;
  return p + 1;
}
function escapedCell(b: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
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

/** What a run of plain fields held last, and its JSON: between records of a transaction most of a source block stays the same. */
export class RunMemory {
  readonly values: unknown[];
  bytes: Uint8Array | null = null;
  constructor(fields: number) {
    this.values = new Array<unknown>(fields).fill(undefined);
  }
  /** The run from slot `first` on stands in `b` from `start` to `end`. */
  keep(slots: readonly unknown[], first: number, b: Uint8Array, start: number, end: number): void {
    const { values } = this;
    const known = this.bytes;
    this.bytes = null;
    for (let i = 0; i < values.length; i++) {
      const value = slots[first + i];
      // An object can change without becoming another one.
      if (typeof value === "object" && value !== null) return;
      values[i] = value;
    }
    if (known === null || known.length !== end - start) this.bytes = Uint8Array.prototype.slice.call(b, start, end);
    else {
      Buffer.prototype.copy.call(b, known, 0, start, end);
      this.bytes = known;
    }
  }
}
