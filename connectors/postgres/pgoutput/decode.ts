/**
 * pgoutput's logical replication messages, protocol versions 1 and 2. Rows are handed on as positions in the buffer, so
 * nothing is allocated for them here.
 */
import { int64, POSTGRES_EPOCH_MICROS, uint32 } from "./integers.ts";

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  /** Part of the replica identity. */
  readonly identity: boolean;
}
export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  /** d default, n nothing, f full, i index. */
  readonly replicaIdentity: string;
  readonly columns: readonly RelationColumn[];
}

/** Positions are those of TupleData in `b`; -1 where the message has none. `oldIsFull`: the whole old row ('O'), not only its key ('K'). */
export interface PgOutputSink {
  begin(finalLsn: number, commitMicros: number, xid: number): void;
  commit(endLsn: number, commitMicros: number): void;
  relation(relation: Relation): void;
  insert(relation: number, b: Buffer, row: number): void;
  update(relation: number, b: Buffer, oldRow: number, oldIsFull: boolean, row: number): void;
  delete(relation: number, b: Buffer, oldRow: number, oldIsFull: boolean): void;
  truncate(relations: readonly number[]): void;
  message(transactional: boolean, lsn: number, prefix: string, content: Buffer): void;
  /** Protocol 2: messages that follow belong to the transaction in progress `xid`, until `streamStop`. */
  streamStart(xid: number): void;
  streamStop(): void;
  streamCommit(xid: number, endLsn: number, commitMicros: number): void;
  /** `subXid` equal to `xid`: the whole transaction. */
  streamAbort(xid: number, subXid: number): void;
}

class Cursor {
  readonly b: Buffer;
  p: number;
  constructor(b: Buffer, p: number) {
    this.b = b;
    this.p = p;
  }
  u8(): number {
    return this.b[this.p++] ?? 0;
  }
  u32(): number {
    const value = uint32(this.b, this.p);
    this.p += 4;
    return value;
  }
  text(): string {
    const end = this.b.indexOf(0, this.p);
    const value = this.b.toString("utf8", this.p, end);
    this.p = end + 1;
    return value;
  }
}

function relationAt(b: Buffer, pos: number): Relation {
  const c = new Cursor(b, pos);
  const id = c.u32();
  // An empty namespace stands for pg_catalog.
  const schema = c.text() || "pg_catalog";
  const table = c.text();
  const replicaIdentity = String.fromCharCode(c.u8());
  const count = b.readUInt16BE(c.p);
  c.p += 2;
  const columns: RelationColumn[] = [];
  for (let i = 0; i < count; i++) {
    const identity = (c.u8() & 1) === 1;
    columns.push({ identity, name: c.text(), typeOid: c.u32(), typmod: c.u32() | 0 });
  }
  return { id, schema, table, replicaIdentity, columns };
}

function truncatedRelations(b: Buffer, pos: number): readonly number[] {
  const count = uint32(b, pos);
  return Array.from({ length: count }, (_, i) => uint32(b, pos + 5 + 4 * i));
}

/** Size of a TupleData. */
function tupleEnd(b: Buffer, pos: number): number {
  const count = ((b[pos] as number) << 8) | (b[pos + 1] as number);
  let p = pos + 2;
  for (let i = 0; i < count; i++) {
    const kind = b[p++];
    if (kind === 0x74 || kind === 0x62) p += 4 + uint32(b, p);
  }
  return p;
}

/** Decodes the message in [start, end). Throws RangeError for a message type of another protocol version. */
export function decodeMessage(b: Buffer, start: number, end: number, sink: PgOutputSink): void {
  const p = start + 1;
  switch (b[start]) {
    case 0x49: // Insert
      sink.insert(uint32(b, p), b, p + 5);
      return;
    case 0x55: {
      const kind = b[p + 4];
      if (kind === 0x4e) sink.update(uint32(b, p), b, -1, false, p + 5);
      else sink.update(uint32(b, p), b, p + 5, kind === 0x4f, tupleEnd(b, p + 5) + 1);
      return;
    }
    case 0x44: // Delete
      sink.delete(uint32(b, p), b, p + 5, b[p + 4] === 0x4f);
      return;
    case 0x42: // Begin
      sink.begin(int64(b, p), int64(b, p + 8) + POSTGRES_EPOCH_MICROS, uint32(b, p + 16));
      return;
    case 0x43: // Commit: flags, commit lsn, end lsn, time
      sink.commit(int64(b, p + 9), int64(b, p + 17) + POSTGRES_EPOCH_MICROS);
      return;
    case 0x52: // Relation
      sink.relation(relationAt(b, p));
      return;
    case 0x54: // Truncate
      sink.truncate(truncatedRelations(b, p));
      return;
    case 0x4d: {
      const c = new Cursor(b, p + 9);
      const prefix = c.text();
      const size = c.u32();
      sink.message(((b[p] ?? 0) & 1) === 1, int64(b, p + 1), prefix, b.subarray(c.p, Math.min(c.p + size, end)));
      return;
    }
    case 0x53: // Stream start: xid, whether it is the first part
      sink.streamStart(uint32(b, p));
      return;
    case 0x45: // Stream stop
      sink.streamStop();
      return;
    case 0x63: // Stream commit: xid, flags, commit lsn, end lsn, time
      sink.streamCommit(uint32(b, p), int64(b, p + 13), int64(b, p + 21) + POSTGRES_EPOCH_MICROS);
      return;
    case 0x41: // Stream abort
      sink.streamAbort(uint32(b, p), uint32(b, p + 4));
      return;
    case 0x59: // Type
    case 0x4f: // Origin
      return;
    default:
      throw new RangeError(`logical replication message '${String.fromCharCode(b[start] ?? 0)}' is not of protocol version 1 or 2`);
  }
}
