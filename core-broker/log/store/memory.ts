/**
 * A disk in memory for tests and the simulation. It remembers which writes were not fsynced, so that a crash can drop, tear or
 * keep each of them, and it can be told to fail. Renames, creations and removals are atomic and in order, as on a journaling
 * file system.
 */
import type { Random } from "../../base/random.ts";
import type { Disk, DiskFile } from "./types.ts";

/** kill: the process dies, the page cache lives. power: anything not fsynced may be lost or torn. */
export type CrashKind = "kill" | "power";
export type DiskOperation = "open" | "write" | "read" | "truncate" | "sync" | "rename" | "remove" | "replace";

interface Write {
  readonly position: number;
  /** null: a truncation to `position`. */
  readonly bytes: Buffer | null;
}
interface Content {
  bytes: Buffer;
  size: number;
  /** What fsync made safe, and what came after it. */
  durable: Buffer;
  pending: Write[];
}

export class DiskFault extends Error {
  readonly code: string;
  /** A write that fails may have got that far: 0 to 1. */
  readonly writtenShare: number;
  constructor(code: string, path: string, writtenShare = 0) {
    super(`${code}: simulated fault, '${path}'`);
    this.code = code;
    this.writtenShare = writtenShare;
  }
}

function apply(content: { bytes: Buffer; size: number }, write: Write): void {
  if (write.bytes === null) {
    if (write.position > content.size)
      content.bytes = Buffer.concat([content.bytes.subarray(0, content.size), Buffer.alloc(write.position - content.size)]);
    content.size = write.position;
    return;
  }
  const end = write.position + write.bytes.length;
  if (end > content.bytes.length) {
    const grown = Buffer.alloc(Math.max(end, content.bytes.length * 2, 256));
    content.bytes.copy(grown, 0, 0, content.size);
    content.bytes = grown;
  }
  if (write.position > content.size) content.bytes.fill(0, content.size, write.position);
  write.bytes.copy(content.bytes, write.position);
  content.size = Math.max(content.size, end);
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #content: Content;
  constructor(disk: MemoryDisk, path: string, content: Content) {
    this.#disk = disk;
    this.path = path;
    this.#content = content;
  }
  size(): number {
    return this.#content.size;
  }
  write(bytes: Uint8Array, position: number): void {
    try {
      this.#disk.mayFail("write", this.path);
    } catch (error) {
      if (error instanceof DiskFault) this.#put(bytes.subarray(0, Math.floor(bytes.length * error.writtenShare)), position);
      throw error;
    }
    this.#put(bytes, position);
  }
  #put(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const write = { position, bytes: Buffer.from(bytes) };
    apply(this.#content, write);
    this.#content.pending.push(write);
  }
  read(target: Uint8Array, position: number): number {
    this.#disk.mayFail("read", this.path);
    const count = Math.max(0, Math.min(target.length, this.#content.size - position));
    target.set(this.#content.bytes.subarray(position, position + count));
    return count;
  }
  async readAsync(target: Uint8Array, position: number): Promise<number> {
    return this.read(target, position);
  }
  truncate(size: number): void {
    this.#disk.mayFail("truncate", this.path);
    apply(this.#content, { position: size, bytes: null });
    this.#content.pending.push({ position: size, bytes: null });
  }
  sync(): void {
    this.#disk.mayFail("sync", this.path);
    this.#content.durable = Buffer.from(this.#content.bytes.subarray(0, this.#content.size));
    this.#content.pending = [];
  }
  async syncAsync(): Promise<void> {
    this.sync();
  }
  close(): void {}
}

export class MemoryDisk implements Disk {
  readonly #files = new Map<string, Content>();
  readonly #directories = new Set<string>(["/"]);
  /** Called before each operation; throws (a DiskFault) to make it fail. */
  fault: ((operation: DiskOperation, path: string) => void) | null = null;

  mayFail(operation: DiskOperation, path: string): void {
    this.fault?.(operation, path);
  }
  open(path: string, mode: "create" | "existing"): DiskFile {
    this.mayFail("open", path);
    let content = this.#files.get(path);
    if (content === undefined) {
      if (mode === "existing") throw new DiskFault("ENOENT", path);
      content = { bytes: Buffer.alloc(0), size: 0, durable: Buffer.alloc(0), pending: [] };
      this.#files.set(path, content);
    }
    return new MemoryFile(this, path, content);
  }
  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }
  list(path: string): string[] {
    const names = new Set<string>();
    for (const known of [...this.#files.keys(), ...this.#directories]) {
      if (!known.startsWith(`${path}/`)) continue;
      const name = known.slice(path.length + 1).split("/")[0];
      if (name) names.add(name);
    }
    return [...names].sort();
  }
  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }
  makeDirectory(path: string): void {
    const parts = path.split("/");
    for (let depth = 2; depth <= parts.length; depth++) this.#directories.add(parts.slice(0, depth).join("/"));
  }
  rename(from: string, to: string): void {
    this.mayFail("rename", from);
    if (!this.exists(from)) throw new DiskFault("ENOENT", from);
    const file = this.#files.get(from);
    if (file !== undefined) {
      this.#files.delete(from);
      this.#files.set(to, file);
      return;
    }
    for (const path of [...this.#directories].filter((name) => name === from || name.startsWith(`${from}/`))) {
      this.#directories.delete(path);
      this.#directories.add(to + path.slice(from.length));
    }
    for (const [path, content] of [...this.#files].filter(([name]) => name.startsWith(`${from}/`))) {
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), content);
    }
  }
  remove(path: string): void {
    this.mayFail("remove", path);
    this.#files.delete(path);
  }
  removeTree(path: string): void {
    for (const name of Array.from(this.#files.keys())) if (name.startsWith(`${path}/`)) this.#files.delete(name);
    for (const name of Array.from(this.#directories)) if (name === path || name.startsWith(`${path}/`)) this.#directories.delete(name);
  }
  async removeTreeAsync(path: string): Promise<void> {
    this.removeTree(path);
  }
  readFile(path: string): Buffer {
    this.mayFail("read", path);
    const content = this.#files.get(path);
    if (content === undefined) throw new DiskFault("ENOENT", path);
    return Buffer.from(content.bytes.subarray(0, content.size));
  }
  replaceFile(path: string, bytes: Uint8Array): void {
    this.mayFail("replace", path);
    this.#files.set(path, { bytes: Buffer.from(bytes), size: bytes.length, durable: Buffer.from(bytes), pending: [] });
  }
  replaceFileLazily(path: string, bytes: Uint8Array): void {
    this.mayFail("replace", path);
    const copy = Buffer.from(bytes);
    this.#files.set(path, {
      bytes: copy,
      size: copy.length,
      durable: Buffer.alloc(0),
      pending: [{ position: 0, bytes: Buffer.from(copy) }],
    });
  }
  syncDirectory(): void {}
  sizeOf(path: string): number {
    const content = this.#files.get(path);
    if (content === undefined) throw new DiskFault("ENOENT", path);
    return content.size;
  }
  modifiedMs(): number {
    return 0;
  }
  space(): null {
    return null;
  }

  /** What a machine that went down leaves behind, as another disk; this one refuses everything from now on. */
  crash(kind: CrashKind, random: Random): MemoryDisk {
    const left = new MemoryDisk();
    for (const directory of this.#directories) left.#directories.add(directory);
    for (const [path, content] of this.#files) {
      const state = { bytes: Buffer.from(content.durable), size: content.durable.length };
      for (const write of kind === "kill" ? content.pending : afterPowerLoss(content, random)) apply(state, write);
      // After a kill the page cache still holds what was not fsynced: a later power loss may take it.
      const durable = kind === "kill" ? content.durable : Buffer.from(state.bytes.subarray(0, state.size));
      left.#files.set(path, { ...state, durable, pending: kind === "kill" ? [...content.pending] : [] });
    }
    this.fault = (_operation, path) => {
      throw new DiskFault("EDEAD", path);
    };
    return left;
  }
  /** Bit rot, for tests: flips one bit of a file. */
  flipBit(path: string, position: number, bit: number): void {
    const content = this.#files.get(path);
    if (content === undefined || position >= content.size) throw new DiskFault("ENOENT", path);
    content.bytes[position] = (content.bytes[position] ?? 0) ^ (1 << bit);
  }
}

function afterPowerLoss(content: Content, random: Random): Write[] {
  const survivors: Write[] = [];
  for (const write of content.pending) {
    const fate = random.below(3);
    if (fate === 0) continue;
    if (fate === 1 && write.bytes !== null) {
      survivors.push({ position: write.position, bytes: write.bytes.subarray(0, random.below(write.bytes.length + 1)) });
    } else survivors.push(write);
  }
  return survivors;
}
