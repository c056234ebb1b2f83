/**
 * The disk, injected so that tests and the simulation own every byte and every fault. Calls are synchronous (a write into the
 * page cache costs microseconds) except where a name says Async. Errors are node's: they carry `code` (ENOENT, ENOSPC, EIO …).
 */
export interface DiskFile {
  readonly path: string;
  size(): number;
  /** Writes all of it at the position, or throws. */
  write(bytes: Uint8Array, position: number): void;
  /** Returns the number of bytes read: less than asked only at the end of the file. */
  read(target: Uint8Array, position: number): number;
  readAsync(target: Uint8Array, position: number): Promise<number>;
  truncate(size: number): void;
  sync(): void;
  syncAsync(): Promise<void>;
  /** Idempotent. */
  close(): void;
}
export interface Disk {
  /** create: made if it is not there. existing: ENOENT if it is not there. */
  open(path: string, mode: "create" | "existing"): DiskFile;
  exists(path: string): boolean;
  /** Names in the directory, sorted. */
  list(path: string): string[];
  isDirectory(path: string): boolean;
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** A file; not there is fine. */
  remove(path: string): void;
  /** A directory and all in it; not there is fine. */
  removeTree(path: string): void;
  removeTreeAsync(path: string): Promise<void>;
  readFile(path: string): Buffer;
  /** Readers and crashes see the old content or the new, never a mixture; durable when it returns. */
  replaceFile(path: string, bytes: Uint8Array): void;
  /** The same without fsync, for what can be made again: after a power loss the file may be empty or torn. */
  replaceFileLazily(path: string, bytes: Uint8Array): void;
  /** Makes names in the directory durable. */
  syncDirectory(path: string): void;
  sizeOf(path: string): number;
  modifiedMs(path: string): number;
  /** Of the volume that holds the path; null: not known. */
  space(path: string): { totalBytes: number; usableBytes: number } | null;
}
