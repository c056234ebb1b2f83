/** The real disk. */
import * as fs from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Disk, DiskFile } from "./types.ts";

class OpenFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  #open = true;
  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }
  size(): number {
    return fs.fstatSync(this.#fd).size;
  }
  write(bytes: Uint8Array, position: number): void {
    let done = fs.writeSync(this.#fd, bytes, 0, bytes.length, position);
    while (done < bytes.length) done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
  }
  read(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const count = fs.readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }
  readAsync(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const next = (done: number): void => {
        fs.read(this.#fd, target, done, target.length - done, position + done, (error, count) => {
          if (error) reject(error);
          else if (count === 0 || done + count === target.length) resolve(done + count);
          else next(done + count);
        });
      };
      next(0);
    });
  }
  truncate(size: number): void {
    fs.ftruncateSync(this.#fd, size);
  }
  sync(): void {
    fs.fdatasyncSync(this.#fd);
  }
  syncAsync(): Promise<void> {
    return new Promise((resolve, reject) => fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())));
  }
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#fd);
  }
}

function syncDirectory(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

export const fileDisk: Disk = {
  open(path, mode) {
    const flags = fs.constants.O_RDWR | (mode === "create" ? fs.constants.O_CREAT : 0);
    return new OpenFile(path, fs.openSync(path, flags, 0o644));
  },
  exists: (path) => fs.existsSync(path),
  list: (path) => fs.readdirSync(path).sort(),
  isDirectory: (path) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  makeDirectory: (path) => {
    fs.mkdirSync(path, { recursive: true });
  },
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  removeTree: (path) => fs.rmSync(path, { recursive: true, force: true }),
  removeTreeAsync: (path) => rm(path, { recursive: true, force: true }),
  readFile: (path) => fs.readFileSync(path),
  replaceFile(path, bytes) {
    const temporary = `${path}.tmp`;
    const fd = fs.openSync(temporary, "w", 0o644);
    try {
      fs.writeFileSync(fd, bytes);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
    syncDirectory(dirname(path));
  },
  replaceFileLazily(path, bytes) {
    const temporary = `${path}.tmp`;
    fs.writeFileSync(temporary, bytes);
    fs.renameSync(temporary, path);
  },
  syncDirectory,
  sizeOf: (path) => fs.statSync(path).size,
  modifiedMs: (path) => fs.statSync(path).mtimeMs,
  space(path) {
    try {
      const stat = fs.statfsSync(path);
      return { totalBytes: stat.blocks * stat.bsize, usableBytes: stat.bavail * stat.bsize };
    } catch {
      return null;
    }
  },
};
