/**
 * The stream of the binary log: a replica's session on a socket taken over from mysql2. Events are given to the consumer as
 * they are decoded; their bytes are ranges of the chunks that were read. The socket is paused while the consumer cannot take
 * more, so that the server waits instead of our memory growing.
 */
import type { Duplex } from "node:stream";
import type { Connection } from "mysql2/promise";
import { readInto } from "../cdc/direct-reads.ts";
import { BinlogDecoder } from "./binlog/decoder.ts";
import { PacketReader } from "./binlog/packets.ts";
import type { BinlogEvent } from "./binlog/types.ts";
import { login, takeSocket } from "./connection.ts";
import { streamFailure, StreamError } from "./replication-failures.ts";
import { dump, registerReplica, sessionStatements, type StreamStart } from "./replication-commands.ts";
import type { MysqlServer } from "./server-settings.ts";

/** Takes events. `ready` false: stop until `BinlogStream.resume`. */
export interface BinlogConsumer {
  readonly ready: boolean;
  event(event: BinlogEvent): void;
  /** Called after each piece of input. */
  flushed(): void;
  /**
   * Calls `done` once nobody looks at the bytes of the events given so far. Absent: they are never used for anything else.
   */
  afterUse?(done: () => void): void;
}
export interface StreamOptions {
  readonly start: StreamStart;
  readonly serverId: number;
  /** The server sends a heartbeat when it had nothing else to send for so long. */
  readonly heartbeatMs: number;
  readonly verifyChecksum: boolean;
  /** Most bytes that a compressed transaction or event may have when unpacked. */
  readonly unpackedMaxBytes: number;
  /** MariaDB: the statements of row events are sent, too. Offsets count events, so the reference's count is only ours when both ask. */
  readonly annotated?: boolean;
}

const PACKET_OK = 0x00;
const PACKET_EOF = 0xfe;
const PACKET_ERROR = 0xff;
/** So many heartbeats may stay away before the connection counts as dead. */
const HEARTBEATS_MISSED_MAX = 3;
const CLOSE_TIMEOUT_MS = 1000;

export class BinlogStream {
  readonly #connection: Connection;
  readonly #socket: Duplex;
  readonly #packets = new PacketReader();
  readonly #decoder: BinlogDecoder;
  readonly #consumer: BinlogConsumer;
  readonly #onEnd: (error: StreamError) => void;
  readonly #watch: NodeJS.Timeout;
  #opening: { readonly resolve: () => void; readonly reject: (error: StreamError) => void } | null = null;
  /** Packets that answer other commands (register) and are no events. */
  #answers = 0;
  #heard = false;
  #missed = 0;
  #paused = false;
  #pumping = false;
  #ended = false;

