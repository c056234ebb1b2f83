/** Turns changes into records: envelope, key, headers, tombstones, and the two or three records of a changed key. */
import type { Header, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { Op } from "./envelope.ts";
import type { RecordQueue } from "./record-queue.ts";
import type { TablePlan } from "./table-plan.ts";

export interface EventSettings {
  readonly partition: SourcePartition;
  readonly headers: readonly Header[];
  readonly tombstones: boolean;
  /** Microseconds since 1970. */
  readonly nowMicros: () => number;
}

const NOTHING_SKIPPED: ReadonlySet<string> = new Set();

/** Records of one event share a batch; all but the last carry the position before the event, so that none is lost. */
export class EventWriter {
  readonly #s: EventSettings;
  readonly #queue: RecordQueue;
  nowMs = 0;
  nowMicros = 0;
  #ms = 0n;
  #us = 0n;
  #ns = 0n;

  constructor(settings: EventSettings, queue: RecordQueue) {
    this.#s = settings;
    this.#queue = queue;
  }
  /** Takes the time that the following events carry; called once per piece of input. */
  tick(): void {
    const now = Math.floor(this.#s.nowMicros());
    this.nowMicros = now;
    this.nowMs = Math.floor(now / 1000);
    this.#ms = BigInt(this.nowMs);
    this.#us = BigInt(now);
    this.#ns = this.#us * 1000n;
  }
  #value(plan: TablePlan, op: Op, before: Struct | null, after: Struct | null, source: Struct, transaction: Struct | null): Struct {
    return new Struct(plan.envelope, [before, after, source, transaction, op, this.#ms, this.#us, this.#ns]);
  }
  #add(
    topic: string,
    keySchema: Schema | null,
    key: Struct | null,
    valueSchema: Schema | null,
    value: Struct | null,
    headers: readonly Header[],
    offset: SourceOffset,
    bytes: number,
    continues: boolean,
  ): void {
    const record: SourceRecord = {
      topic,
      partition: null,
      keySchema,
      key,
      valueSchema,
      value,
      timestamp: null,
      headers,
      sourcePartition: this.#s.partition,
      sourceOffset: offset,
    };
    this.#queue.add(record, bytes, continues);
  }
  /** `op` c, u or r. */
  upsert(
    plan: TablePlan,
    op: Op,
    key: Struct | null,
    before: Struct | null,
    after: Struct,
    source: Struct,
    block: Struct | null,
    offset: SourceOffset,
    bytes: number,
  ): void {
    const value = this.#value(plan, op, before, after, source, block);
    this.#add(plan.topic, plan.keySchema, key, plan.envelope, value, this.#s.headers, offset, bytes, false);
  }
  delete(
    plan: TablePlan,
    key: Struct | null,
    before: Struct | null,
    source: Struct,
    block: Struct | null,
    previous: SourceOffset,
    offset: SourceOffset,
    bytes: number,
  ): void {
    const value = this.#value(plan, "d", before, null, source, block);
    const more = this.#s.tombstones;
    this.#add(plan.topic, plan.keySchema, key, plan.envelope, value, this.#s.headers, more ? previous : offset, bytes, more);
    if (more) this.#add(plan.topic, plan.keySchema, key, null, null, this.#s.headers, offset, 0, false);
  }
  /** An update that changes the key: the old key goes, the new one comes. `skipped`: operations that are left out, d and c among them. */
  keyChange(
    plan: TablePlan,
    oldKey: Struct,
    newKey: Struct,
    before: Struct | null,
    after: Struct,
    source: Struct,
    block: () => Struct | null,
    previous: SourceOffset,
    offset: SourceOffset,
    bytes: number,
    skipped: ReadonlySet<string> = NOTHING_SKIPPED,
  ): void {
    const comes = !skipped.has("c"),
      tombstone = this.#s.tombstones;
    const gone: readonly Header[] = [{ key: "__debezium.newkey", schema: plan.keySchema, value: newKey }, ...this.#s.headers];
    const come: readonly Header[] = [{ key: "__debezium.oldkey", schema: plan.keySchema, value: oldKey }, ...this.#s.headers];
    if (!skipped.has("d")) {
      const value = this.#value(plan, "d", before, null, source, block());
      const more = comes || tombstone;
      this.#add(plan.topic, plan.keySchema, oldKey, plan.envelope, value, gone, more ? previous : offset, bytes, more);
      if (tombstone) this.#add(plan.topic, plan.keySchema, oldKey, null, null, gone, comes ? previous : offset, 0, comes);
    }
    if (!comes) return;
    this.#add(
      plan.topic,
      plan.keySchema,
      newKey,
      plan.envelope,
      this.#value(plan, "c", null, after, source, block()),
      come,
      offset,
      0,
      false,
    );
  }
  truncate(plan: TablePlan, source: Struct, block: Struct | null, offset: SourceOffset, continues: boolean): void {
    this.#add(
      plan.topic,
      null,
      null,
      plan.envelope,
      this.#value(plan, "t", null, null, source, block),
      this.#s.headers,
      offset,
      64,
      continues,
    );
  }
  /** A record of another kind (transaction, heartbeat). */
  other(record: SourceRecord, continues = false, bytes = 128): void {
    this.#queue.add(record, bytes, continues);
  }
  /** Lets a waiting poll see what was written. */
  flush(): void {
    if (!this.#queue.empty) this.#queue.wake();
  }
  /** `done` is called when the events written so far have been dealt with. */
  afterUse(done: () => void): void {
    this.#queue.afterUse(done);
  }
  get full(): boolean {
    return this.#queue.full;
  }
}
