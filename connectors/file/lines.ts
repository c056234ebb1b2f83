/** Bytes to lines, with the position in bytes after each line. Lines end at \n, \r\n or \r; an unfinished line waits. */
const LF = 10;
const CR = 13;

export interface Line {
  readonly text: string;
  /** Position after the line's end. */
  readonly end: number;
}
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** Position of the first byte of `#rest`. */
  #position: number;
  #lines: Line[] = [];
  #taken = 0;

  constructor(position: number) {
    this.#position = position;
  }
  /** Lines that wait to be taken. */
  get size(): number {
    return this.#lines.length - this.#taken;
  }
  shift(): Line | null {
    const line = this.#lines[this.#taken];
    if (line === undefined) return null;
    this.#taken++;
    if (this.#taken === this.#lines.length) {
      this.#lines = [];
      this.#taken = 0;
    }
    return line;
  }
  /** Copies what it keeps. */
  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let start = 0;
    for (let i = 0; i < all.length; i++) {
      const byte = all[i];
      if (byte !== LF && byte !== CR) continue;
      // A \r at the very end may be the first half of \r\n.
      if (byte === CR && i + 1 === all.length) break;
      const next = byte === CR && all[i + 1] === LF ? i + 2 : i + 1;
      this.#lines.push({ text: all.toString("utf8", start, i), end: this.#position + next });
      start = next;
      i = next - 1;
    }
    this.#rest = Buffer.from(all.subarray(start));
    this.#position += start;
  }
}
