/**
 * Transactions that the server sends while they are in progress (pgoutput protocol 2, `streaming`): kept in files until their commit
 * comes, then read back as if they had come at once. Their memory here is one buffer each, whatever their size. Files are
 * unlinked when they are made, so a killed process leaves none; after a restart the server sends everything again.
 *
 * Message forms: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { SourceError } from "../cdc/source-error.ts";
import { uint32 } from "./pgoutput/integers.ts";

export interface SpillFile {
  append(b: Buffer, bytes: number): void;
  /** Bytes read; 0 at the end. */
  read(into: Buffer, at: number, position: number): number;
  close(): void;
}
/** Files without a name in `folder`. */
export const spillFiles = (folder: string) => (): SpillFile => {
  const path = join(folder, `millrace-transaction-${randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return {
    append(b, bytes) {
      for (let at = 0; at < bytes; ) at += writeSync(fd, b, at, bytes - at);
    },
    read: (into, at, position) => readSync(fd, into, at, into.length - at, position),
    close: () => closeSync(fd),
  };
};

const WRITE_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;
/** Before each message: its length, the XLogData's WAL position (8 bytes), the id of the subtransaction. */
const HEAD_BYTES = 16;
const RELATION = 0x52;

class Spool {
  readonly #file: SpillFile;
  #buffer = Buffer.allocUnsafe(WRITE_BYTES);
  #filled = 0;
  bytes = 0;
  readonly aborted = new Set<number>();

  constructor(file: SpillFile) {
    this.#file = file;
  }
  /** A message whose type stands at `p` and its transaction id behind it; `wal`: where the WAL position stands. */
  add(b: Buffer, wal: number, p: number, end: number): void {
    const size = end - p - 4;
    const need = HEAD_BYTES + size;
    if (need > this.#buffer.length - this.#filled) this.flush();
    if (need > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(need);
    const out = this.#buffer;
    let at = this.#filled;
    out.writeUInt32BE(size, at);
    b.copy(out, at + 4, wal, wal + 8);
    b.copy(out, at + 12, p + 1, p + 5);
    at += HEAD_BYTES;
    out[at] = b[p] as number;
    b.copy(out, at + 1, p + 5, end);
    this.#filled += need;
    this.bytes += need;
    // A large value's room is not kept.
    if (out.length > WRITE_BYTES) {
      this.flush();
      this.#buffer = Buffer.allocUnsafe(WRITE_BYTES);
    }
  }
  flush(): void {
    if (this.#filled > 0) this.#file.append(this.#buffer, this.#filled);
    this.#filled = 0;
  }
  reader(): SpoolReader {
    this.flush();
    return new SpoolReader(this.#file, this.aborted);
  }
  close(): void {
    this.#file.close();
  }
}

/** The messages of a committed transaction, in order, without those of subtransactions that were rolled back. */
export class SpoolReader {
  readonly #file: SpillFile;
  readonly #aborted: ReadonlySet<number>;
  #position = 0;
  #pos = 0;
  #end = 0;
  /** Of the message that `next` found. Memory is never used for another message: rows keep it. */
  buffer: Buffer = Buffer.alloc(0);
  /** Where the WAL position stands. */
  wal = 0;
  start = 0;
  end = 0;

  constructor(file: SpillFile, aborted: ReadonlySet<number>) {
    this.#file = file;
    this.#aborted = aborted;
  }
  /** False: there are no more. */
  next(): boolean {
    for (;;) {
      if (this.#end - this.#pos < HEAD_BYTES && !this.#fill(HEAD_BYTES)) return false;
      const size = HEAD_BYTES + uint32(this.buffer, this.#pos);
      if (this.#end - this.#pos < size && !this.#fill(size)) throw new SourceError("a spilled transaction cannot be read back");
      this.wal = this.#pos + 4;
      this.start = this.#pos + HEAD_BYTES;
      this.end = this.#pos + size;
      this.#pos = this.end;
      // What a table looks like is sent once for the whole transaction, perhaps inside a part that was rolled back.
      if (this.#aborted.size > 0 && this.buffer[this.start] !== RELATION && this.#aborted.has(uint32(this.buffer, this.wal + 8))) continue;
      return true;
    }
  }
  close(): void {
    this.#file.close();
  }
  #fill(need: number): boolean {
    const rest = this.#end - this.#pos;
    const buffer = Buffer.allocUnsafeSlow(Math.max(READ_BYTES, need));
    this.buffer.copy(buffer, 0, this.#pos, this.#end);
    this.buffer = buffer;
    this.#pos = 0;
    this.#end = rest;
    while (this.#end < need) {
      const n = this.#file.read(buffer, this.#end, this.#position);
      if (n === 0) return false;
      this.#end += n;
      this.#position += n;
    }
    return true;
  }
}

export class StreamedTransactions {
  readonly #newFile: () => SpillFile;
  readonly #maxBytes: number;
  readonly #spools = new Map<number, Spool>();
  #current: Spool | null = null;
  /** Of all transactions in progress. */
  #bytes = 0;

  /** `maxBytes`: of all files together. */
  constructor(newFile: () => SpillFile, maxBytes: number) {
    this.#newFile = newFile;
    this.#maxBytes = maxBytes;
  }
  /** Between stream start and stream stop: messages belong to a transaction in progress. */
  get open(): boolean {
    return this.#current !== null;
  }
  start(xid: number): void {
    let spool = this.#spools.get(xid);
    if (spool === undefined) this.#spools.set(xid, (spool = new Spool(this.#newFile())));
    this.#current = spool;
  }
  stop(): void {
    this.#current = null;
  }
  /** Throws SpillFull. */
  add(b: Buffer, wal: number, p: number, end: number): void {
    const current = this.#current;
    // Origin messages carry no transaction id, and say nothing to us.
    if (current === null || b[p] === 0x4f) return;
    const before = current.bytes;
    current.add(b, wal, p, end);
    this.#bytes += current.bytes - before;
    if (this.#bytes > this.#maxBytes) throw new SpillFull(this.#maxBytes);
  }
  /** `subXid` equal to `xid`: all of it was rolled back. */
  abort(xid: number, subXid: number): void {
    const spool = this.#spools.get(xid);
    if (spool === undefined) return;
    if (subXid !== xid) spool.aborted.add(subXid);
    else {
      this.#forget(xid, spool);
      spool.close();
    }
  }
  /** The caller closes the reader. Null: nothing of it was sent. */
  commit(xid: number): SpoolReader | null {
    const spool = this.#spools.get(xid);
    if (spool === undefined) return null;
    this.#forget(xid, spool);
    return spool.reader();
  }
  #forget(xid: number, spool: Spool): void {
    this.#spools.delete(xid);
    this.#bytes -= spool.bytes;
    if (this.#current === spool) this.#current = null;
  }
  close(): void {
    for (const spool of this.#spools.values()) spool.close();
    this.#spools.clear();
    this.#bytes = 0;
    this.#current = null;
  }
}

/** Streaming is given up: the server then keeps transactions until they commit. */
export class SpillFull extends SourceError {
  constructor(maxBytes: number) {
    super(`a transaction in progress is larger than millrace.streaming.spill.max.bytes=${maxBytes}; the server keeps it until its commit`, {
      transient: true,
    });
  }
}
