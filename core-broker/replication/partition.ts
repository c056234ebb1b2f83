/** A partition on a single node: leader, in sync with itself, so that the high watermark is the log end offset. */
import type { Logger } from "../base/logger.ts";
import { lastOffsetOf, sizeOf } from "../log/batch-fields.ts";
import type { LogConfig } from "../log/config.ts";
import type { Log, LogAppend } from "../log/log.ts";
import { offsetByTimestamp, offsetOfMaxTimestamp } from "../log/log-time.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { markerBatch } from "./marker.ts";
import { toKafkaError, translated } from "./partition-errors.ts";
import type {
  ActiveProducer,
  AppendOptions,
  AppendResult,
  EndTransactionMarker,
  EpochEndOffset,
  Isolation,
  Partition,
  PartitionTraffic,
  ReadOptions,
  ReadResult,
  TimestampOffset,
} from "./types.ts";

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
/** Reads up to here are one preadSync from the page cache. */
const SYNC_READ_BYTES_MAX = 1 << 20;
/** Data this close to the log end is taken to be in the page cache. */
const WARM_SEGMENTS = 1;

export interface PartitionMove {
  readonly logDir: string;
  readonly copiedBytes: () => number;
  cancelled: boolean;
}
export interface PartitionOptions {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly logDir: string;
  /** Why a folder is offline; null: it is not. */
  readonly storageErrorOf?: (logDir: string) => Error | null;
  readonly leaderEpoch: number;
  readonly log: Log;
  readonly logger: Logger;
  /** Topic overrides → effective settings, with the broker's defaults of the moment. */
  readonly resolveConfig: (overrides: Readonly<Record<string, string>>) => LogConfig;
  readonly overrides: Readonly<Record<string, string>>;
  /** Told when the log start moved, so that it is made durable. */
  readonly onStartMoved: () => void;
}

