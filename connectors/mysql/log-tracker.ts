/** Where the stream stands in the log, and from where it would have to be read again. */
import { type MariadbGtid, MariadbGtidSet } from "./binlog/gtid-mariadb.ts";
import { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import type { EventHeader } from "./binlog/types.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { BinlogPosition } from "./position.ts";

const WRAP = 2 ** 32;

export class LogTracker {
  readonly #gtidsOf: Flavor | null;
  /** Null until it is known what came before. */
  #mysql: MysqlGtidSet | null;
  #mariadb: MariadbGtidSet | null;
  file: string;
  /** Start of the event that is being read. */
  position: number;
  /** End of it. */
  #end: number;
  #restartFile: string;
  #restartPosition: number;
  /** Of all transactions before the one that is being read. */
  #gtids: string | null;
  #gtidsNow: string | null;
  inTransaction = false;
  /** Events of the transaction before the current one; BEGIN is the first. */
  event = 0;
  /** Rows of the current event that were handed on. */
  row = 0;

  constructor(flavor: Flavor, from: BinlogPosition, gtids: boolean) {
    this.file = from.file;
    this.position = from.position;
    this.#end = from.position;
    this.#restartFile = from.file;
    this.#restartPosition = from.position;
    // A server that gives no GTIDs any more: those that are known say nothing of what follows.
    this.#gtids = gtids ? from.gtids : null;
    this.#gtidsNow = this.#gtids;
    this.#gtidsOf = gtids ? flavor : null;
    this.#mysql = null;
    this.#mariadb = null;
    if (from.gtids !== null) this.before(from.gtids);
  }
  /** All GTIDs before the stream's place; only what is said first counts. */
  before(text: string): void {
    if (this.#gtidsOf === "mysql") this.#mysql ??= MysqlGtidSet.parse(text);
    if (this.#gtidsOf === "mariadb") this.#mariadb ??= MariadbGtidSet.parse(text);
  }
  /** An event begins. `nextPosition` 0: it is inside another one, or not in the log. */
  begins(header: EventHeader): void {
    if (header.nextPosition === 0) return;
    let end = header.nextPosition;
    // The log says it modulo 2^32.
    while (end + WRAP / 2 < this.#end) end += WRAP;
    this.#end = end;
    this.position = end - header.length;
    if (this.inTransaction) return;
    this.#restartFile = this.file;
    this.#restartPosition = end;
    this.event = 0;
    this.row = 0;
  }
  rotated(file: string, position: number): void {
    this.file = file;
    this.position = position;
    this.#end = position;
    if (this.inTransaction) return;
    this.#restartFile = file;
    this.#restartPosition = position;
  }
  mysqlGtid(uuid: string, tag: string, number: bigint): void {
    if (this.#mysql === null) return;
    this.#gtids = this.#gtidsNow;
    this.#mysql.add(uuid, tag, number);
    this.#gtidsNow = this.#mysql.toString();
  }
  /**
   * A transaction without a GTID (`gtid_mode` is being switched): no set says any more what was read, and a server does not send such
   * transactions to who asks by one. The place in the file counts until the next log says what came before it.
   */
  anonymous(): void {
    this.#mysql = null;
    this.#gtids = null;
    this.#gtidsNow = null;
  }
  mariadbGtid(gtid: MariadbGtid): void {
    if (this.#mariadb === null) return;
    this.#gtids = this.#gtidsNow;
    this.#mariadb.add(gtid);
    this.#gtidsNow = this.#mariadb.toString();
  }
  /** The event that is being read begins a transaction. */
  began(): void {
    this.#restartFile = this.file;
    this.#restartPosition = this.position;
    this.event = 0;
    this.row = 0;
    this.inTransaction = true;
  }
  /** The event that is being read was the last of its transaction, or a statement that is one by itself. */
  committed(): void {
    this.inTransaction = false;
    this.#gtids = this.#gtidsNow;
    this.#restartFile = this.file;
    this.#restartPosition = this.#end;
    this.event = 0;
    this.row = 0;
  }
  /** The current event was read to its end. */
  done(): void {
    if (!this.inTransaction) return;
    this.event++;
    this.row = 0;
  }
  /** After the event that is being read. */
  get end(): number {
    return this.#end;
  }
  /** Text of the GTIDs with the current transaction. */
  get executed(): string | null {
    return this.#gtidsNow;
  }
  at(): BinlogPosition {
    return { file: this.#restartFile, position: this.#restartPosition, gtids: this.#gtids, event: this.event, row: this.row };
  }
  /**
   * The position after the statement that is being read: inside its transaction (CREATE TABLE … SELECT), or after it where it is
   * one by itself. MariaDB's statements count as the one event after their GTID, as in the reference.
   */
  afterStatement(alone: boolean): BinlogPosition {
    if (this.inTransaction && !alone) return { ...this.at(), event: this.event + 1, row: 0 };
    return { file: this.file, position: this.#end, gtids: this.#gtidsNow, event: this.event, row: 0 };
  }
}
