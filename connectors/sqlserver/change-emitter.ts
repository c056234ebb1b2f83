/** Rows of change tables as events: update pairs joined, keys that change, transactions, what was delivered before left out. */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import { deletedSignal, insertedSignal, type StreamSignals } from "../cdc/signal-handler.ts";
import { SourceError } from "../cdc/source-error.ts";
import { TransactionContext, transactionRecord } from "../cdc/transaction-metadata.ts";
import type { Lsn } from "./change-tables/lsn.ts";
import type { ChangeRow } from "./change-tables/merge.ts";
import type { Replay } from "./change-tables/replayed.ts";
import type { DatabaseContext } from "./database-context.ts";
import { type Position, streamOffset } from "./position.ts";
import type { PlannedTable } from "./plans.ts";
import { RowBytes } from "./row-bytes.ts";

/** One instance's table with the old half of an update that waits for the new one. */
export interface ChangedTable {
  readonly planned: PlannedTable;
  before: ChangeRow | null;
}
export interface Seen {
  c: number;
  u: number;
  d: number;
  transactions: number;
  filtered: number;
  erroneous: number;
  lastMs: number;
  behindMs: number;
}
const DELETE = 1,
  INSERT = 2,
  BEFORE = 3,
  AFTER = 4;

export class ChangeEmitter {
  readonly #c: DatabaseContext;
  readonly #signals: () => StreamSignals | null;
  readonly #transaction = new TransactionContext();
  readonly #row = new RowBytes();
  readonly #old = new RowBytes();
  #position: Position;
  #offset: SourceOffset;
  /** Stands in records while a signal is being served. */
  #held: SourceOffset | null = null;
  #commit: Lsn | null = null;
  /** Of the row that is being handled: rows of a window carry it, while their offset stays before it. */
  #handled: Position;
  readonly seen: Seen = { c: 0, u: 0, d: 0, transactions: 0, filtered: 0, erroneous: 0, lastMs: 0, behindMs: -1 };

