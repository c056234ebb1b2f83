/** Streaming: replication messages to events, with positions, restart without loss or repetition, and confirmation. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import { InputHold } from "../cdc/input-hold.ts";
import { TransactionContext, transactionRecord } from "../cdc/transaction-metadata.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { deletedSignal, insertedSignal } from "../cdc/signal-handler.ts";
import { decodeMessage, type PgOutputSink, type Relation } from "./pgoutput/decode.ts";
import { int64 } from "./pgoutput/integers.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import type { FlushTracker, StreamPosition } from "./position.ts";
import type { CopyConsumer } from "./raw-session.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { DDL_PREFIX } from "./ddl-trigger.ts";
import { LogTracker } from "./log-tracker.ts";
import { messageRecord } from "./message-record.ts";
import type { SourceInfo } from "./source-info.ts";
import type { SpoolReader } from "./streamed-transactions.ts";
import type { TablePlan } from "../cdc/table-plan.ts";

const STREAM_STOP = 0x45;
/** A transaction that came in parts and is complete now. */
interface Replayed {
  readonly reader: SpoolReader;
  readonly endLsn: number;
  readonly commitMicros: number;
  /** WAL position of the commit's message. */
  readonly commitWal: number;
}

export class StreamReader implements CopyConsumer, PgOutputSink {
  readonly #s: StreamSettings;
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #flush: FlushTracker;
  readonly #plans = new Map<number, TablePlan | null>();
  readonly #scan = new TupleScan();
  readonly #oldScan = new TupleScan();
  readonly #metadata = new TransactionContext();
  /** What input waits for: relations that are looked up, a blocking snapshot. */
  readonly #hold = new InputHold();
  #replayed: Replayed | null = null;
  #ticked = false;
  #messageBytes = 0;
  #inTransaction = false;
  #xid: number | null = null;
  #display = "";
  #commitMicros = 0;
  #eventsInTransaction = 0;
  readonly #log: LogTracker;
  #offset: SourceOffset;
  /** Before the last signal that is being served. */
  #heldOffset: SourceOffset;

