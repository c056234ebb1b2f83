/**
 * The binary log's events, one after the other, as objects (types.ts). Free of I/O. Keeps only what events refer to: the
 * format description and the tables that rows name.
 */
import { crc32 } from "node:zlib";
import { ByteCursor, int32, uint16, uint32, uint48 } from "./bytes.ts";
import { EVENT } from "./event-types.ts";
import { BinlogError, truncated } from "./failures.ts";
import { readGtid, readMariadbGtid, readMariadbGtidList, readPreviousGtids, readTaggedGtid } from "./gtid-events.ts";
import { inflateEvent } from "./mariadb-compression.ts";
import { readQuery } from "./query.ts";
import { readTableMap } from "./table-map.ts";
import { readTransactionPayload, unpackPayload } from "./transaction-payload.ts";
import {
  type BinlogEvent,
  type EventHeader,
  FLAG_ARTIFICIAL,
  FLAG_BINLOG_IN_USE,
  FLAG_IGNORABLE,
  type FormatDescription,
  type HeartbeatEvent,
  type RowsEvent,
  type TableMap,
  type TransactionPayloadEvent,
  type XaPrepareEvent,
} from "./types.ts";

const HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;
const CHECKSUM_CRC32 = 1;
/** Id and flags, before a table map's body. */
const TABLE_BODY_BYTES = 8;
/** Above this many tables all are forgotten: each statement names its tables anew before its rows. */
const TABLES_MAX = 4096;
/** What MariaDB gives a rows event that only ends a statement. */
const DUMMY_TABLE = 0xffffff;

export interface DecoderOptions {
  /** Whether events end in a CRC-32 before the first format description says so. */
  readonly checksum: boolean;
  /** Look at the CRC-32 of each event. */
  readonly verifyChecksum: boolean;
  /** Most bytes that a compressed transaction or event may have when unpacked. */
  readonly unpackedMaxBytes: number;
}
interface KnownTable {
  /** The event's body without the flags. */
  readonly body: Buffer;
  readonly table: TableMap;
}

function headerAt(b: Buffer, p: number): EventHeader {
  return {
    timestampSeconds: uint32(b, p),
    type: b[p + 4] as number,
    serverId: uint32(b, p + 5),
    length: uint32(b, p + 9),
    nextPosition: uint32(b, p + 13),
    flags: uint16(b, p + 17),
  };
}

/** Whether a header says what the one before makes one expect. */
const follows = (header: EventHeader, last: EventHeader): boolean =>
  header.nextPosition === last.nextPosition + header.length &&
  header.timestampSeconds === last.timestampSeconds &&
  header.serverId === last.serverId;

