/** Walks the batches of a segment file in large reads. Used by recovery, index rebuilds, the cleaner and time look-ups. */
import { crcOk } from "../protocol/records/batch.ts";
import { HEADER_BYTES, lastOffsetOf, plausibleSize } from "./batch-fields.ts";
import type { DiskFile } from "./store/types.ts";

const CHUNK_BYTES = 1 << 20;

/** One object per walk, changed at each step: copy what must outlive it. */
export interface ScannedBatch {
  buf: Buffer;
  /** Start of the batch in `buf`. */
  pos: number;
  /** Start of the batch in the file. */
  filePosition: number;
  sizeBytes: number;
}
export interface ScanOptions {
  readonly from?: number;
  readonly to: number;
  readonly checkCrc: boolean;
  /** Offsets must be ascending from here. */
  readonly minOffset?: number;
}
/** Where and why the walk ended: null when all bytes up to `to` were whole, good batches. */
export interface ScanEnd {
  readonly position: number;
  readonly problem: string | null;
}

/** Calls `visit` per batch until it returns false; never throws for bad bytes, says so in the result. */
export function scanSegment(file: DiskFile, options: ScanOptions, visit: (batch: ScannedBatch) => boolean): ScanEnd {
  const scan = new Scan(options);
  for (;;) {
    const target = scan.nextRead();
    if (target === null) return scan.end();
    scan.visitChunk(target, file.read(target, scan.position), visit);
    if (scan.done) return scan.end();
  }
}

/** The same with reads off the event loop, which gets a turn after each chunk. */
export async function scanSegmentAsync(file: DiskFile, options: ScanOptions, visit: (batch: ScannedBatch) => boolean): Promise<ScanEnd> {
  const scan = new Scan(options);
  for (;;) {
    const target = scan.nextRead();
    if (target === null) return scan.end();
    scan.visitChunk(target, await file.readAsync(target, scan.position), visit);
    if (scan.done) return scan.end();
  }
}

class Scan {
  position: number;
  done = false;
  readonly #options: ScanOptions;
  readonly #batch: ScannedBatch = { buf: Buffer.alloc(0), pos: 0, filePosition: 0, sizeBytes: 0 };
  #readBytes = CHUNK_BYTES;
  #lastOffset: number;
  #problem: string | null = null;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.position = options.from ?? 0;
    this.#lastOffset = (options.minOffset ?? 0) - 1;
  }
  end(): ScanEnd {
    return { position: this.position, problem: this.#problem };
  }
  /** A fresh buffer for each chunk, so that what a visitor kept stays valid; null at the end. */
  nextRead(): Buffer | null {
    const rest = this.#options.to - this.position;
    return rest <= 0 ? null : Buffer.allocUnsafeSlow(Math.min(rest, this.#readBytes));
  }
  visitChunk(target: Buffer, count: number, visit: (batch: ScannedBatch) => boolean): void {
    const buf = target.subarray(0, count);
    const atEnd = this.position + count >= this.#options.to || count < target.length;
    this.#readBytes = CHUNK_BYTES;
    let pos = 0;
    while (pos < count) {
      if (count - pos < HEADER_BYTES) {
        if (atEnd || pos === 0) this.#stop("a batch header is cut off");
        break;
      }
      const size = plausibleSize(buf, pos);
      if (size < 0) return this.#stopAt(pos, "the bytes are no record batch", true);
      if (pos + size > count) {
        if (atEnd) this.#stop(`a batch of ${size} bytes is cut off`);
        else if (pos === 0) this.#readBytes = size;
        break;
      }
      const problem = this.#problemOf(buf, pos, size);
      if (problem !== null) return this.#stopAt(pos, problem, true);
      this.#batch.buf = buf;
      this.#batch.pos = pos;
      this.#batch.filePosition = this.position + pos;
      this.#batch.sizeBytes = size;
      this.#lastOffset = lastOffsetOf(buf, pos);
      pos += size;
      if (!visit(this.#batch)) return this.#stopAt(pos, null, true);
    }
    this.position += pos;
  }
  #problemOf(buf: Buffer, pos: number, size: number): string | null {
    if (lastOffsetOf(buf, pos) <= this.#lastOffset) return `offset ${lastOffsetOf(buf, pos)} does not follow ${this.#lastOffset}`;
    if (this.#options.checkCrc && !crcOk(buf, pos, pos + size)) return "the CRC is wrong";
    return null;
  }
  #stop(problem: string): void {
    this.#problem = problem;
    this.done = true;
  }
  #stopAt(pos: number, problem: string | null, done: boolean): void {
    this.position += pos;
    this.#problem = problem;
    this.done = done;
  }
}