  constructor(
    settings: StreamSettings,
    events: EventWriter,
    source: SourceInfo,
    flush: FlushTracker,
    from: StreamPosition,
    offset: SourceOffset,
  ) {
    this.#s = settings;
    this.#events = events;
    this.#source = source;
    this.#flush = flush;
    this.#log = new LogTracker(from);
    this.#offset = offset;
    this.#heldOffset = offset;
    source.lastCommit(from.commitLsn);
  }
  get ready(): boolean {
    return this.#hold.free && this.#replayed === null && !this.#events.full;
  }
  /** There is room again, or what was waited for is there. */
  goOn(): void {
    const replayed = this.#replayed;
    if (replayed !== null && this.#hold.free) this.#replay(replayed);
    this.#s.resume();
  }
  /** Of the last record that was written. */
  get position(): StreamPosition {
    return this.#log.position;
  }
  /** The stored offset was moved on while there was nothing to capture: what comes now goes on from there. */
  progressed(offset: SourceOffset, lsn: number): void {
    this.#log.progressed(lsn);
    this.#source.lastCommit(lsn);
    this.#offset = offset;
    this.#heldOffset = offset;
  }
  get inTransaction(): boolean {
    return this.#inTransaction || this.#replayed !== null;
  }
  get heldOffset(): SourceOffset {
    return this.#heldOffset;
  }
  get offset(): SourceOffset {
    return this.#offset;
  }
  /** Counters and times for metrics; creates, updates, deletes by their letter. */
  readonly seen = { c: 0, u: 0, d: 0, t: 0, m: 0, transactions: 0, filtered: 0, erroneous: 0, lastMs: 0, behindMs: -1 };
  /** The last one that had events; null: none came. */
  lastTransaction: number | null = null;
  /** WAL position of the last message of any kind. */
  get received(): number {
    return this.#log.wal;
  }
  flushed(): void {
    this.#ticked = false;
    this.#events.flush();
  }
  afterUse(done: () => void): void {
    this.#events.afterUse(done);
  }
  data(b: Buffer, start: number, end: number): void {
    if (b[start] === 0x77) {
      if (!this.#ticked) {
        this.#events.tick();
        this.#ticked = true;
      }
      this.#log.wal = int64(b, start + 1);
      this.#messageBytes = end - start;
      const streamed = this.#s.streamed;
      if (streamed !== null && streamed.open && b[start + 25] !== STREAM_STOP) streamed.add(b, start + 1, start + 25, end);
      else decodeMessage(b, start + 25, end, this);
    } else if (b[start] === 0x6b) {
      const lsn = int64(b, start + 1);
      // Inside a transaction the server may already be ahead of what it has sent.
      if (!this.#inTransaction) {
        this.#flush.skipped(lsn);
        if (lsn > this.#log.wal) this.#log.wal = lsn;
        this.#s.marks?.passed(lsn);
      }
      if (b[end - 1] === 1) this.#s.statusRequested();
    }
  }

  begin(_finalLsn: number, commitMicros: number, xid: number): void {
    this.#inTransaction = true;
    this.#s.marks?.transaction(xid);
    this.#xid = xid;
    this.#commitMicros = commitMicros;
    this.#eventsInTransaction = 0;
    this.#log.began(xid);
    this.#source.transaction(commitMicros, xid);
    if (this.#s.transactionTopic === null) return;
    this.#display = `${xid}:${this.#log.wal}`;
    this.#metadata.begin(String(xid));
    if (!this.#log.skipping)
      this.#metadataRecord(this.#metadata.beginValue(this.#display, Math.floor(commitMicros / 1000)), "BEGIN", this.#log.wal);
  }
  commit(endLsn: number, commitMicros: number): void {
    this.#inTransaction = false;
    this.#log.committed(endLsn);
    this.#source.lastCommit(endLsn);
    if (this.#s.transactionTopic !== null) {
      this.#metadataRecord(this.#metadata.endValue(this.#display, Math.floor(commitMicros / 1000)), "COMMIT", endLsn);
      this.#metadata.end();
    }
    const log = this.#log;
    if (this.#eventsInTransaction > 0) {
      this.seen.transactions++;
      this.lastTransaction = this.#xid;
    }
    if (this.#eventsInTransaction > 0) this.#flush.committed(log.positionLsn, log.positionEvent, log.positionTxId, endLsn);
    else this.#flush.skipped(endLsn);
    this.#xid = null;
    this.#s.marks?.passed(endLsn);
  }
  streamStart(xid: number): void {
    this.#s.streamed?.start(xid);
  }
  streamStop(): void {
    this.#s.streamed?.stop();
  }
  streamAbort(xid: number, subXid: number): void {
    this.#s.streamed?.abort(xid, subXid);
  }
  /** From here on it is as if the whole transaction came now. */
  streamCommit(xid: number, endLsn: number, commitMicros: number): void {
    const reader = this.#s.streamed?.commit(xid) ?? null;
    if (reader === null) return;
    const replayed = { reader, endLsn, commitMicros, commitWal: this.#log.wal };
    this.begin(0, commitMicros, xid);
    this.#replay(replayed);
  }
  /** Goes on until the queue is full, a table is looked up, or the transaction is complete. */
  #replay(replayed: Replayed): void {
    const { reader, endLsn, commitMicros, commitWal } = replayed;
    this.#replayed = replayed;
    this.#events.tick();
    try {
      while (this.#hold.free && !this.#events.full) {
        if (!reader.next()) {
          this.#replayed = null;
          reader.close();
          this.#log.wal = commitWal;
          this.commit(endLsn, commitMicros);
          break;
        }
        this.#log.wal = int64(reader.buffer, reader.wal);
        this.#messageBytes = reader.end - reader.start;
        decodeMessage(reader.buffer, reader.start, reader.end, this);
      }
    } catch (error) {
      this.#s.fail(error instanceof Error ? error : new Error(String(error)));
    }
    this.#events.flush();
  }
  close(): void {
    this.#replayed?.reader.close();
    this.#replayed = null;
    this.#s.streamed?.close();
  }
  relation(relation: Relation): void {
    const planned = (plan: TablePlan | null): void => {
      if (plan !== null && this.#plans.has(relation.id)) this.#s.signals?.altered(plan.id);
      this.#plans.set(relation.id, plan);
      this.goOn();
    };
    this.#hold.until(this.#s.plan(relation), planned, this.#s.fail);
  }
  insert(relation: number, b: Buffer, row: number): void {
    const plan = this.#next(relation, "c");
    if (plan === null) return;
    this.#scan.scan(b, row);
    const signals = this.#s.signals;
    let hold = false;
    if (signals !== null) {
      if (plan.id === signals.table) hold = insertedSignal(signals, plan.row(this.#scan, b).slots) === "hold";
      else signals.changed(plan.id, () => plan.keyText(this.#scan, b));
    }
    const previous = this.#offset;
    if (hold) this.#heldOffset = previous;
    const source = this.#source.block(this.#log.lsn, plan.schema, plan.table, "false");
    const offset = this.#advance("INSERT");
    this.#events.upsert(
      plan,
      "c",
      plan.key(this.#scan, b),
      null,
      plan.row(this.#scan, b),
      source,
      this.#block(plan),
      hold ? previous : offset,
      this.#messageBytes,
    );
  }
  update(relation: number, b: Buffer, oldRow: number, oldIsFull: boolean, row: number): void {
    // Whether it is left out depends on what it comes down to: a changed key is a delete and a create.
    const plan = this.#next(relation, null);
    if (plan === null) return;
    const skipped = this.#s.skipped;
    const scan = this.#scan,
      old = this.#oldScan;
    scan.scan(b, row);
    this.#s.signals?.changed(plan.id, () => plan.keyText(scan, b));
    const source = this.#source.block(this.#log.lsn, plan.schema, plan.table, "false");
    const key = plan.key(scan, b);
    const bytes = this.#messageBytes;
    if (oldRow < 0) {
      if (skipped.has("u")) return;
      this.#events.upsert(plan, "u", key, null, plan.row(scan, b), source, this.#block(plan), this.#advance("UPDATE"), bytes);
      return;
    }
    old.scan(b, oldRow);
    this.#s.signals?.changed(plan.id, () => plan.keyText(old, b));
    const before = plan.row(old, b),
      after = plan.row(scan, b);
    const oldKey = plan.key(old, b);
    const changesKey = key !== null && oldKey !== null && !plan.sameKey(old, b, scan, b);
    if (!changesKey && (skipped.has("u") || (this.#s.skipsUnchanged && oldIsFull && plan.sameRow(old, b, scan, b)))) return;
    if (changesKey && skipped.has("c") && skipped.has("d")) return;
    const previous = this.#offset;
    if (!changesKey) this.#events.upsert(plan, "u", key, before, after, source, this.#block(plan), this.#advance("UPDATE"), bytes);
    else {
      const offset = this.#advance("UPDATE");
      this.#events.keyChange(plan, oldKey, key, before, after, source, () => this.#block(plan), previous, offset, bytes, skipped);
    }
  }
  delete(relation: number, b: Buffer, oldRow: number, _oldIsFull: boolean): void {
    const plan = this.#next(relation, "d");
    if (plan === null) return;
    this.#oldScan.scan(b, oldRow);
    const signals = this.#s.signals;
    if (signals !== null) {
      if (plan.id === signals.table) deletedSignal(signals, plan.row(this.#oldScan, b).slots);
      else signals.changed(plan.id, () => plan.keyText(this.#oldScan, b));
    }
    const source = this.#source.block(this.#log.lsn, plan.schema, plan.table, "false");
    const previous = this.#offset;
    const key = plan.key(this.#oldScan, b),
      before = plan.row(this.#oldScan, b);
    this.#events.delete(plan, key, before, source, this.#block(plan), previous, this.#advance("DELETE"), this.#messageBytes);
  }
  /** Input stops while `stopped` runs (a blocking snapshot). */
  stopWhile(stopped: () => Promise<void>): Promise<void> {
    return this.#hold.during(stopped, () => {
      this.#source.lastCommit(this.#log.lastCommit);
      this.#source.transaction(this.#commitMicros, this.#xid);
      this.goOn();
    });
  }
  /** One event with a record for each table; together they are one step of the position. */
  truncate(relations: readonly number[]): void {
    this.#log.counted();
    const plans = relations.map((r) => this.#plans.get(r) ?? null).filter((p) => p !== null);
    for (const { id } of plans) this.#s.signals?.altered(id);
    if (plans.length === 0 || this.#log.delivered || this.#s.skipped.has("t")) return;
    const previous = this.#offset;
    const offset = this.#advance("TRUNCATE");
    plans.forEach((plan, i) => {
      const last = i === plans.length - 1;
      const source = this.#source.block(this.#log.lsn, plan.schema, plan.table, "false");
      this.#events.truncate(plan, source, this.#block(plan), last ? offset : previous, !last);
    });
  }
  message(transactional: boolean, _lsn: number, prefix: string, content: Buffer): void {
    if (!transactional) this.#outside();
    this.#log.counted();
    if (transactional ? this.#log.delivered : this.#log.deliveredOutside) return;
    if (prefix === DDL_PREFIX) return this.#definition(content);
    if (this.#s.skipped.has("m") || !this.#s.wantsMessage(prefix)) return;
    const xid = transactional ? this.#xid : null;
    const source = this.#source.block(this.#log.lsn, "", "", "false");
    const block = this.#metadata.id !== null && transactional ? this.#metadata.next("", this.#display) : null;
    const offset = this.#advance("MESSAGE", xid);
    const { messageTopic: topic, partition } = this.#s;
    this.#events.other(
      messageRecord(this.#s.messageForm, topic, partition, this.#events.nowMs, prefix, content, source, block, offset),
      false,
      content.length,
    );
    // It has no commit of its own: when it is durable, so is everything up to it.
    if (!transactional) this.#flush.committed(this.#log.positionLsn, this.#log.positionEvent, null, this.#log.wal);
  }
  #definition(content: Buffer): void {
    const source = this.#source.block(this.#log.lsn, "", "", "false");
    const record = this.#s.ddl(content, source, this.#events.nowMs, () => this.#advance("MESSAGE"));
    if (record !== null) this.#events.other(record, false, content.length);
  }
  /** The server sends messages that belong to no transaction between transactions; they carry the time of reading. */
  #outside(): void {
    this.#commitMicros = this.#events.nowMs * 1000;
    this.#log.lsn = 0;
    this.#source.transaction(this.#commitMicros, null);
  }

  /** Counts the event; null: its table is not captured, it was delivered before the restart, or its kind is left out. */
  #next(relation: number, op: string | null): TablePlan | null {
    const plan = this.#plans.get(relation) ?? null;
    this.#log.counted();
    if (plan === null) {
      this.#filtered(op ?? "u");
      return null;
    }
    if (this.#log.delivered) {
      if (this.#metadata.id !== null) this.#metadata.skip(plan.id);
      return null;
    }
    return op !== null && this.#s.skipped.has(op) ? null : plan;
  }
  /** As in the reference, what is left out is among what was seen. */
  #filtered(op: string): void {
    this.seen.filtered++;
    if (op === "c" || op === "u" || op === "d") this.seen[op]++;
  }
  #block(plan: TablePlan): Struct | null {
    return this.#metadata.id === null ? null : this.#metadata.next(plan.id, this.#display);
  }
  #count(operation: string): void {
    const seen = this.seen;
    if (operation === "INSERT") seen.c++;
    else if (operation === "UPDATE") seen.u++;
    else if (operation === "DELETE") seen.d++;
    else if (operation === "TRUNCATE") seen.t++;
    else seen.m++;
    seen.lastMs = this.#events.nowMs;
    seen.behindMs = Math.max(0, seen.lastMs - Math.floor(this.#commitMicros / 1000));
  }
  /** Moves the position onto the current event and returns its offset. */
  #advance(operation: string, txId: number | null = this.#xid): SourceOffset {
    this.#eventsInTransaction++;
    this.#count(operation);
    this.#log.handedOn(txId);
    return this.#offsetNow(operation);
  }
  #offsetNow(operation: string): SourceOffset {
    const transaction = this.#metadata.id === null ? null : this.#metadata.offset();
    this.#offset = this.#log.offset(operation, this.#commitMicros, transaction, this.#s.signals?.offset() ?? null);
    return this.#offset;
  }
  #metadataRecord(value: Struct, operation: "BEGIN" | "COMMIT", lsn: number): void {
    const topic = this.#s.transactionTopic;
    if (topic === null) return;
    const previous = this.#offset;
    // BEGIN does not move the position: until an event follows, reading starts before the transaction.
    if (operation === "COMMIT") {
      this.#eventsInTransaction++;
      this.#log.movedTo(lsn, 0, this.#xid);
      this.#offsetNow(operation);
    }
    const offset = operation === "COMMIT" ? this.#offset : previous;
    this.#events.other(transactionRecord(topic, this.#display, value, this.#s.partition, offset));
  }
}
