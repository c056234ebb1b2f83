/**
 * Rows of queries as the text protocol carries them: ranges of the memory that the socket read into, without an object for each
 * cell. The session belongs to a connection of mysql2 whose socket it takes over (Protocol::Resultset, MySQL's source documentation).
 */
import type { Duplex } from "node:stream";
import type { Connection } from "mysql2/promise";
import { readInto } from "../cdc/direct-reads.ts";
import { uint16, uint24, uint32, uint48 } from "./binlog/bytes.ts";
import { PacketReader } from "./binlog/packets.ts";
import { connect, takeSocket } from "./connection.ts";
import type { MysqlServer } from "./server-settings.ts";

/** Cells of one row, by column. */
export interface TextRow {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}
export interface TextRowConsumer {
  /** False: stop until `resume`. */
  readonly ready: boolean;
  row(b: Buffer, row: TextRow, bytes: number): void;
  /** Called after each piece of input. */
  flushed(): void;
}
const COM_QUERY = 3;
const ERROR = 0xff;
const END = 0xfe;
const NULL_CELL = 0xfb;
const END_BYTES_MAX = 9;

class QueryError extends Error {
  readonly errno: number;
  constructor(message: string, errno: number) {
    super(message);
    this.errno = errno;
  }
}
interface Running {
  readonly consumer: TextRowConsumer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** What the next packet is: the number of columns, so many definitions, the end of definitions, rows. */
  step: "count" | "columns" | "rows";
  left: number;
}

/** A connection for `TextSession`: its queries have no attributes in front of their text, and may take as long as a table is large. */
export const textConnection = (server: MysqlServer): Promise<Connection> =>
  connect({ ...server, queryTimeoutMs: 0 }, { flags: ["-CLIENT_QUERY_ATTRIBUTES"] });

export class TextSession {
  readonly #connection: Connection;
  readonly #socket: Duplex;
  readonly #packets = new PacketReader();
  readonly #row = { starts: new Int32Array(64), ends: new Int32Array(64) };
  #columns = 0;
  #running: Running | null = null;
  #paused = false;
  #pumping = false;
  #broken: Error | null = null;

  /** `connection` is idle; nobody else uses it from now on. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#socket = takeSocket(connection);
    readInto(this.#socket, this.#packets.input, {
      read: () => this.#pump(),
      failed: (error) => this.#fail(error),
      closed: () => this.#fail(new QueryError("The server closed the connection during a query", 2013)),
    });
    this.#socket.resume();
  }
  /** Resolves when all rows were given to the consumer. */
  query(sql: string, consumer: TextRowConsumer): Promise<void> {
    const text = Buffer.from(sql, "utf8");
    const packet = Buffer.alloc(5 + text.length);
    packet.writeUIntLE(1 + text.length, 0, 3);
    packet[4] = COM_QUERY;
    text.copy(packet, 5);
    return new Promise((resolve, reject) => {
      if (this.#broken !== null) return reject(this.#broken);
      this.#running = { consumer, resolve, reject, step: "count", left: 0 };
      this.#socket.write(packet);
    });
  }
  resume(): void {
    if (this.#running !== null) this.#pump();
  }
  close(): Promise<void> {
    this.#broken ??= new QueryError("closed", 0);
    const running = this.#running;
    this.#running = null;
    running?.reject(this.#broken);
    this.#connection.destroy();
    this.#socket.destroy();
    return Promise.resolve();
  }
  #fail(error: Error): void {
    this.#broken ??= error;
    const running = this.#running;
    this.#running = null;
    running?.reject(error);
  }
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#read();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#pumping = false;
    }
  }
  #read(): void {
    const packets = this.#packets;
    for (let running = this.#running; running !== null; running = this.#running) {
      const { consumer } = running;
      if (!consumer.ready) {
        if (!this.#paused) this.#socket.pause();
        this.#paused = true;
        consumer.flushed();
        return;
      }
      if (!packets.next()) {
        if (this.#paused) this.#socket.resume();
        this.#paused = false;
        consumer.flushed();
        packets.input.takeLeft();
        return;
      }
      this.#packet(running, packets.bytes, packets.start, packets.end);
    }
  }
  #packet(running: Running, b: Buffer, start: number, end: number): void {
    const first = b[start];
    if (first === ERROR) throw new QueryError(b.toString("utf8", start + 9, end), uint16(b, start + 1));
    if (running.step === "count") {
      if (first === 0) return this.#done(running);
      this.#columns = b[start] === 0xfc ? uint16(b, start + 1) : (first ?? 0);
      if (this.#row.starts.length < this.#columns) {
        this.#row.starts = new Int32Array(this.#columns);
        this.#row.ends = new Int32Array(this.#columns);
      }
      running.left = this.#columns;
      running.step = "columns";
    } else if (running.step === "columns") {
      // The definitions end with a packet of their own, unless both sides agreed to leave it out.
      if (running.left-- > 0) return;
      running.step = "rows";
      if (first !== END || end - start >= END_BYTES_MAX) this.#cells(running, b, start, end);
    } else if (first === END && end - start < END_BYTES_MAX) this.#done(running);
    else this.#cells(running, b, start, end);
  }
  #done(running: Running): void {
    this.#running = null;
    // The end may be read from what was left: only input wakes the next query, so the socket must not stay paused.
    if (this.#paused) this.#socket.resume();
    this.#paused = false;
    running.consumer.flushed();
    running.resolve();
  }
  #cells(running: Running, b: Buffer, start: number, end: number): void {
    const { starts, ends } = this.#row;
    let p = start;
    for (let i = 0; i < this.#columns; i++) {
      let size = b[p++] as number;
      if (size === NULL_CELL) {
        starts[i] = -1;
        ends[i] = -1;
        continue;
      }
      if (size === 0xfc) {
        size = uint16(b, p);
        p += 2;
      } else if (size === 0xfd) {
        size = uint24(b, p);
        p += 3;
      } else if (size === 0xfe) {
        size = uint32(b, p + 4) === 0 ? uint32(b, p) : uint48(b, p);
        p += 8;
      }
      starts[i] = p;
      p += size;
      ends[i] = p;
    }
    if (p > end) throw new QueryError("A row ends before its cells", 2027);
    running.consumer.row(b, this.#row, end - start);
  }
}
