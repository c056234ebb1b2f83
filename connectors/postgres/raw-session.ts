/**
 * A session on a socket taken over from `pg`: simple queries, COPY … TO STDOUT and logical replication. Rows and
 * messages are given to the consumer as ranges of the chunk that was read. The socket is paused while the consumer
 * cannot take more, so that the server waits instead of our memory growing.
 */
import type { Duplex } from "node:stream";
import type pg from "pg";
import { readInto } from "../cdc/direct-reads.ts";
import { socketOf } from "./connection.ts";
import { FrameReader } from "./pgoutput/frames.ts";

export class ServerError extends Error {
  /** SQLSTATE, or "" where the server was not what failed. */
  readonly code: string;
  readonly severity: string;
  constructor(message: string, code: string, severity: string) {
    super(message);
    this.code = code;
    this.severity = severity;
  }
}

/** Takes CopyData bodies. `ready` false: stop until `RawSession.resume`. */
export interface CopyConsumer {
  readonly ready: boolean;
  data(b: Buffer, start: number, end: number): void;
  /** Called after each piece of input. */
  flushed(): void;
  /**
   * Calls `done` once nobody looks at the bytes given so far, but those since the row before the last. Absent: they are never
   * used for anything else.
   */
  afterUse?(done: () => void): void;
}
interface Pending {
  readonly resolve: (rows: (string | null)[][]) => void;
  readonly reject: (error: Error) => void;
  readonly rows: (string | null)[][];
  /** Resolve when the server opens the replication stream, not when the command ends. */
  readonly untilOpen: boolean;
  error: Error | null;
}

export class RawSession {
  readonly #socket: Duplex;
  readonly #frames = new FrameReader();
  readonly #onEnd: (error: Error) => void;
  #pending: Pending | null = null;
  #consumer: CopyConsumer | null = null;
  #paused = false;
  #ended = false;
  #closing = false;

  /** `onEnd`: the connection broke or the server ended the stream while no command was waiting for an answer. */
  constructor(client: pg.Client, onEnd: (error: Error) => void = () => {}) {
    this.#onEnd = onEnd;
    this.#socket = socketOf(client);
    readInto(this.#socket, this.#frames.input, {
      read: () => this.#pump(),
      failed: (error) => this.#fail(error),
      closed: () => this.#fail(new ServerError("the connection was closed by the server", "", "FATAL")),
    });
    this.#socket.resume();
  }
  /** Rows as text. Throws ServerError. */
  query(sql: string): Promise<(string | null)[][]> {
    return this.#command(sql, false);
  }
  /** Resolves when the last row has been taken. */
  async copyOut(sql: string, consumer: CopyConsumer): Promise<void> {
    this.#consumer = consumer;
    try {
      await this.#command(sql, false);
    } finally {
      this.#consumer = null;
    }
  }
  /** Resolves when the stream is open; from then on the consumer gets its messages until the session ends. */
  async startReplication(sql: string, consumer: CopyConsumer): Promise<void> {
    this.#consumer = consumer;
    await this.#command(sql, true);
  }
  /** One CopyData message to the server. */
  sendCopyData(body: Buffer): void {
    if (this.#ended) return;
    const frame = Buffer.allocUnsafe(5 + body.length);
    frame[0] = 0x64;
    frame.writeInt32BE(4 + body.length, 1);
    body.copy(frame, 5);
    this.#socket.write(frame);
  }
  /** Goes on with what was left when the consumer was not ready. */
  resume(): void {
    if (this.#ended) return;
    this.#pump();
  }
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#ended) return;
    this.#ended = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#socket.destroy();
        resolve();
      }, 1000);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      // Unread input keeps a stream from closing.
      this.#socket.removeAllListeners("data");
      this.#socket.resume();
      this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
    });
  }

  #command(sql: string, untilOpen: boolean): Promise<(string | null)[][]> {
    if (this.#ended) return Promise.reject(new ServerError("the connection is closed", "", "FATAL"));
    if (this.#pending !== null) return Promise.reject(new Error("a command is running in this session already"));
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, rows: [], untilOpen, error: null };
      const text = Buffer.from(sql);
      const frame = Buffer.alloc(text.length + 6);
      frame[0] = 0x51;
      frame.writeInt32BE(text.length + 5, 1);
      text.copy(frame, 5);
      this.#socket.write(frame);
    });
  }
  #pump(): void {
    const frames = this.#frames;
    try {
      for (;;) {
        const consumer = this.#consumer;
        if (consumer !== null && !consumer.ready) {
          if (!this.#paused) this.#socket.pause();
          this.#paused = true;
          consumer.flushed();
          this.#recycle(consumer);
          return;
        }
        if (!frames.next()) break;
        if (frames.type === 0x64) consumer?.data(frames.bytes, frames.start, frames.end);
        else this.#control(frames.bytes, frames.start, frames.end);
      }
      this.#consumer?.flushed();
      this.#recycle(this.#consumer);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
  }
  #recycle(consumer: CopyConsumer | null): void {
    const frames = this.#frames;
    const left = frames.input.takeLeft();
    if (left !== null) consumer?.afterUse?.(() => frames.input.reuse(left));
  }
  #control(b: Buffer, start: number, end: number): void {
    const pending = this.#pending;
    switch (this.#frames.type) {
      case 0x44: // DataRow
        pending?.rows.push(textRow(b, start));
        return;
      case 0x57: // CopyBothResponse
        this.#pending = null;
        pending?.resolve([]);
        return;
      case 0x45: {
        const error = serverError(b, start, end);
        if (pending !== null) pending.error = error;
        else this.#fail(error);
        // A fatal error is not followed by ReadyForQuery.
        if (error.severity === "FATAL") this.#fail(error);
        return;
      }
      case 0x63: // CopyDone: for replication, the server is shutting down
        if (pending === null) this.#fail(new ServerError("the server ended the replication stream", "", "FATAL"));
        return;
      case 0x5a: // ReadyForQuery
        this.#pending = null;
        if (pending === null) return;
        if (pending.error !== null) pending.reject(pending.error);
        else if (pending.untilOpen) pending.reject(new ServerError("the server did not open a replication stream", "", "ERROR"));
        else pending.resolve(pending.rows);
        return;
      default:
        return;
    }
  }
  #fail(error: Error): void {
    if (this.#ended || this.#closing) return;
    this.#ended = true;
    this.#socket.destroy();
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) pending.reject(pending.error ?? error);
    else this.#onEnd(error);
  }
}

function textRow(b: Buffer, start: number): (string | null)[] {
  const row: (string | null)[] = [];
  const count = b.readUInt16BE(start);
  let p = start + 2;
  for (let i = 0; i < count; i++) {
    const length = b.readInt32BE(p);
    p += 4;
    row.push(length < 0 ? null : b.toString("utf8", p, p + length));
    p += Math.max(0, length);
  }
  return row;
}

function serverError(b: Buffer, start: number, end: number): ServerError {
  const fields = new Map<string, string>();
  let p = start;
  while (p < end && b[p] !== 0) {
    const stop = b.indexOf(0, p + 1);
    fields.set(String.fromCharCode(b[p] ?? 0), b.toString("utf8", p + 1, stop));
    p = stop + 1;
  }
  return new ServerError(
    fields.get("M") ?? "the server reported an error",
    fields.get("C") ?? "",
    fields.get("V") ?? fields.get("S") ?? "ERROR",
  );
}
