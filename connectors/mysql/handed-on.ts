/**
 * The part of a transaction that an earlier run handed on, and how that transaction is known again: by the server that made it and its
 * place in the log; on another server of the topology, whose log has other places and maybe transactions of its own before it, as the
 * first of its maker that follows what was read.
 */
import type { SourceOffset } from "#connect/api/record";
import { integerField } from "../cdc/offset-fields.ts";
import { type MariadbGtid, MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import type { MysqlGtidEvent } from "./binlog/types.ts";
import type { BinlogPosition } from "./position.ts";

/** A transaction that begins. */
export interface Beginning {
  readonly file: string;
  readonly position: number;
  /** Of the server that it was made on. */
  readonly serverId: number;
  readonly tsSec: number;
  readonly gtid: MysqlGtidEvent["gtid"] | MariadbGtid;
}

/** Positions after the first 4 GB are told modulo 2^32 until the log's begin was seen. */
const WRAP = 2 ** 32;

export class HandedOn {
  /** Events of the transaction, and rows of the one after them. */
  events: number;
  rows: number;
  readonly #from: BinlogPosition;
  readonly #serverId: number | null;
  readonly #tsSec: number | null;

  constructor(from: BinlogPosition, offset: SourceOffset) {
    this.#from = from;
    this.events = from.event;
    this.rows = from.row;
    this.#serverId = integerField(offset["server_id"]);
    this.#tsSec = integerField(offset["ts_sec"]);
  }
  get pending(): boolean {
    return this.events > 0 || this.rows > 0;
  }
  /** Whether it is in this transaction, when there is one. */
  isIn(next: Beginning): boolean {
    const { gtids, file, position } = this.#from;
    // Asked for by file and position.
    if (gtids === null || next.gtid === null) return true;
    if (this.#serverId !== null && this.#serverId !== next.serverId) return false;
    if (next.file === file && (next.position - position) % WRAP === 0) return true;
    if (!("uuid" in next.gtid)) return followsMariadb(MariadbGtidSet.parse(gtids), next.gtid);
    const { uuid, tag, number } = next.gtid;
    const read = MysqlGtidSet.parse(gtids);
    return (this.#tsSec === null || this.#tsSec === next.tsSec) && (number === 1n || read.contains(uuid, tag, number - 1n));
  }
  clear(): void {
    this.events = 0;
    this.rows = 0;
  }
}
function followsMariadb(read: MariadbGtidSet, { domain, sequence }: MariadbGtid): boolean {
  return sequence === (read.gtids.find((g) => g.domain === domain)?.sequence ?? 0n) + 1n;
}
