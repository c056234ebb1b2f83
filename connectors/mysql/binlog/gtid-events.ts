/** Events that carry GTIDs. */
import { ByteCursor } from "./bytes.ts";
import { BinlogError } from "./failures.ts";
import { type MariadbGtid, mariadbGtidText } from "./gtid-mariadb.ts";
import { MysqlGtidSet, uuidText } from "./gtid-mysql.ts";
import type { EventHeader, MariadbGtidEvent, MysqlGtidEvent } from "./types.ts";

type GtidName = MysqlGtidEvent["gtid"];
function named(uuid: string, tag: string, number: bigint): GtidName {
  return { uuid, tag, number, text: tag === "" ? `${uuid}:${number}` : `${uuid}:${tag}:${number}` };
}

/** The highest bit of the 7 (or 4) bytes says that the original server's value follows; else both are the same. */
const TIME_HAS_ORIGINAL = 2 ** 55;
const VERSION_HAS_ORIGINAL = 0x80000000;
/** Marks the logical clock's two numbers. */
const LOGICAL_CLOCK = 2;

/** GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT. What older servers do not write is 0. */
export function readGtid(header: EventHeader, c: ByteCursor, anonymous: boolean): MysqlGtidEvent {
  c.skip(1);
  const uuid = uuidText(c.b, c.skip(16));
  const number = c.i64();
  let lastCommitted = 0n,
    sequenceNumber = 0n,
    immediate = 0,
    original = 0,
    transactionLength = 0,
    version = 0;
  if (c.left >= 17 && c.u8() === LOGICAL_CLOCK) {
    lastCommitted = c.i64();
    sequenceNumber = c.i64();
    if (c.left >= 7) {
      immediate = c.u56();
      original = immediate;
      if (immediate >= TIME_HAS_ORIGINAL) {
        immediate -= TIME_HAS_ORIGINAL;
        original = c.u56();
      }
    }
    if (c.left >= 1) transactionLength = c.packed();
    if (c.left >= 4) version = c.u32() % VERSION_HAS_ORIGINAL;
  }
  return {
    kind: "mysqlGtid",
    header,
    gtid: anonymous ? null : named(uuid, "", number),
    originalCommitMicros: original,
    immediateCommitMicros: immediate,
    lastCommitted,
    sequenceNumber,
    transactionLength,
    immediateServerVersion: version,
  };
}

/**
 * An unsigned integer of MySQL's serialization library: the number of ones that end the first byte says how many bytes follow;
 * the rest, little-endian, is the value.
 */
function varint(c: ByteCursor): bigint {
  const first = c.u8();
  let more = 0;
  while (more < 8 && ((first >> more) & 1) === 1) more++;
  let value = 0n;
  const at = c.skip(more);
  for (let i = more - 1; i >= 0; i--) value = (value << 8n) | BigInt(c.b[at + i] as number);
  if (more >= 7) return value;
  return (value << BigInt(7 - more)) | BigInt(first >> (more + 1));
}
/** Signed: the lowest bit is the sign. */
function signedVarint(c: ByteCursor): bigint {
  const value = varint(c);
  return (value & 1n) === 1n ? -(value >> 1n) - 1n : value >> 1n;
}

interface Tagged {
  uuid: string;
  tag: string;
  number: bigint;
  lastCommitted: bigint;
  sequenceNumber: bigint;
  immediate: number;
  original: number | null;
  transactionLength: number;
  version: number;
}
/** One field of the message; false: not known, and with it what follows. */
function taggedField(id: number, c: ByteCursor, t: Tagged): boolean {
  switch (id) {
    case 0: // flags
      c.skip(1);
      return true;
    case 1: {
      const bytes = Buffer.alloc(16);
      for (let i = 0; i < 16; i++) bytes[i] = Number(varint(c));
      t.uuid = uuidText(bytes, 0);
      return true;
    }
    case 2:
      t.number = signedVarint(c);
      return true;
    case 3:
      t.tag = c.text(Number(varint(c)));
      return true;
    case 4:
      t.lastCommitted = signedVarint(c);
      return true;
    case 5:
      t.sequenceNumber = signedVarint(c);
      return true;
    case 6:
      t.immediate = Number(varint(c));
      return true;
    case 7:
      t.original = Number(varint(c));
      return true;
    case 8:
      t.transactionLength = Number(varint(c));
      return true;
    case 9:
      t.version = Number(varint(c));
      return true;
    case 10: // version of the original server
    case 11: // ticket of the commit group
      varint(c);
      return true;
    default:
      return false;
  }
}
/** GTID_TAGGED_LOG_EVENT (8.3): a message of the serialization library. */
export function readTaggedGtid(header: EventHeader, c: ByteCursor): MysqlGtidEvent {
  const t: Tagged = {
    uuid: "",
    tag: "",
    number: 0n,
    lastCommitted: 0n,
    sequenceNumber: 0n,
    immediate: 0,
    original: null,
    transactionLength: 0,
    version: 0,
  };
  const format = varint(c);
  if (format !== 1n) throw new BinlogError("unsupported", `A tagged GTID event has format ${format}`);
  varint(c); // size of the message
  varint(c); // last field that must be understood
  while (c.left > 0 && taggedField(Number(varint(c)), c, t));
  if (t.uuid === "") throw new BinlogError("corrupt", "A tagged GTID event has no UUID");
  return {
    kind: "mysqlGtid",
    header,
    gtid: named(t.uuid, t.tag, t.number),
    originalCommitMicros: t.original ?? t.immediate,
    immediateCommitMicros: t.immediate,
    lastCommitted: t.lastCommitted,
    sequenceNumber: t.sequenceNumber,
    transactionLength: t.transactionLength,
    immediateServerVersion: t.version,
  };
}

/** PREVIOUS_GTIDS_LOG_EVENT. */
export function readPreviousGtids(c: ByteCursor): string {
  const set = new MysqlGtidSet();
  const head = c.bytes(8);
  const tagged = head[7] === 1;
  const sources = tagged ? head.readUIntLE(1, 6) : head.readUIntLE(0, 6);
  for (let i = 0; i < sources; i++) {
    const uuid = uuidText(c.b, c.skip(16));
    const tag = tagged ? c.text(Number(varint(c))) : "";
    const intervals = Number(c.u64());
    for (let n = 0; n < intervals; n++) set.addRange(uuid, tag, c.u64(), c.u64());
  }
  return set.toString();
}

const STANDALONE = 0x01;
const TRANSACTIONAL = 0x04;
const DDL = 0x20;
/** MariaDB's GTID_EVENT. */
export function readMariadbGtid(header: EventHeader, c: ByteCursor): MariadbGtidEvent {
  const sequence = c.u64();
  const domain = c.u32();
  const flags = c.u8();
  const gtid: MariadbGtid = { domain, server: header.serverId, sequence };
  return {
    kind: "mariadbGtid",
    header,
    gtid,
    text: mariadbGtidText(gtid),
    standalone: (flags & STANDALONE) !== 0,
    transactional: (flags & TRANSACTIONAL) !== 0,
    ddl: (flags & DDL) !== 0,
  };
}
export function readMariadbGtidList(c: ByteCursor): readonly MariadbGtid[] {
  const count = c.u32() & 0x0fffffff;
  if (count * 16 > c.left) throw new BinlogError("corrupt", "A GTID list promises more than it has");
  return Array.from({ length: count }, () => ({ domain: c.u32(), server: c.u32(), sequence: c.u64() }));
}