  private constructor(
    connection: Connection,
    checksum: boolean,
    options: StreamOptions,
    consumer: BinlogConsumer,
    onEnd: (error: StreamError) => void,
  ) {
    this.#connection = connection;
    this.#consumer = consumer;
    this.#onEnd = onEnd;
    this.#decoder = new BinlogDecoder({
      checksum,
      verifyChecksum: options.verifyChecksum,
      unpackedMaxBytes: options.unpackedMaxBytes,
    });
    this.#socket = takeSocket(connection);
    readInto(this.#socket, this.#packets.input, {
      read: () => this.#pump(),
      failed: (error) => this.#fail(streamFailure(error)),
      closed: () => this.#fail(new StreamError("The server closed the connection of the binary log", { transient: true })),
    });
    this.#watch = setInterval(() => this.#watched(options.heartbeatMs), Math.max(1000, options.heartbeatMs));
    this.#watch.unref();
  }
  /**
   * Resolves when the first event has come. Rejects with StreamError, e.g. when the log that is asked for was purged. `onEnd`: the
   * stream broke afterwards; it is called once, and not after `close`.
   */
  static async open(
    server: MysqlServer,
    options: StreamOptions,
    consumer: BinlogConsumer,
    onEnd: (error: StreamError) => void,
  ): Promise<BinlogStream> {
    let connection: Connection | null = null;
    try {
      connection = await login(server);
      const session = await prepare(connection, options);
      const stream = new BinlogStream(connection, session.checksum, options, consumer, onEnd);
      await stream.#ask(session.mariadb, options);
      return stream;
    } catch (error) {
      connection?.destroy();
      throw streamFailure(error);
    }
  }
  /** Goes on with what was left when the consumer was not ready. */
  resume(): void {
    if (!this.#ended) this.#pump();
  }
  close(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#end();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      // A dump has no end that could be asked for.
      this.#connection.destroy();
      this.#socket.destroy();
    });
  }

  #ask(mariadb: boolean, options: StreamOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#answers = 1;
      this.#socket.write(registerReplica(options.serverId));
      this.#socket.write(dump(options.start, options.serverId, mariadb, options.annotated));
      this.#socket.resume();
    });
  }
  #pump(): void {
    // The consumer may call `resume` while it takes an event.
    if (this.#pumping || this.#ended) return;
    this.#pumping = true;
    try {
      this.#packetsOn(this.#consumer);
    } catch (error) {
      this.#fail(streamFailure(error));
    } finally {
      this.#pumping = false;
    }
  }
  #packetsOn(consumer: BinlogConsumer): void {
    const packets = this.#packets;
    this.#heard = true;
    while (!this.#ended) {
      if (!consumer.ready) {
        if (!this.#paused) this.#socket.pause();
        this.#paused = true;
        break;
      }
      if (!packets.next()) {
        if (this.#paused) this.#socket.resume();
        this.#paused = false;
        break;
      }
      this.#packet(packets.bytes, packets.start, packets.end);
    }
    consumer.flushed();
    const left = packets.input.takeLeft();
    if (left !== null) consumer.afterUse?.(() => packets.input.reuse(left));
  }
  #packet(b: Buffer, start: number, end: number): void {
    const status = b[start];
    if (status === PACKET_ERROR) throw serverError(b, start, end);
    if (this.#answers > 0) {
      this.#answers--;
      return;
    }
    if (status === PACKET_EOF) throw new StreamError("The server ended the binary log's stream", { transient: true });
    if (status !== PACKET_OK) throw new StreamError(`The server sent a packet that is no event (${status})`, {});
    const opening = this.#opening;
    if (opening !== null) {
      this.#opening = null;
      opening.resolve();
    }
    this.#consumer.event(this.#decoder.decode(b, start + 1, end));
  }
  #watched(heartbeatMs: number): void {
    // While paused, silence is ours.
    this.#missed = this.#heard || this.#paused ? 0 : this.#missed + 1;
    this.#heard = false;
    if (this.#missed >= HEARTBEATS_MISSED_MAX)
      this.#fail(
        new StreamError(`Nothing came from the server for ${HEARTBEATS_MISSED_MAX} heartbeats of ${heartbeatMs} ms`, { transient: true }),
      );
  }
  #end(): void {
    this.#ended = true;
    clearInterval(this.#watch);
    // An error of the dying socket would end the process.
    this.#socket.removeAllListeners("error");
    this.#socket.on("error", () => {});
  }
  #fail(error: StreamError): void {
    if (this.#ended) return;
    this.#end();
    this.#connection.destroy();
    this.#socket.destroy();
    const opening = this.#opening;
    this.#opening = null;
    if (opening !== null) opening.reject(error);
    else this.#onEnd(error);
  }
}

async function prepare(connection: Connection, options: StreamOptions): Promise<{ readonly mariadb: boolean; readonly checksum: boolean }> {
  const [rows] = await connection.query({ sql: "SELECT VERSION(), @@global.binlog_checksum", rowsAsArray: true });
  const first: unknown = Array.isArray(rows) ? rows[0] : null;
  const [version, checksum] = Array.isArray(first) ? first.map(String) : [];
  const mariadb = version?.includes("MariaDB") ?? false;
  for (const statement of sessionStatements({ mariadb, heartbeatMs: options.heartbeatMs, start: options.start }))
    await connection.query(statement);
  return { mariadb, checksum: checksum === "CRC32" };
}

/** ERR packet: code, then `#` and SQLSTATE, then the text. */
function serverError(b: Buffer, start: number, end: number): StreamError {
  const errno = end - start >= 3 ? b.readUInt16LE(start + 1) : 0;
  const state = b[start + 3] === 0x23 ? b.toString("latin1", start + 4, start + 9) : "";
  const text = b.toString("utf8", start + (state === "" ? 3 : 9), end);
  return streamFailure({ errno, sqlState: state, message: text });
}
