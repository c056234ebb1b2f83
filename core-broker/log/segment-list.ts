/** The segments of a log in offset order; never empty once the log is open. */
import type { Segment } from "./segment.ts";

export class SegmentList {
  #segments: Segment[] = [];

  get all(): readonly Segment[] {
    return this.#segments;
  }
  get first(): Segment {
    return this.#at(0);
  }
  get active(): Segment {
    return this.#at(this.#segments.length - 1);
  }
  #at(index: number): Segment {
    const segment = this.#segments[index];
    if (segment === undefined) throw new RangeError(`no segment ${index}: the log is not open`);
    return segment;
  }
  get sizeBytes(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.sizeBytes;
    return sum;
  }
  add(segment: Segment): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.baseOffset >= segment.baseOffset) {
      throw new RangeError(`segment ${segment.baseOffset} does not follow ${last.baseOffset}`);
    }
    this.#segments.push(segment);
  }
  /** Index of the last segment whose base offset is ≤ offset; 0 when the offset lies before all. */
  floor(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#at(middle).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  /** From the one that may hold the offset on. */
  *from(offset: number): Generator<Segment> {
    for (let index = this.floor(offset); index < this.#segments.length; index++) yield this.#at(index);
  }
  /** Base offset of the segment after this one; Infinity for the active one. */
  nextBaseOffset(segment: Segment): number {
    return this.#segments[this.#segments.indexOf(segment) + 1]?.baseOffset ?? Number.POSITIVE_INFINITY;
  }
  remove(gone: ReadonlySet<Segment>): void {
    this.#segments = this.#segments.filter((segment) => !gone.has(segment));
  }
  /** Compaction: one segment stands where several were. */
  replace(gone: ReadonlySet<Segment>, by: readonly Segment[]): void {
    const kept = this.#segments.filter((segment) => !gone.has(segment));
    this.#segments = [...kept, ...by].sort((a, b) => a.baseOffset - b.baseOffset);
  }
  clear(): void {
    this.#segments = [];
  }
}
