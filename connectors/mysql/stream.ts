/** Streaming: events of the log to change events, with positions and restart without loss or repetition. */
import type { OffsetValue, SourceOffset, SourcePartition } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { EventWriter } from "../cdc/event-writer.ts";
import { InputHold } from "../cdc/input-hold.ts";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import type { StreamSignals } from "../cdc/signal-handler.ts";
import { SourceError } from "../cdc/source-error.ts";
import { dottedTableId } from "../cdc/table-model.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import { TransactionContext, transactionRecord } from "../cdc/transaction-metadata.ts";
import { mariadbGtidText } from "./binlog/gtid-mariadb.ts";
import { RowCursor } from "./binlog/rows.ts";
import type { BinlogEvent, EventHeader, MysqlGtidEvent, QueryEvent, RowsEvent, TableMap } from "./binlog/types.ts";
import type { LogPosition } from "./catalog.ts";
import { contextOf } from "./ddl/ddl.ts";
import { type Beginning, HandedOn } from "./handed-on.ts";
import { LogTracker } from "./log-tracker.ts";
import type { Refusal, TablePlans } from "./plans.ts";
import { type BinlogPosition, isAtOrBehind, streamOffset } from "./position.ts";
import type { BinlogConsumer } from "./replication.ts";
import { type RowContext, writeRow } from "./row-events.ts";
import { RowPlans } from "./row-plans.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { SourceInfo } from "./source-info.ts";
import { writeSchemaChanges, writeTruncates } from "./statement-events.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface StreamSettings {
  readonly settings: TaskSettings;
  readonly partition: SourcePartition;
  readonly gtids: boolean;
  readonly schema: SchemaTracker;
  readonly plans: TablePlans;
  readonly signals: StreamSignals | null;
  /** Goes on with input after `ready` was false. */
  readonly resume: () => void;
  readonly fail: (error: Error) => void;
  readonly warn: (message: string) => void;
}

export class StreamReader implements BinlogConsumer, RowContext {
  readonly #s: StreamSettings;
  readonly events: EventWriter;
  readonly #source: SourceInfo;
  readonly #log: LogTracker;
  readonly #cursor = new RowCursor();
  readonly #plans: RowPlans;
  readonly #metadata = new TransactionContext();
  readonly skipped: ReadonlySet<string>;
  readonly skipsUnchanged: boolean;
  /** What input waits for: statements that change tables, a blocking snapshot. */
  readonly #hold = new InputHold();
  /** The log stands behind a statement that is not in the history yet. */
  #inStatement = false;
  /** Events of a compressed transaction that are still to be read. */
  #unpacked: Iterator<BinlogEvent> | null = null;
  #ticked = false;
  readonly #handedOn: HandedOn;
  /** The transaction is the one of which an earlier run handed on a part, … */
  #isCut = false;
  /** … and that part is being read. */
  #skipping = false;
  #ignored = false;
  /** The group is one statement (MariaDB). */
  #standalone = false;
  #tsSec = 0;
  #micros = 0;
  #timeByGtid = false;
  #serverId = 0;
  #gtid: string | null = null;
  #gtidParts: Beginning["gtid"] = null;
  /** As the log names it: with lower_case_table_names=1 in small letters, whatever the statement that made it had. */
  #rowTable: TableMap | null = null;
  /** Number of the row that was handed on last, in its event: the reference's records of statements carry it too. */
  #lastRow = 0;
  #offset: SourceOffset;
  #heldOffset: SourceOffset;
  /** Counters and times for metrics; creates, updates, deletes by their letter. */
  readonly seen = { c: 0, u: 0, d: 0, t: 0, transactions: 0, rolledBack: 0, events: 0, lastMs: 0, behindMs: -1 };
  /** Of the event that came last. */
  lastHeader: EventHeader | null = null;
  lastHeaderMs = 0;