export class LocalPartition implements Partition {
  readonly topic: string;
  readonly partition: number;
  topicId: string;
  logDir: string;
  log: Log;
  /** Set while the data is copied to another folder: nothing may delete or rewrite segments then. */
  moving: PartitionMove | null = null;
  appendedBytes = 0;
  readonly traffic: PartitionTraffic = { recordsIn: 0, bytesIn: 0, bytesOut: 0, appends: 0, fetches: 0 };
  overrides: Readonly<Record<string, string>>;
  #leaderEpoch: number;
  readonly #options: PartitionOptions;
  readonly #listeners = new Set<() => void>();

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.partition = options.partition;
    this.topicId = options.topicId;
    this.logDir = options.logDir;
    this.log = options.log;
    this.overrides = options.overrides;
    this.#leaderEpoch = Math.max(options.leaderEpoch, options.log.epochs.latest, 0);
  }
  get config(): LogConfig {
    return this.log.config;
  }
  get logStartOffset(): number {
    return this.log.startOffset;
  }
  get highWatermark(): number {
    return this.log.endOffset;
  }
  get lastStableOffset(): number {
    return Math.min(this.log.endOffset, Math.max(this.log.producers.firstUnstableOffset, this.log.startOffset));
  }
  get logEndOffset(): number {
    return this.log.endOffset;
  }
  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }
  get sizeBytes(): number {
    return this.log.sizeBytes;
  }

  get segmentCount(): number {
    return this.log.segments.all.length;
  }

  append(records: Buffer, options: AppendOptions): AppendResult {
    this.#checkEpoch(options.leaderEpoch);
    return this.#appended(records.length, () => this.log.append(records, options.origin, this.#leaderEpoch));
  }
  appendEndTransactionMarker(marker: EndTransactionMarker): AppendResult {
    this.#checkEpoch(-1);
    const batch = markerBatch(marker, this.log.clock.now());
    return this.#appended(batch.length, () => {
      this.log.producers.checkMarker(marker.producerId, marker.producerEpoch, marker.coordinatorEpoch);
      return this.log.append(batch, "coordinator", this.#leaderEpoch);
    });
  }
  #appended(bytes: number, write: () => LogAppend): AppendResult {
    const done = translated(write);
    if (!done.duplicate) {
      this.appendedBytes += bytes;
      this.traffic.bytesIn += bytes;
      this.traffic.recordsIn += done.lastOffset - done.baseOffset + 1;
      this.traffic.appends++;
      this.#notify();
    }
    return {
      baseOffset: done.baseOffset,
      lastOffset: done.lastOffset,
      logAppendTimeMs: done.logAppendTimeMs,
      logStartOffset: this.log.startOffset,
      duplicate: done.duplicate,
    };
  }
  hasOngoingTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.log.producers.entries.get(producerId);
    return entry !== undefined && entry.currentTxnFirstOffset >= 0 && entry.epoch === producerEpoch;
  }
  get storageError(): Error | null {
    return this.#options.storageErrorOf?.(this.logDir) ?? null;
  }
  #checkEpoch(epoch: number | undefined): void {
    const offline = this.storageError;
    if (offline !== null) throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `${this.log.name}: ${this.logDir} is offline`, offline);
    if (this.log.isClosed) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `${this.log.name} was deleted`);
    if (epoch === undefined || epoch < 0 || epoch === this.#leaderEpoch) return;
    const stale = epoch < this.#leaderEpoch;
    throw new KafkaError(
      stale ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH,
      `${this.log.name}: leader epoch ${epoch} in the request, ${this.#leaderEpoch} here`,
    );
  }

  read(options: ReadOptions): ReadResult {
    this.#checkEpoch(options.leaderEpoch);
    const upTo = this.#bound(options.isolation);
    return this.#result(
      options,
      translated(() => this.log.read({ ...options, upTo })),
    );
  }
  async readAsync(options: ReadOptions): Promise<ReadResult> {
    this.#checkEpoch(options.leaderEpoch);
    const upTo = this.#bound(options.isolation);
    try {
      return this.#result(options, await this.log.readAsync({ ...options, upTo }));
    } catch (error) {
      throw toKafkaError(error);
    }
  }
  isCold(offset: number, maxBytes: number): boolean {
    const segments = this.log.segments.all;
    const warmFrom = segments[segments.length - WARM_SEGMENTS]?.baseOffset ?? 0;
    return maxBytes > SYNC_READ_BYTES_MAX || (offset < warmFrom && maxBytes > 65_536);
  }
  #bound(isolation: Isolation): number {
    return isolation === "read_committed" ? this.lastStableOffset : this.log.endOffset;
  }
  #result(options: ReadOptions, records: Buffer): ReadResult {
    const committed = options.isolation === "read_committed";
    return {
      records,
      highWatermark: this.log.endOffset,
      lastStableOffset: this.lastStableOffset,
      logStartOffset: this.log.startOffset,
      abortedTransactions: committed ? this.#aborted(options.offset, records) : null,
    };
  }
  #aborted(from: number, records: Buffer): { producerId: number; firstOffset: number }[] {
    if (records.length === 0) return [];
    let end = from;
    for (let pos = 0; pos < records.length; pos += sizeOf(records, pos)) end = lastOffsetOf(records, pos) + 1;
    return this.log.abortedTransactions(from, end).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  offsetForTime(timestampMs: number, isolation: Isolation): TimestampOffset {
    const log = this.log;
    switch (timestampMs) {
      case LATEST:
        return { timestampMs: -1, offset: this.#bound(isolation), leaderEpoch: this.#leaderEpoch };
      case EARLIEST:
      case EARLIEST_LOCAL:
        return { timestampMs: -1, offset: log.startOffset, leaderEpoch: log.epochs.epochOf(log.startOffset) };
      case LATEST_TIERED:
        return { timestampMs: -1, offset: -1, leaderEpoch: -1 };
      default:
    }
    const found = translated(() => (timestampMs === MAX_TIMESTAMP ? offsetOfMaxTimestamp(log) : offsetByTimestamp(log, timestampMs)));
    if (found === null || found.offset >= this.#bound(isolation)) return { timestampMs: -1, offset: -1, leaderEpoch: -1 };
    return { timestampMs: found.timestampMs, offset: found.offset, leaderEpoch: log.epochs.epochOf(found.offset) };
  }
  offsetForLeaderEpoch(leaderEpoch: number): EpochEndOffset {
    if (leaderEpoch === this.#leaderEpoch) return { leaderEpoch, endOffset: this.log.endOffset };
    const end = this.log.epochs.endOffsetOf(leaderEpoch, this.log.endOffset);
    return { leaderEpoch: end.epoch, endOffset: end.endOffset };
  }
  deleteRecords(beforeOffset: number): number {
    if (!this.config.delete) {
      throw new KafkaError(ErrorCode.POLICY_VIOLATION, `Records of ${this.log.name} can not be deleted due to cleanup.policy compact`);
    }
    const target = beforeOffset === -1 ? this.highWatermark : beforeOffset;
    if (target < 0 || target > this.highWatermark) {
      throw new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE, `${this.log.name}: cannot delete records before ${beforeOffset}`);
    }
    if (translated(() => this.log.advanceStart(target))) {
      this.#options.onStartMoved();
      this.#notify();
    }
    return this.log.startOffset;
  }
  describeProducers(): ActiveProducer[] {
    return Array.from(this.log.producers.entries.values(), (entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }));
  }

  subscribe(onAppend: () => void): () => void {
    this.#listeners.add(onAppend);
    return () => this.#listeners.delete(onAppend);
  }
  /** Also when the partition goes away: waiters must look again. */
  notifyWaiters(): void {
    this.#notify();
  }
  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
  setLeaderEpoch(epoch: number): void {
    this.#leaderEpoch = Math.max(this.#leaderEpoch, epoch);
  }
  updateConfig(overrides: Readonly<Record<string, string>>): void {
    this.log.config = this.#options.resolveConfig(overrides);
    this.overrides = overrides;
  }
  flush(): void {
    translated(() => this.log.flush());
  }
}
