/**
 * What the partition remembers of each producer: the last five batches (duplicates, sequence gaps), its epoch, its open
 * transaction. Rules: KIP-98 (idempotence, transactions), KIP-360 (an unknown producer may begin anywhere), KIP-890.
 */
import { readBatchHeader } from "../protocol/records/batch.ts";
import { readRecords } from "../protocol/records/records.ts";
import * as field from "./batch-fields.ts";
import { LogError } from "./errors.ts";
import type { SnapshotEntry } from "./producer-snapshot.ts";

const BATCHES_KEPT = 5;

export interface ProducerBatch {
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestampMs: number;
}
export interface ProducerEntry {
  readonly producerId: number;
  epoch: number;
  coordinatorEpoch: number;
  lastTimestampMs: number;
  /** −1: no transaction is open. */
  currentTxnFirstOffset: number;
  /** Oldest first. */
  batches: ProducerBatch[];
}
export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** The marker's. */
  readonly lastOffset: number;
  readonly aborted: boolean;
}
/** What earlier batches of the same call would change; makes calls of several batches all or nothing. */
interface Staged {
  epoch: number;
  lastSequence: number;
}
export type StagedProducers = Map<number, Staged>;

export class ProducerState {
  readonly #entries = new Map<number, ProducerEntry>();
  /** Producer → first offset of its open transaction; insertion order is offset order. */
  readonly #open = new Map<number, number>();
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  get entries(): ReadonlyMap<number, ProducerEntry> {
    return this.#entries;
  }
  /** First offset of the oldest open transaction; Infinity: none. */
  get firstUnstableOffset(): number {
    for (const offset of this.#open.values()) return offset;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * May this batch be written? Returns the earlier write if it is a repetition, null if it is new; throws OUT_OF_ORDER_SEQUENCE_NUMBER,
   * INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE. Changes only `staged`.
   */
  check(buf: Buffer, pos: number, staged: StagedProducers | null): ProducerBatch | null {
    const producerId = field.producerIdOf(buf, pos);
    const epoch = field.producerEpochOf(buf, pos);
    const entry = this.#entries.get(producerId);
    const before = staged?.get(producerId);
    const firstSequence = field.baseSequenceOf(buf, pos);
    const lastSequence = field.lastSequenceOf(buf, pos);
    if (entry !== undefined && before === undefined) {
      const earlier = findDuplicate(entry, epoch, firstSequence, lastSequence);
      if (earlier !== null) return earlier;
    }
    const knownEpoch = before?.epoch ?? entry?.epoch ?? -1;
    if (epoch < knownEpoch) this.#fenced(producerId, epoch, knownEpoch);
    const knownSequence = before?.lastSequence ?? entry?.batches.at(-1)?.lastSequence ?? field.NO_SEQUENCE;
    this.#checkSequence(producerId, firstSequence, epoch === knownEpoch ? knownSequence : null, knownEpoch);
    if (entry !== undefined && entry.currentTxnFirstOffset >= 0 && !field.isTransactional(field.attributesOf(buf, pos))) {
      throw new LogError(
        "INVALID_TXN_STATE",
        `${this.#name}: producer ${producerId} has a transaction open and sent a batch outside of it`,
      );
    }
    staged?.set(producerId, { epoch, lastSequence });
    return null;
  }
  /** lastSequence null: the epoch is new, so numbering begins again. */
  #checkSequence(producerId: number, first: number, lastSequence: number | null, knownEpoch: number): void {
    if (knownEpoch < 0) return; // KIP-360: nothing is known (any more), so any number is a beginning.
    if (lastSequence === null) {
      if (first !== 0) this.#outOfOrder(producerId, `${first} begins a new epoch, 0 was expected`);
    } else if (first !== lastSequence + 1 && !(first === 0 && (lastSequence === 0x7fffffff || lastSequence === field.NO_SEQUENCE))) {
      this.#outOfOrder(producerId, `${first} (incoming seq. number), ${lastSequence} (current end sequence number)`);
    }
  }
  #outOfOrder(producerId: number, detail: string): never {
    throw new LogError(
      "OUT_OF_ORDER_SEQUENCE_NUMBER",
      `Out of order sequence number for producer ${producerId} in partition ${this.#name}: ${detail}`,
    );
  }
  #fenced(producerId: number, epoch: number, known: number): never {
    throw new LogError(
      "INVALID_PRODUCER_EPOCH",
      `Epoch of producer ${producerId} in ${this.#name} is ${epoch}, which is smaller than the last seen epoch ${known}`,
    );
  }
  /** For an end-transaction marker. TRANSACTION_COORDINATOR_FENCED, INVALID_PRODUCER_EPOCH. */
  checkMarker(producerId: number, epoch: number, coordinatorEpoch: number): void {
    const entry = this.#entries.get(producerId);
    if (entry === undefined) return;
    if (epoch < entry.epoch) this.#fenced(producerId, epoch, entry.epoch);
    if (coordinatorEpoch < entry.coordinatorEpoch) {
      throw new LogError(
        "TRANSACTION_COORDINATOR_FENCED",
        `Invalid coordinator epoch for producerId ${producerId} in partition ${this.#name}: ${coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`,
      );
    }
  }

  /** Takes a batch that is in the log with its final offset; returns the transaction that it ended, if any. Checks nothing. */
  apply(buf: Buffer, pos: number): CompletedTransaction | null {
    const producerId = field.producerIdOf(buf, pos);
    if (producerId < 0) return null;
    const attributes = field.attributesOf(buf, pos);
    if (field.isControl(attributes)) return this.#applyMarker(buf, pos, producerId);
    const epoch = field.producerEpochOf(buf, pos);
    const entry = this.#entryFor(producerId, epoch);
    const offset = field.baseOffsetOf(buf, pos);
    entry.lastTimestampMs = field.maxTimestampOf(buf, pos);
    const delta = field.lastOffsetDeltaOf(buf, pos);
    const batch = {
      lastSequence: field.lastSequenceOf(buf, pos),
      lastOffset: offset + delta,
      offsetDelta: delta,
      timestampMs: entry.lastTimestampMs,
    };
    if (entry.batches.length === BATCHES_KEPT) entry.batches.shift();
    entry.batches.push(batch);
    if (field.isTransactional(attributes) && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = offset;
      this.#open.set(producerId, offset);
    }
    return null;
  }
  #applyMarker(buf: Buffer, pos: number, producerId: number): CompletedTransaction | null {
    const marker = readMarker(buf, pos);
    if (marker === null) return null;
    const entry = this.#entryFor(producerId, field.producerEpochOf(buf, pos));
    const firstOffset = entry.currentTxnFirstOffset;
    entry.currentTxnFirstOffset = -1;
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestampMs = field.maxTimestampOf(buf, pos);
    this.#open.delete(producerId);
    if (firstOffset < 0) return null;
    return { producerId, firstOffset, lastOffset: field.baseOffsetOf(buf, pos), aborted: !marker.committed };
  }
  #entryFor(producerId: number, epoch: number): ProducerEntry {
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = { producerId, epoch, coordinatorEpoch: -1, lastTimestampMs: -1, currentTxnFirstOffset: -1, batches: [] };
      this.#entries.set(producerId, entry);
    } else if (epoch !== entry.epoch) {
      entry.epoch = epoch;
      entry.batches = [];
    }
    return entry;
  }
  /** Last stable offset once `done` is closed and everything up to it is replicated. */
  stableOffsetAfter(done: CompletedTransaction): number {
    return Math.min(this.firstUnstableOffset, done.lastOffset + 1);
  }
  /** producer.id.expiration.ms: forgets idle producers without an open transaction. */
  expire(nowMs: number, expirationMs: number): void {
    for (const [producerId, entry] of this.#entries) {
      if (entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestampMs >= expirationMs) this.#entries.delete(producerId);
    }
  }
  clear(): void {
    this.#entries.clear();
    this.#open.clear();
  }

  toSnapshot(): SnapshotEntry[] {
    return Array.from(this.#entries.values(), (entry) => {
      const last = entry.batches.at(-1);
      return {
        producerId: entry.producerId,
        epoch: entry.epoch,
        lastSequence: last?.lastSequence ?? -1,
        lastOffset: last?.lastOffset ?? -1,
        offsetDelta: last?.offsetDelta ?? 0,
        timestampMs: entry.lastTimestampMs,
        coordinatorEpoch: entry.coordinatorEpoch,
        currentTxnFirstOffset: entry.currentTxnFirstOffset,
      };
    });
  }
  /** Replaces everything; producers that have expired meanwhile are left out. */
  load(snapshot: readonly SnapshotEntry[], nowMs: number, expirationMs: number): void {
    this.clear();
    const open: [number, number][] = [];
    for (const saved of snapshot) {
      if (saved.currentTxnFirstOffset < 0 && nowMs - saved.timestampMs >= expirationMs) continue;
      const batch = {
        lastSequence: saved.lastSequence,
        lastOffset: saved.lastOffset,
        offsetDelta: saved.offsetDelta,
        timestampMs: saved.timestampMs,
      };
      this.#entries.set(saved.producerId, {
        producerId: saved.producerId,
        epoch: saved.epoch,
        coordinatorEpoch: saved.coordinatorEpoch,
        lastTimestampMs: saved.timestampMs,
        currentTxnFirstOffset: saved.currentTxnFirstOffset,
        batches: saved.lastOffset >= 0 ? [batch] : [],
      });
      if (saved.currentTxnFirstOffset >= 0) open.push([saved.producerId, saved.currentTxnFirstOffset]);
    }
    for (const [producerId, offset] of open.sort((a, b) => a[1] - b[1])) this.#open.set(producerId, offset);
  }
}

function findDuplicate(entry: ProducerEntry, epoch: number, firstSequence: number, lastSequence: number): ProducerBatch | null {
  if (epoch !== entry.epoch) return null;
  for (const batch of entry.batches) {
    const first = field.decrementSequence(batch.lastSequence, batch.offsetDelta);
    if (first === firstSequence && batch.lastSequence === lastSequence) return batch;
  }
  return null;
}

/** Control record: key = version int16, type int16 (0 abort, 1 commit); value = version int16, coordinator epoch int32. */
export function readMarker(buf: Buffer, pos: number): { committed: boolean; coordinatorEpoch: number } | null {
  const header = readBatchHeader(buf, pos);
  const record = header === null ? undefined : readRecords(buf, pos, header)[0];
  if (record === undefined || record.key === null || record.key.length < 4) return null;
  const type = Buffer.from(record.key.buffer, record.key.byteOffset, record.key.length).readInt16BE(2);
  if (type !== 0 && type !== 1) return null;
  const value = record.value;
  const coordinatorEpoch =
    value === null || value.length < 6 ? -1 : Buffer.from(value.buffer, value.byteOffset, value.length).readInt32BE(2);
  return { committed: type === 1, coordinatorEpoch };
}