  constructor(settings: StreamSettings, events: EventWriter, source: SourceInfo, from: BinlogPosition, offset: SourceOffset) {
    this.#s = settings;
    this.events = events;
    this.#plans = new RowPlans(settings);
    this.#source = source;
    this.#log = new LogTracker(settings.settings.flavor, from, settings.gtids);
    this.#handedOn = new HandedOn(from, offset);
    this.#offset = offset;
    this.#heldOffset = offset;
    this.skipped = settings.settings.skipped;
    this.skipsUnchanged = settings.settings.skipsUnchanged;
    source.file(from.file);
  }
  get ready(): boolean {
    return this.#hold.free && this.#unpacked === null && !this.events.full;
  }
  get offset(): SourceOffset {
    return this.#offset;
  }
  /** Before the last signal that is being served. */
  get heldOffset(): SourceOffset {
    return this.#heldOffset;
  }
  get position(): BinlogPosition {
    return this.#log.at();
  }
  /** GTIDs of all transactions that were read to their end; null: not known. */
  get passed(): string | null {
    return this.#log.inTransaction ? this.#log.at().gtids : this.#log.executed;
  }
  /** GTIDs of all transactions of which something was read; null: not known. */
  get begun(): string | null {
    return this.#log.executed;
  }
  /** Whether all before a place of the log was read, and that place is no part of a transaction. */
  hasPassed(place: Pick<LogPosition, "file" | "position">): boolean {
    return isAtOrBehind(this.#log.at(), place);
  }
  /** Position of the event that was read last, for source blocks. */
  get eventPosition(): number {
    return this.#log.position;
  }
  /** GTID of the transaction that was read last; null: it has none. */
  get gtid(): string | null {
    return this.#gtid;
  }
  /** File and position after the event that was read last. */
  get reached(): Pick<LogPosition, "file" | "position"> {
    return { file: this.#log.file, position: this.#log.end };
  }
  /** Row events of tables that are not captured, and those that could not be read. */
  get leftOut(): Pick<RowPlans, "filtered" | "erroneous"> {
    return this.#plans;
  }
  signals: StreamSignals | null = null;
  hold(): void {
    this.#heldOffset = this.#offset;
  }
  /** Reads on in a compressed transaction; true: input may go on. */
  drain(): boolean {
    this.signals = this.#s.signals;
    try {
      this.#drained();
    } catch (error) {
      this.#failed(error);
    }
    return this.ready;
  }
  #drained(): void {
    const events = this.#unpacked;
    while (events !== null && this.#hold.free && !this.events.full) {
      const next = events.next();
      if (next.done === true) {
        this.#unpacked = null;
        break;
      }
      this.#handled(next.value);
    }
  }
  flushed(): void {
    this.#ticked = false;
    this.events.flush();
  }
  afterUse(done: () => void): void {
    this.events.afterUse(done);
  }
  /** Input stops while `stopped` runs (a blocking snapshot). */
  stopWhile(stopped: () => Promise<void>): Promise<void> {
    return this.#hold.during(stopped, () => {
      this.#source.file(this.#log.file);
      this.#source.time(this.#micros);
      this.#s.resume();
    });
  }
  event(event: BinlogEvent): void {
    this.signals = this.#s.signals;
    if (!this.#ticked) {
      this.events.tick();
      this.#ticked = true;
      this.lastHeaderMs = this.events.nowMs;
    }
    this.seen.events++;
    this.lastHeader = event.header;
    try {
      this.#handled(event);
    } catch (error) {
      this.#failed(error);
    }
  }
  /** What fails here is ours and not the connection's. */
  #failed(error: unknown): void {
    this.#hold.stay();
    this.#s.fail(error instanceof Error ? error : new Error(String(error)));
  }
  #handled(event: BinlogEvent): void {
    const { header } = event;
    this.#log.begins(header);
    if (header.timestampSeconds !== 0) {
      this.#serverId = header.serverId;
      this.#source.server(header.serverId);
      // Events of a compressed transaction have the time of the one that holds them.
      if (!this.#timeByGtid && this.#unpacked === null) this.#time(header.timestampSeconds * 1_000_000);
    }
    const wasIn = this.#log.inTransaction;
    this.#dispatch(event);
    if (event.kind !== "transactionPayload" && (wasIn || this.#log.inTransaction)) this.#log.done();
    if (this.#skipping && this.#log.event >= this.#handedOn.events && this.#handedOn.rows === 0) this.#skipping = false;
  }
  #time(micros: number): void {
    if (micros === this.#micros) return;
    this.#micros = micros;
    this.#tsSec = Math.floor(micros / 1_000_000);
    this.#source.time(micros);
  }
  /** With GTIDs, all events of a transaction have the time of its commit on its first server. */
  #mysqlTime(event: MysqlGtidEvent): void {
    this.#timeByGtid = this.#s.gtids && event.gtid !== null && event.originalCommitMicros > 0;
    this.#time(this.#timeByGtid ? event.originalCommitMicros : event.header.timestampSeconds * 1_000_000);
  }
  #dispatch(event: BinlogEvent): void {
    switch (event.kind) {
      case "rows":
        return this.#rows(event);
      case "rotate":
        this.#log.rotated(event.file, event.position);
        return this.#source.file(event.file);
      case "previousGtids":
        return this.#log.before(event.gtids);
      case "mariadbGtidList":
        return this.#log.before(event.gtids.map(mariadbGtidText).join(","));
      case "mysqlGtid":
        this.#mysqlTime(event);
        this.#gtidParts = event.gtid;
        if (event.gtid === null) {
          this.#log.anonymous();
          return this.#transactionGtid(null, null);
        }
        this.#log.mysqlGtid(event.gtid.uuid, event.gtid.tag, event.gtid.number);
        return this.#transactionGtid(event.gtid.text, event.gtid.uuid);
      case "mariadbGtid":
        this.#log.mariadbGtid(event.gtid);
        this.#gtidParts = event.gtid;
        this.#transactionGtid(event.text, `${event.gtid.domain}-${event.gtid.server}`);
        // The statement that follows is a group by itself, but the reference counts it like a transaction, and announces its begin.
        return this.#begin(null, event.standalone);
      case "query":
        return this.#query(event);
      case "xid":
        return this.#commit();
      case "xaPrepare":
        return this.#close();
      case "rowsQuery":
        if (this.#s.settings.includeQuery) this.#source.query = event.sql;
        return;
      case "transactionPayload":
        this.#unpacked = event.events();
        return this.#drained();
      case "incident":
        throw new SourceError(
          `The server lost events of its log (incident ${event.incident}: ${event.message}) before position ${event.header.nextPosition} of ${this.#log.file}: changes made there are missing. Take a new snapshot (delete the connector's offsets).`,
          { javaClass: "io.debezium.DebeziumException" },
        );
      default:
        return;
    }
  }
  #transactionGtid(text: string | null, source: string | null): void {
    this.#gtid = text;
    this.#source.gtid(text);
    const wanted = this.#s.settings.gtidSource;
    this.#ignored = wanted !== null && source !== null && !wanted(source) && this.#s.settings.all.bool("gtid.source.filter.dml.events");
  }
  #open(threadId: number | null, standalone: boolean): void {
    this.#log.began();
    this.#standalone = standalone;
    this.#source.thread(threadId);
    this.#source.query = null;
    this.#isCut = this.#handedOn.pending && this.#handedOn.isIn(this.#beginning());
    this.#skipping = this.#isCut;
  }
  #beginning(): Beginning {
    const { file, position } = this.#log;
    return { file, position, serverId: this.#serverId, tsSec: this.#tsSec, gtid: this.#gtidParts };
  }
  #begin(threadId: number | null, standalone: boolean): void {
    this.#open(threadId, standalone);
    if (this.#s.settings.all.bool("provide.transaction.metadata") === false) return;
    this.#metadata.begin(this.#gtid ?? `file=${this.#log.file},pos=${this.#log.position}`);
    const id = this.#metadata.id ?? "";
    if (!this.#skipping) this.#metadataRecord(id, this.#metadata.beginValue(id, Math.floor(this.#micros / 1000)));
  }
  #commit(rolledBack = false): void {
    const id = this.#metadata.id;
    if (id !== null) {
      if (!this.#skipping) this.#metadataRecord(id, this.#metadata.endValue(id, Math.floor(this.#micros / 1000)));
      this.#metadata.end();
    }
    this.#close(rolledBack);
  }
  /** The end of what no END record ends: as in the reference, offsets go on to name it. */
  #close(rolledBack = false): void {
    this.#log.committed();
    if (this.#isCut) this.#handedOn.clear();
    this.#isCut = false;
    this.#skipping = false;
    this.#source.query = null;
    this.#source.thread(null);
    if (rolledBack) this.seen.rolledBack++;
    else this.seen.transactions++;
  }
  #query(event: QueryEvent): void {
    const sql = event.sql.trim();
    const head = sql.slice(0, 24).toUpperCase();
    if (head === "BEGIN") return this.#begin(event.threadId, false);
    // The reference passes over all of XA: rows belong to no transaction, or (MariaDB) to one that never ends.
    if (head.startsWith("XA START ")) return this.#open(null, false);
    // Rolled back changes of tables without transactions stay in the log, and were handed on.
    if (head === "COMMIT" || head === "ROLLBACK") return this.#commit(head === "ROLLBACK");
    if (head.startsWith("XA COMMIT ") || head.startsWith("XA ROLLBACK ")) return this.#close(head.startsWith("XA R"));
    if (head.startsWith("XA END ") || head.startsWith("SAVEPOINT ") || head.startsWith("ROLLBACK TO ") || this.#s.schema.passesOver(sql))
      return this.#afterStatement();
    // The reference takes the times of statements as milliseconds.
    this.#time(this.#micros - (this.#micros % 1000));
    const end: LogPosition = { file: this.#log.file, position: this.#log.afterStatement(true).position, gtids: this.#log.executed };
    this.#inStatement = true;
    const applied = this.#ddl(sql, event, end).then(() => {
      this.#inStatement = false;
    });
    this.#hold.until(applied, this.#s.resume, this.#s.fail);
  }
  /** MariaDB's standalone statements end what their GTID began. */
  #afterStatement(): void {
    if (this.#standalone && this.#log.inTransaction) this.#close();
  }
  async #ddl(sql: string, event: QueryEvent, end: LogPosition): Promise<void> {
    const { schema, settings } = this.#s;
    const position = this.#log.afterStatement(this.#standalone);
    const offset = this.#withContext(streamOffset(position, this.#tsSec, this.#serverId));
    const at = this.#log.position;
    if (this.#skipping && this.#log.event < this.#handedOn.events) return;
    const { status, database } = event;
    const result = await schema.apply(sql, contextOf(database, status.sqlMode, settings.flavor), end, status.collationServer);
    for (const { table } of result.events) if (table !== null) this.#s.signals?.altered(dottedTableId(table));
    const kept = result.events.filter(
      (e) => settings.keepsDdl(e.databaseName, e.table?.table ?? null) && !(settings.onlyTables && e.unknown !== undefined),
    );
    const nowMs = Date.now();
    await schema.record([...kept.filter((e) => e.type !== "TRUNCATE"), ...(kept.length > 0 ? (result.implied ?? []) : [])], offset, nowMs);
    const { partition, plans } = this.#s;
    const { events } = this;
    const previous = this.#offset;
    const c = { settings, partition, schema, plans, events, source: this.#source, at, row: this.#lastRow, previous, offset };
    writeSchemaChanges(c, sql, kept, result.events, nowMs);
    this.seen.t += writeTruncates(c, result.events);
    this.#offset = offset;
    this.#afterStatement();
    this.events.flush();
  }
  #rows(event: RowsEvent): void {
    const log = this.#log;
    const plan = this.#plans.planOf(event);
    if (plan === null || this.#ignored) return;
    this.#rowTable = event.table;
    let skipRows = 0;
    const { events, rows } = this.#handedOn;
    if (this.#skipping && log.event <= events) skipRows = log.event < events ? Number.POSITIVE_INFINITY : rows;
    const cursor = this.#cursor;
    cursor.open(event);
    const bytes = event.end - event.start;
    const refusals = this.#plans.refusals(plan);
    while (cursor.next()) {
      if (cursor.row < skipRows) {
        if (this.#metadata.id !== null) this.#metadata.skip(plan.id);
        continue;
      }
      log.row = cursor.row;
      if (refusals !== undefined && !this.#isShown(refusals, event)) continue;
      writeRow(this, event, plan, cursor.before, cursor.after, bytes);
    }
    this.#lastRow = log.row;
    if (this.#skipping && log.event === events) this.#handedOn.rows = 0;
  }

  /** False: a value of the current row cannot be shown, and a setting says to go on. */
  #isShown(refusals: readonly Refusal[], event: RowsEvent): boolean {
    const { before, after } = this.#cursor;
    const images = event.change === "update" ? [before, after] : [event.change === "write" ? after : before];
    try {
      for (const { starts, ends } of images)
        for (const { wire, column } of refusals) {
          const start = starts[wire] ?? -1;
          if (start >= 0) column.decode(event.bytes, start, ends[wire] ?? start);
        }
      return true;
    } catch (error) {
      this.#plans.refused(error);
      return false;
    }
  }

  source(plan: TablePlan): Struct {
    const { schema, table } = this.#rowTable ?? plan;
    return this.#source.block(schema, table, this.#log.position, this.#log.row, "false");
  }
  /** A row of an incremental snapshot. */
  incrementalSource(plan: TablePlan): Struct {
    return this.#source.block(plan.schema, plan.table, this.#log.position, 0, "incremental");
  }
  block(plan: TablePlan): Struct | null {
    const id = this.#metadata.id;
    return id === null ? null : this.#metadata.next(plan.id, id);
  }
  advance(kind: "c" | "u" | "d"): SourceOffset {
    const seen = this.seen;
    seen[kind]++;
    seen.lastMs = this.events.nowMs;
    seen.behindMs = Math.max(0, seen.lastMs - Math.floor(this.#micros / 1000));
    this.#log.row++;
    const offset = this.#withContext(streamOffset(this.#log.at(), this.#tsSec, this.#serverId));
    this.#log.row--;
    this.#offset = offset;
    return offset;
  }
  get #between(): boolean {
    return !this.#log.inTransaction && this.#tsSec !== 0 && !this.#inStatement;
  }
  /** The offset with what incremental snapshots have come to meanwhile. */
  refresh(): SourceOffset {
    if (this.#between) return this.restartOffset;
    const plain = Object.entries(this.#offset).filter(([key]) => !key.startsWith("incremental_snapshot_"));
    const incremental = Object.entries(this.#s.signals?.offset() ?? {});
    this.#offset = Object.fromEntries(incremental.length === 0 ? plain : inHashMapOrder([...plain, ...incremental]));
    return this.#offset;
  }
  /** The position between transactions, for records that belong to none (heartbeats). */
  get restartOffset(): SourceOffset {
    if (!this.#between) return this.#offset;
    this.#offset = this.#withContext(streamOffset(this.#log.at(), this.#tsSec, this.#serverId));
    return this.#offset;
  }
  #withContext(offset: SourceOffset): SourceOffset {
    const incremental = this.#s.signals?.offset() ?? null;
    const transaction = this.#metadata.id === null ? null : this.#metadata.offset();
    if (incremental === null && transaction === null) return offset;
    const entries: [string, OffsetValue][] = [
      ...Object.entries(offset),
      ...Object.entries(transaction ?? {}),
      ...Object.entries(incremental ?? {}),
    ];
    return Object.fromEntries(inHashMapOrder(entries));
  }
  #metadataRecord(id: string, value: Struct): void {
    const offset = this.#withContext(streamOffset(this.#log.at(), this.#tsSec, this.#serverId));
    this.#offset = offset;
    this.events.other(transactionRecord(this.#s.settings.naming.transaction, id, value, this.#s.partition, offset));
  }
}
