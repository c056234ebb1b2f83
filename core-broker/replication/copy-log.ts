/** Copies the files of a log that is in use: whole segments first, then, round by round, what was appended meanwhile. */
import { segmentFileName } from "../log/segment.ts";
import type { Log } from "../log/log.ts";
import type { Disk } from "../log/store/types.ts";

const CHUNK_BYTES = 1 << 20;
/** What is left when the log may be held up for the rest. */
const REST_BYTES_MAX = 1 << 20;
const ROUNDS_MAX = 1000;

export class LogCopy {
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #target: string;
  /** Bytes there, by segment. */
  readonly #copied = new Map<number, number>();
  constructor(disk: Disk, log: Log, target: string) {
    this.#disk = disk;
    this.#log = log;
    this.#target = target;
    disk.removeTree(target);
    disk.makeDirectory(target);
  }
  get bytes(): number {
    let sum = 0;
    for (const bytes of this.#copied.values()) sum += bytes;
    return sum;
  }
  /** Resolves when little is left. Rejects with the disk's error; `isStopped` ends it early. */
  async catchUp(isStopped: () => boolean): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX && !isStopped() && this.#log.sizeBytes - this.bytes > REST_BYTES_MAX; round++) {
      for (const { baseOffset, sizeBytes } of this.#log.segments.all) await this.#copySegment(baseOffset, sizeBytes, isStopped);
    }
  }
  async #copySegment(baseOffset: number, upTo: number, isStopped: () => boolean): Promise<void> {
    let at = this.#copied.get(baseOffset) ?? 0;
    if (at >= upTo) return;
    const name = segmentFileName(baseOffset, ".log");
    const from = this.#disk.open(`${this.#log.directory}/${name}`, "existing");
    const to = this.#disk.open(`${this.#target}/${name}`, "create");
    try {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, upTo - at));
      while (at < upTo && !isStopped()) {
        const count = await from.readAsync(chunk.subarray(0, Math.min(chunk.length, upTo - at)), at);
        if (count === 0) break;
        to.write(chunk.subarray(0, count), at);
        at += count;
        this.#copied.set(baseOffset, at);
      }
      await to.syncAsync();
    } finally {
      from.close();
      to.close();
    }
  }
  /** The log is closed: the rest of its segments, and everything beside them. What is here then is durable. */
  finish(): void {
    for (const name of this.#disk.list(this.#log.directory)) {
      if (name.endsWith(".deleted") || name.endsWith(".tmp")) continue;
      const done = name.endsWith(".log") ? (this.#copied.get(Number(name.slice(0, -4))) ?? 0) : 0;
      this.#copyRest(name, done);
    }
    this.#disk.syncDirectory(this.#target);
  }
  #copyRest(name: string, start: number): void {
    const from = this.#disk.open(`${this.#log.directory}/${name}`, "existing");
    const to = this.#disk.open(`${this.#target}/${name}`, "create");
    try {
      const size = from.size();
      if (start > size) to.truncate(size);
      for (let at = start; at < size; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - at));
        const count = from.read(chunk, at);
        if (count === 0) break;
        to.write(chunk.subarray(0, count), at);
        at += count;
      }
      if (size > start) to.sync();
    } finally {
      from.close();
      to.close();
    }
  }
}