export class BinlogDecoder {
  readonly #options: DecoderOptions;
  readonly #tables = new Map<number, KnownTable>();
  #checksum: boolean;
  #mariadb = false;
  /** Of the last event that was read. */
  #last: EventHeader | null = null;
  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#checksum = options.checksum;
  }
  /** One event from `start` to `end`. Throws BinlogError. The event refers to `b`: it is valid as long as those bytes are. */
  decode(b: Buffer, start: number, end: number): BinlogEvent {
    if (end - start < HEADER_BYTES || end > b.length) throw truncated("An event's header");
    const header = headerAt(b, start);
    if (header.length !== end - start)
      throw new BinlogError("corrupt", `An event of type ${header.type} says ${header.length} bytes and has ${end - start}`);
    if (header.type === EVENT.FORMAT_DESCRIPTION) return this.#format(header, b, start, end);
    const last = this.#last;
    this.#last = header;
    if (header.type === EVENT.TABLE_MAP && last !== null && this.#checksum && follows(header, last)) {
      const known = this.#known(b, start + HEADER_BYTES, end - CHECKSUM_BYTES);
      if (known !== null) return { kind: "tableMap", header, table: known };
    }
    return this.#event(header, b, start, this.#checksum ? this.#checked(header, b, start, end) : end);
  }
  *#unpack(payload: Omit<TransactionPayloadEvent, "events">): Generator<BinlogEvent, void, undefined> {
    const b = unpackPayload(payload, this.#options.unpackedMaxBytes);
    let p = 0;
    while (p < b.length) {
      if (b.length - p < HEADER_BYTES) throw truncated("A compressed transaction");
      const header = headerAt(b, p);
      if (header.length < HEADER_BYTES || header.length > b.length - p) throw truncated("A compressed transaction");
      if (header.type === EVENT.TRANSACTION_PAYLOAD || header.type === EVENT.FORMAT_DESCRIPTION)
        throw new BinlogError("corrupt", `A compressed transaction has an event of type ${header.type}`);
      yield this.#event(header, b, p, p + header.length);
      p += header.length;
    }
  }
  /** Where the event ends without its checksum. */
  #checked(header: EventHeader, b: Buffer, start: number, end: number): number {
    const stop = end - CHECKSUM_BYTES;
    if (stop < start + HEADER_BYTES) throw truncated(`The checksum of an event of type ${header.type}`);
    if (this.#options.verifyChecksum && (crc32(b.subarray(start, stop)) | 0) !== int32(b, stop))
      throw new BinlogError(
        "checksum",
        `The CRC-32 of an event of type ${header.type} before position ${header.nextPosition} does not match`,
      );
    return stop;
  }
  #format(header: EventHeader, b: Buffer, start: number, end: number): FormatDescription {
    const c = new ByteCursor(b, start + HEADER_BYTES, end, "The format description");
    const binlogVersion = c.u16();
    if (binlogVersion !== 4) throw new BinlogError("unsupported", `The log has version ${binlogVersion}; 4 (MySQL 5.0 and later) is read`);
    const name = c.bytes(50);
    const zero = name.indexOf(0);
    const serverVersion = name.toString("latin1", 0, zero < 0 ? name.length : zero);
    c.skip(4);
    const headerBytes = c.u8();
    if (headerBytes !== HEADER_BYTES) throw new BinlogError("unsupported", `Events have headers of ${headerBytes} bytes`);
    // Since 5.6.1 (MariaDB 5.3): the algorithm, then a checksum whatever the algorithm is.
    const [major = 0, minor = 0, patch = 0] = serverVersion.split(/[.-]/).map(Number);
    const mariadb = serverVersion.includes("MariaDB");
    const hasAlgorithm = major * 10000 + minor * 100 + patch >= (mariadb ? 50300 : 50601);
    const algorithm = hasAlgorithm && c.left > CHECKSUM_BYTES ? b[end - CHECKSUM_BYTES - 1] : 0;
    this.#checksum = algorithm === CHECKSUM_CRC32;
    // A log that is being written has its flag set without its checksum made anew, so an open one cannot be verified as it stands.
    if (this.#checksum && (header.flags & (FLAG_ARTIFICIAL | FLAG_BINLOG_IN_USE)) === 0) this.#checked(header, b, start, end);
    this.#mariadb = mariadb;
    this.#tables.clear();
    return { kind: "formatDescription", header, binlogVersion, serverVersion, mariadb, checksum: this.#checksum };
  }
  /** `end`: without the checksum. */
  #event(header: EventHeader, b: Buffer, start: number, end: number): BinlogEvent {
    const p = start + HEADER_BYTES;
    switch (header.type) {
      case EVENT.WRITE_ROWS:
      case EVENT.WRITE_ROWS_V1:
        return this.#rows(header, b, p, end, "write");
      case EVENT.UPDATE_ROWS:
      case EVENT.UPDATE_ROWS_V1:
      case EVENT.PARTIAL_UPDATE_ROWS:
        return this.#rows(header, b, p, end, "update");
      case EVENT.DELETE_ROWS:
      case EVENT.DELETE_ROWS_V1:
        return this.#rows(header, b, p, end, "delete");
      case EVENT.TABLE_MAP: {
        const table = this.#table(b, p, end);
        return { kind: "tableMap", header, table };
      }
      case EVENT.QUERY:
        return readQuery(header, new ByteCursor(b, p, end, "A query event"), null);
      case EVENT.XID:
        return { kind: "xid", header, xid: new ByteCursor(b, p, end, "An XID event").u64() };
      case EVENT.GTID:
      case EVENT.ANONYMOUS_GTID:
        return readGtid(header, new ByteCursor(b, p, end, "A GTID event"), header.type === EVENT.ANONYMOUS_GTID);
      case EVENT.GTID_TAGGED:
        return readTaggedGtid(header, new ByteCursor(b, p, end, "A tagged GTID event"));
      case EVENT.MARIADB_GTID:
        return readMariadbGtid(header, new ByteCursor(b, p, end, "A GTID event"));
      default:
        return this.#rare(header, b, p, end);
    }
  }
  #rare(header: EventHeader, b: Buffer, p: number, end: number): BinlogEvent {
    const c = new ByteCursor(b, p, end, `An event of type ${header.type}`);
    switch (header.type) {
      case EVENT.ROTATE: {
        const position = Number(c.u64());
        this.#tables.clear();
        return {
          kind: "rotate",
          header,
          file: c.text(c.left),
          position,
          artificial: (header.flags & FLAG_ARTIFICIAL) !== 0 || header.timestampSeconds === 0,
        };
      }
      case EVENT.ROWS_QUERY:
        // The length is in one byte, which does not suffice: the text goes to the end.
        c.skip(1);
        return { kind: "rowsQuery", header, sql: c.text(c.left) };
      case EVENT.ANNOTATE_ROWS:
        return { kind: "rowsQuery", header, sql: c.text(c.left) };
      case EVENT.WRITE_ROWS_COMPRESSED_V1:
      case EVENT.WRITE_ROWS_COMPRESSED:
        return this.#rows(header, b, p, end, "write");
      case EVENT.UPDATE_ROWS_COMPRESSED_V1:
      case EVENT.UPDATE_ROWS_COMPRESSED:
        return this.#rows(header, b, p, end, "update");
      case EVENT.DELETE_ROWS_COMPRESSED_V1:
      case EVENT.DELETE_ROWS_COMPRESSED:
        return this.#rows(header, b, p, end, "delete");
      case EVENT.QUERY_COMPRESSED:
        return readQuery(header, c, (from, s, e) => inflateEvent(from, s, e, this.#options.unpackedMaxBytes));
      case EVENT.PREVIOUS_GTIDS:
        return { kind: "previousGtids", header, gtids: readPreviousGtids(c) };
      case EVENT.MARIADB_GTID_LIST:
        return { kind: "mariadbGtidList", header, gtids: readMariadbGtidList(c) };
      case EVENT.TRANSACTION_PAYLOAD:
        return readTransactionPayload(header, c, (packed) => this.#unpack(packed));
      case EVENT.XA_PREPARE:
        return xaPrepare(header, c);
      case EVENT.HEARTBEAT:
        return { kind: "heartbeat", header, file: c.text(c.left), position: header.nextPosition };
      case EVENT.HEARTBEAT_V2:
        return heartbeat(header, c);
      case EVENT.INCIDENT: {
        const incident = c.u16();
        return { kind: "incident", header, incident, message: c.text(c.u8()) };
      }
      case EVENT.STOP:
        return { kind: "stop", header };
      case EVENT.START_ENCRYPTION:
        throw new BinlogError("unsupported", "The log's file is encrypted: only the server itself can read it");
      default:
        return unknown(header);
    }
  }
  /** The table, where it is described with the same bytes as before: then these have been verified. */
  #known(b: Buffer, p: number, end: number): TableMap | null {
    const from = p + TABLE_BODY_BYTES;
    if (from > end) return null;
    const known = this.#tables.get(uint48(b, p));
    return known !== undefined && known.body.length === end - from && known.body.compare(b, from, end) === 0 ? known.table : null;
  }
  #table(b: Buffer, p: number, end: number): TableMap {
    const known = this.#known(b, p, end);
    if (known !== null) return known;
    const c = new ByteCursor(b, p, end, "A table map");
    const id = c.u48();
    c.skip(2);
    const body = Buffer.from(b.subarray(c.p, end));
    const table = readTableMap(id, c, this.#mariadb);
    if (this.#tables.size >= TABLES_MAX) this.#tables.clear();
    this.#tables.set(id, { body, table });
    return table;
  }
  #rows(header: EventHeader, b: Buffer, p: number, end: number, change: RowsEvent["change"]): BinlogEvent {
    const c = new ByteCursor(b, p, end, "A rows event");
    const id = c.u48();
    const flags = c.u16();
    const type = header.type;
    const second =
      (type >= EVENT.WRITE_ROWS && type <= EVENT.DELETE_ROWS) || type === EVENT.PARTIAL_UPDATE_ROWS || type >= EVENT.WRITE_ROWS_COMPRESSED;
    // Version 2: extra data (NDB, partitions), its length with itself.
    if (second) c.skip(c.u16() - 2);
    const count = c.packed();
    const table = this.#tables.get(id)?.table;
    if (table === undefined) {
      if (id === DUMMY_TABLE) return { kind: "other", header };
      throw new BinlogError("corrupt", `A rows event names table ${id}, which no table map described`);
    }
    if (count !== table.columns.length)
      throw new BinlogError(
        "corrupt",
        `A rows event of ${table.schema}.${table.table} has ${count} columns, its table map ${table.columns.length}`,
      );
    const first = columnsAt(c, count);
    const after = change === "update" ? columnsAt(c, count) : first;
    const compressed = type >= EVENT.WRITE_ROWS_COMPRESSED_V1;
    const bytes = compressed ? inflateEvent(b, c.p, end, this.#options.unpackedMaxBytes) : b;
    return {
      kind: "rows",
      header,
      change,
      table,
      endOfStatement: (flags & 1) === 1,
      bytes,
      start: compressed ? 0 : c.p,
      end: compressed ? bytes.length : end,
      beforeColumns: first,
      afterColumns: after,
      partialJson: type === EVENT.PARTIAL_UPDATE_ROWS,
    };
  }
}

/** Which columns the image has; null for all. */
function columnsAt(c: ByteCursor, count: number): Uint8Array | null {
  const size = (count + 7) >> 3;
  const at = c.skip(size);
  const full = count >> 3;
  for (let i = 0; i < size; i++) {
    const all = i < full ? 0xff : (1 << (count & 7)) - 1;
    if (((c.b[at + i] as number) & all) !== all) return c.b.subarray(at, at + size);
  }
  return null;
}
function unknown(header: EventHeader): BinlogEvent {
  // Only events that replicas may ignore can be newer than this decoder; the old ones that are not listed concern no rows.
  if (header.type > EVENT.GTID_TAGGED && header.type < EVENT.ANNOTATE_ROWS && (header.flags & FLAG_IGNORABLE) === 0)
    throw new BinlogError("unsupported", `Events of type ${header.type} are not known`);
  return { kind: "other", header };
}
function xaPrepare(header: EventHeader, c: ByteCursor): XaPrepareEvent {
  const onePhase = c.u8() !== 0;
  const formatId = c.u32() | 0;
  const gtridBytes = c.u32(),
    bqualBytes = c.u32();
  return { kind: "xaPrepare", header, onePhase, formatId, gtrid: c.bytes(gtridBytes), bqual: c.bytes(bqualBytes) };
}
/** Version 2 (logs above 4 GB): fields with type and length. */
function heartbeat(header: EventHeader, c: ByteCursor): HeartbeatEvent {
  let file = "",
    position = 0;
  for (;;) {
    if (c.left === 0) break;
    const field = c.packed();
    if (field === 0) break;
    const length = c.packed();
    const from = c.p;
    if (field === 1) file = c.text(length);
    else if (field === 2) position = c.packed();
    c.skip(length - (c.p - from));
  }
  return { kind: "heartbeat", header, file, position };
}
