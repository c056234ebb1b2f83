/**
 * A file of fixed-size entries kept in memory once it was needed. Appends are written behind: when enough have gathered, once a
 * second, and at roll, flush and close. Losing them in a crash costs nothing, because recovery rebuilds the indexes of all segments after the
 * recovery point.
 */
import type { Disk } from "./store/types.ts";

const WRITE_BEHIND_BYTES = 4096;

export class IndexEntries {
  path: string;
  readonly #disk: Disk;
  readonly #entryBytes: number;
  #bytes: Buffer | null = null;
  #size = 0;
  #written = 0;

  constructor(disk: Disk, path: string, entryBytes: number) {
    this.#disk = disk;
    this.path = path;
    this.#entryBytes = entryBytes;
  }
  get count(): number {
    this.#load();
    return this.#size / this.#entryBytes;
  }
  /** The entries; valid until the next append. */
  get bytes(): Buffer {
    return this.#load();
  }
  /** In bytes, without reading the entries. */
  get sizeBytes(): number {
    if (this.#bytes !== null) return this.#size;
    return this.#disk.exists(this.path) ? this.#disk.sizeOf(this.path) : 0;
  }
  /** Room for one more entry; the caller fills it at the position returned. */
  grow(): number {
    const bytes = this.#load();
    const position = this.#size;
    if (position + this.#entryBytes > bytes.length) {
      const grown = Buffer.alloc(Math.max(bytes.length * 2, this.#entryBytes * 8));
      bytes.copy(grown, 0, 0, position);
      this.#bytes = grown;
    }
    this.#size += this.#entryBytes;
    return position;
  }
  writeBehind(): void {
    if (this.#size - this.#written >= WRITE_BEHIND_BYTES) this.persist();
  }
  get isBehind(): boolean {
    return this.#size > this.#written;
  }
  /** Writes what is not on disk yet (page cache); `sync` also makes it durable. The file always exists afterwards. */
  persist(sync = false): void {
    const bytes = this.#bytes;
    if (bytes === null) {
      if (!sync || !this.#disk.exists(this.path)) return;
      const file = this.#disk.open(this.path, "existing");
      file.sync();
      file.close();
      return;
    }
    const file = this.#disk.open(this.path, "create");
    try {
      if (this.#size > this.#written) file.write(bytes.subarray(this.#written, this.#size), this.#written);
      this.#written = this.#size;
      if (sync) file.sync();
    } finally {
      file.close();
    }
  }
  truncate(count: number): void {
    this.#load();
    const size = count * this.#entryBytes;
    if (size >= this.#size) return;
    this.#size = size;
    if (this.#written <= size) return;
    this.#written = size;
    const file = this.#disk.open(this.path, "create");
    file.truncate(size);
    file.close();
  }
  /** Starts empty, whatever the file holds (before a rebuild). */
  reset(): void {
    this.#bytes = Buffer.alloc(0);
    this.#size = 0;
    this.#written = 0;
    const file = this.#disk.open(this.path, "create");
    file.truncate(0);
    file.close();
  }
  /** Forgets the entries of a sealed segment; they are read again when needed. */
  release(): void {
    if (this.#bytes !== null && this.#written === this.#size) this.#bytes = null;
  }
  #load(): Buffer {
    if (this.#bytes !== null) return this.#bytes;
    const found = this.#disk.exists(this.path) ? this.#disk.readFile(this.path) : Buffer.alloc(0);
    this.#size = found.length - (found.length % this.#entryBytes);
    this.#written = this.#size;
    this.#bytes = found;
    return found;
  }
}
