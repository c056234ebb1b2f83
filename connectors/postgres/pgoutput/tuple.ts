/** The cells of a row, as ranges of the message's bytes. One scan object is reused for all rows. */
import { uint32 } from "./integers.ts";

export const NULL_CELL = -1;
/** The value was not sent because it is stored out of line and did not change. */
export const UNCHANGED_CELL = -3;

export class TupleScan {
  count = 0;
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);
  #grow(count: number): void {
    this.starts = new Int32Array(count + 64);
    this.ends = new Int32Array(count + 64);
  }
  /** Scans a pgoutput TupleData at `pos`; returns the position after it. */
  scan(b: Uint8Array, pos: number): number {
    const count = ((b[pos] as number) << 8) | (b[pos + 1] as number);
    if (count > this.starts.length) this.#grow(count);
    const starts = this.starts,
      ends = this.ends;
    let p = pos + 2;
    for (let i = 0; i < count; i++) {
      const kind = b[p++] as number;
      if (kind === 0x74 || kind === 0x62) {
        const length = uint32(b, p);
        p += 4;
        starts[i] = p;
        p += length;
        ends[i] = p;
      } else starts[i] = kind === 0x75 ? UNCHANGED_CELL : NULL_CELL;
    }
    this.count = count;
    return p;
  }
  /**
   * Scans a row of COPY … TO STDOUT in text format (cells separated by tabs, `\N` is NULL). Escapes are undone in place,
   * which is why the bytes must belong to the caller. `end` is where the row's newline stands.
   */
  scanCopy(b: Uint8Array, pos: number, end: number): void {
    let i = 0;
    let p = pos;
    for (;;) {
      if (i >= this.starts.length) {
        const starts = new Int32Array(i * 2),
          ends = new Int32Array(i * 2);
        starts.set(this.starts);
        ends.set(this.ends);
        this.starts = starts;
        this.ends = ends;
      }
      const start = p;
      while (p < end) {
        const c = b[p] as number;
        if (c === 0x09 || c === 0x5c) break;
        p++;
      }
      this.starts[i] = start;
      this.ends[i] = p;
      if (p < end && b[p] === 0x5c) p = this.#unescape(b, start, p, end, i);
      i++;
      if (p >= end) break;
      p++;
    }
    this.count = i;
  }
  #unescape(b: Uint8Array, start: number, first: number, end: number, i: number): number {
    if (first === start && b[first + 1] === 0x4e && (first + 2 >= end || b[first + 2] === 0x09)) {
      this.starts[i] = NULL_CELL;
      return first + 2;
    }
    let p = first,
      out = first;
    while (p < end) {
      const c = b[p] as number;
      if (c === 0x09) break;
      if (c === 0x5c) {
        b[out++] = unescaped(b[p + 1] as number);
        p += 2;
      } else {
        b[out++] = c;
        p++;
      }
    }
    this.ends[i] = out;
    return p;
  }
}

function unescaped(c: number): number {
  switch (c) {
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    case 0x76:
      return 11;
    default:
      return c;
  }
}