  constructor(context: DatabaseContext, position: Position, offset: SourceOffset, signals: () => StreamSignals | null) {
    this.#c = context;
    this.#position = position;
    this.#handled = position;
    this.#offset = offset;
    this.#signals = signals;
  }
  /** After the last event. */
  get position(): Position {
    return this.#position;
  }
  /** Of the event that is being made, or was last: what source blocks of rows read next to the stream say. */
  get handled(): Position {
    return this.#handled;
  }
  get offset(): SourceOffset {
    return this.#offset;
  }
  /** What new records carry: while a signal is being served, the position before it. */
  get safeOffset(): SourceOffset {
    return this.#held ?? this.#offset;
  }
  release(): void {
    this.#held = null;
  }
  /** All transactions up to `commit` are done. */
  passed(commit: Lsn): void {
    this.#position = { commit, change: null, serial: 0 };
    this.#handled = this.#position;
    this.#offset = this.#offsetAt(this.#position);
  }
  /** Offset with what incremental snapshots have come to meanwhile. */
  refresh(): SourceOffset {
    this.#offset = this.#offsetAt(this.#position);
    return this.safeOffset;
  }
  #offsetAt(p: Position): SourceOffset {
    const plain = p.change === null && this.#position.commit === null ? this.#offset : streamOffset(p);
    const incremental = this.#signals()?.offset() ?? null;
    const transaction = this.#c.settings.transactionMetadata && this.#transaction.id !== null ? this.#transaction.offset() : null;
    if (incremental === null && transaction === null) return plain;
    const all: Record<string, OffsetValue> = { ...plain, ...incremental, ...transaction };
    return Object.fromEntries(inHashMapOrder(Object.entries(all)));
  }
  /** `micros`: of the commit. Resolves to what happened: "signal" where a signal row may ask to wait. */
  row(table: ChangedTable, row: ChangeRow, micros: number, replay: Replay): "event" | "none" | "signal" {
    if (table.before !== null && row.operation !== AFTER) throw unpaired(table.before);
    if (row.operation === BEFORE) {
      table.before = row;
      return "none";
    }
    const before = table.before;
    table.before = null;
    if (row.operation === AFTER && before === null) throw unpaired(row);
    const serial = replay.count(row.start, row.change, before === null ? 1 : 2);
    const id = table.planned.id;
    if (row.start !== this.#commit) this.#begins(row.start, micros, replay.delivered);
    if (replay.delivered) {
      if (this.#c.settings.transactionMetadata) this.#transaction.skip(id);
      return "none";
    }
    this.#changed(row, micros);
    return this.#event(table.planned, row, before, serial);
  }
  #begins(commit: Lsn, micros: number, delivered: boolean): void {
    this.#commit = commit;
    this.#c.source.time(micros);
    if (!this.#c.settings.transactionMetadata) return;
    const { nowMicros } = this.#c;
    if (this.#transaction.id !== null) this.#boundary("END", this.#transaction.id, Math.floor(nowMicros() / 1000));
    this.#transaction.begin(commit);
    if (!delivered) this.#boundary("BEGIN", commit, Math.floor(micros / 1000));
  }
  #changed(row: ChangeRow, micros: number): void {
    const { events } = this.#c;
    events.tick();
    if (this.#position.commit !== row.start) this.seen.transactions++;
    this.seen.lastMs = events.nowMs;
    this.seen.behindMs = events.nowMs - Math.floor(micros / 1000);
  }
  #boundary(status: "BEGIN" | "END", id: Lsn, tsMs: number): void {
    const { events, settings, partition } = this.#c;
    const value = status === "BEGIN" ? this.#transaction.beginValue(id, tsMs) : this.#transaction.endValue(id, tsMs);
    events.other(transactionRecord(settings.naming.transaction, id, value, partition, this.safeOffset));
  }
  #event(planned: PlannedTable, row: ChangeRow, before: ChangeRow | null, serial: number): "event" | "signal" {
    const { events, source, settings } = this.#c;
    const { plan, types } = planned;
    const now = this.#row,
      old = this.#old;
    const size = now.row(types, row.values, 0);
    const signals = this.#signals();
    const isSignal = signals !== null && planned.id === signals.table;
    const previous = this.safeOffset;
    this.#handled = { commit: row.start, change: row.change, serial };
    let held = false;
    if (isSignal && row.operation === INSERT) held = insertedSignal(signals, row.values) === "hold";
    const block = settings.transactionMetadata ? () => this.#transaction.next(planned.id, row.start) : () => null;
    const at = source.block(planned.name, "false", row.start, row.change, serial);
    const key = plan.key(now, now.bytes);
    if (signals !== null && !isSignal) signals.changed(planned.id, () => plan.keyText(now, now.bytes));
    const first = block();
    this.#position = this.#handled;
    this.#offset = this.#offsetAt(this.#position);
    if (held) this.#held ??= previous;
    const offset = this.safeOffset;
    if (row.operation === DELETE) {
      this.seen.d++;
      events.delete(plan, key, plan.row(now, now.bytes), at, first, previous, offset, size);
      if (isSignal) deletedSignal(signals, row.values);
    } else if (row.operation === INSERT) {
      this.seen.c++;
      events.upsert(plan, "c", key, null, plan.row(now, now.bytes), at, first, offset, size);
    } else if (before !== null) {
      this.seen.u++;
      old.row(types, before.values, 0);
      const beforeRow = plan.row(old, old.bytes),
        afterRow = plan.row(now, now.bytes);
      const oldKey = plan.key(old, old.bytes);
      if (oldKey !== null && key !== null && !plan.sameKey(old, old.bytes, now, now.bytes)) {
        if (signals !== null && !isSignal) signals.changed(planned.id, () => plan.keyText(old, old.bytes));
        let blocks = 0;
        events.keyChange(plan, oldKey, key, beforeRow, afterRow, at, () => (blocks++ === 0 ? first : block()), previous, offset, size);
      } else events.upsert(plan, "u", key, beforeRow, afterRow, at, first, offset, size);
    }
    return isSignal ? "signal" : "event";
  }
}
const unpaired = (row: ChangeRow): SourceError =>
  new SourceError(
    `The update before event at ${row.start}(${row.change}) was not followed by after event.\nThe change table has one half of an update only: it was changed by hand, or the clean-up job ran through it.`,
    { javaClass: "java.lang.IllegalStateException" },
  );
