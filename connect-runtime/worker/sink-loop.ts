/** poll → converters and transforms → put → flush → commit: the loop of a sink task. */
import type { ConsumedRecord, Consumer, TopicPartition } from "#broker/client/types";
import type { SinkConnectorPlugin, SinkTask, SinkTaskContext } from "../api/connector.ts";
import { ConnectError, RetriableError } from "../api/errors.ts";
import type { SinkRecord } from "../api/record.ts";
import type { DeadLetterQueue } from "./dead-letter.ts";
import { type FailurePolicy, retryDelayMs } from "./failure.ts";
import type { RecordReader } from "./record-reader.ts";
import { SinkCommitter } from "./sink-committer.ts";
import { SinkPartitions } from "./sink-partitions.ts";
import { SinkPositions } from "./sink-positions.ts";
import type { TaskHost } from "./task-host.ts";

export interface SinkLoopOptions {
  readonly host: TaskHost;
  readonly plugin: SinkConnectorPlugin;
  readonly consumer: Consumer;
  readonly reader: RecordReader;
  readonly failures: FailurePolicy;
  readonly deadLetters: DeadLetterQueue | null;
  readonly subscription: readonly string[] | RegExp;
}
/** What was polled together and is put together. */
interface Batch {
  consumed: readonly ConsumedRecord[];
  records: readonly SinkRecord[];
}
const POLL_MS = 1_000;
const TOPIC_REPORT_MS = 1_000;
const PUT_RETRY_MAX_MS = 10_000;

const unrecoverable = (cause: unknown): ConnectError =>
  new ConnectError("Exiting WorkerSinkTask due to unrecoverable exception.", { causeClass: "bug", cause });

export class SinkLoop {
  readonly #o: SinkLoopOptions;
  readonly #task: SinkTask;
  readonly #positions = new SinkPositions();
  readonly #partitions: SinkPartitions;
  readonly #committer: SinkCommitter;
  readonly #topicReported = new Map<string, number>();
  #batch: Batch | null = null;
  #putAttempts = 0;
  #putAgainAt = 0;
  #rebalanceError: unknown = null;
  #ended = false;

  constructor(options: SinkLoopOptions) {
    this.#o = options;
    const { host, consumer, deadLetters } = options;
    this.#partitions = new SinkPartitions(consumer, this.#positions);
    this.#task = options.plugin.task(host.taskConfig, this.#context());
    this.#committer = new SinkCommitter({ host, consumer, task: this.#task, positions: this.#positions, deadLetters });
  }
  async run(): Promise<void> {
    const { host, consumer } = this.#o;
    const wake = (): void => consumer.wakeup();
    host.stop.addEventListener("abort", wake);
    host.target.onChange = wake;
    try {
      await this.#task.start();
      consumer.subscribe(this.#o.subscription, {
        revoked: (partitions) => this.#rebalance(() => this.#revoked(partitions)),
        assigned: (partitions) => this.#rebalance(() => this.#assigned(partitions)),
        lost: (partitions) => this.#rebalance(() => this.#closed(partitions)),
      });
      host.state("RUNNING");
      while (!host.stop.aborted) await this.#iterate();
    } finally {
      host.stop.removeEventListener("abort", wake);
      host.target.onChange = null;
      await this.#finish();
    }
  }
  async #iterate(): Promise<void> {
    const { host, consumer } = this.#o;
    this.#followTarget();
    if (this.#committer.due()) await this.#commit();
    const waitMs = this.#batch === null ? POLL_MS : Math.max(0, Math.min(POLL_MS, this.#putAgainAt - host.clock.monotonic()));
    const consumed = await consumer.poll(Math.min(waitMs, this.#committer.msUntilDue()));
    if (this.#rebalanceError !== null) throw this.#rebalanceError;
    if (this.#batch !== null) {
      if (host.clock.monotonic() >= this.#putAgainAt) await this.#put(this.#batch);
      return;
    }
    if (consumed.length === 0 || host.stop.aborted) return;
    this.#positions.begun(consumed);
    host.counters.add("sink-record-read-total", consumed.length);
    const batch: Batch = { consumed, records: [] };
    this.#batch = batch;
    host.atWork();
    batch.records = await this.#convert(consumed);
    await this.#put(batch);
  }
  async #convert(consumed: readonly ConsumedRecord[]): Promise<SinkRecord[]> {
    const { reader } = this.#o;
    const records: SinkRecord[] = [];
    let topic = "";
    for (const raw of consumed) {
      if (raw.topic !== topic) this.#topicUsed((topic = raw.topic));
      let record: SinkRecord | null;
      try {
        record = reader.read(raw);
      } catch (error) {
        record = await this.#recover(raw, error);
      }
      if (record !== null) records.push(record);
    }
    return records;
  }
  async #recover(raw: ConsumedRecord, first: unknown): Promise<SinkRecord | null> {
    const { reader, failures, host } = this.#o;
    const outcome = await failures.retry(first, () => reader.resume(raw));
    if (outcome.ok) return outcome.value;
    if (host.stop.aborted) throw outcome.error;
    failures.settle({ stage: reader.stage, className: reader.stageClass(), error: outcome.error, consumed: raw, source: null });
    await this.#o.deadLetters?.room();
    return null;
  }
  async #put(batch: Batch): Promise<void> {
    const { host } = this.#o;
    const started = host.clock.monotonic();
    try {
      if (batch.records.length > 0) await this.#task.put(batch.records);
    } catch (error) {
      if (!(error instanceof RetriableError)) throw unrecoverable(error);
      return this.#putLater(error);
    }
    if (batch.records.length > 0) host.counters.batch(batch.records.length, host.clock.monotonic() - started);
    host.counters.add("sink-record-send-total", batch.records.length);
    this.#positions.delivered(batch.consumed);
    this.#countActive();
    this.#batch = null;
    if (this.#putAttempts > 0) {
      this.#partitions.resumeAll("retry");
      this.#o.host.state("RUNNING");
    }
    this.#putAttempts = 0;
    this.#partitions.applySeeks();
  }
  /** The consumer is polled on meanwhile, paused, so that the group does not lose this member. */
  #putLater(error: RetriableError): void {
    const { host } = this.#o;
    const delayMs = retryDelayMs(++this.#putAttempts, PUT_RETRY_MAX_MS, host.random);
    this.#putAgainAt = host.clock.monotonic() + delayMs;
    this.#partitions.pauseAll("retry");
    host.counters.add("total-retries");
    if (this.#putAttempts === 1) host.state("RUNNING", error);
    host.log.warn(`the sink asked to try again (attempt ${this.#putAttempts}), in ${Math.round(delayMs)} ms: ${error.message}`);
  }
  async #commit(): Promise<void> {
    const rewound = await this.#committer.commit();
    this.#countActive();
    if (!rewound) return;
    // What is in hand lies after the rewound positions and is read again.
    this.#batch = null;
    this.#putAttempts = 0;
    this.#partitions.resumeAll("retry");
  }
  #followTarget(): void {
    const { host } = this.#o;
    if (host.target.paused === this.#partitions.isPaused("target")) return;
    if (host.target.paused) this.#partitions.pauseAll("target");
    else this.#partitions.resumeAll("target");
    host.state(host.target.paused ? "PAUSED" : "RUNNING");
  }
  #topicUsed(topic: string): void {
    const { clock } = this.#o.host;
    const reported = this.#topicReported.get(topic);
    if (reported !== undefined && clock.monotonic() - reported < TOPIC_REPORT_MS) return;
    this.#topicReported.set(topic, clock.monotonic());
    this.#o.host.topicUsed(topic);
  }
  /** Errors of a rebalance end the task from the loop: the consumer must not be left half way. */
  async #rebalance(run: () => Promise<void>): Promise<void> {
    if (this.#ended) return;
    try {
      await run();
    } catch (error) {
      this.#rebalanceError ??= error;
    }
  }
  async #assigned(partitions: readonly TopicPartition[]): Promise<void> {
    this.#partitions.assigned(partitions);
    this.#countPartitions();
    if (partitions.length > 0) await this.#task.opened?.(partitions);
  }
  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    try {
      await this.#committer.commitOf(partitions);
    } catch (error) {
      this.#o.host.log.warn(`offsets of revoked partitions were not committed, their records will come again: ${String(error)}`);
    }
    await this.#closed(partitions);
  }
  async #closed(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const gone = new Set(partitions.map((p) => `${p.topic}\n${p.partition}`));
    if (this.#batch !== null) {
      this.#batch.consumed = this.#batch.consumed.filter((r) => !gone.has(`${r.topic}\n${r.partition}`));
      this.#batch.records = this.#batch.records.filter((r) => !gone.has(`${r.originalTopic}\n${r.originalPartition}`));
    }
    this.#partitions.gone(partitions);
    this.#countPartitions();
    this.#countActive();
    await this.#task.closed?.(partitions);
  }
  #countPartitions(): void {
    this.#o.host.counters.set("partition-count", this.#partitions.count);
  }
  #countActive(): void {
    this.#o.host.counters.set("sink-record-active-count", this.#positions.active());
  }
  /** Whatever ended the loop: what has been put is flushed and committed, so that a restart repeats as little as possible. */
  async #finish(): Promise<void> {
    const { host, consumer } = this.#o;
    const step = async (what: string, run: () => Promise<void> | undefined): Promise<void> => {
      try {
        await run();
      } catch (error) {
        host.log.warn(`${what} failed while task ${host.id.connector}-${host.id.task} was closing: ${String(error)}`);
      }
    };
    const assigned = consumer.assignment();
    this.#ended = true;
    await step("committing offsets", () => this.#committer.commitOf(null));
    this.#countActive();
    if (assigned.length > 0) await step("closing partitions", () => this.#task.closed?.(assigned));
    await step("stopping the sink", () => this.#task.stop());
  }
  #context(): SinkTaskContext {
    const { host, failures, plugin } = this.#o;
    const reportErrant = async (record: SinkRecord, error: Error): Promise<void> => {
      const consumed = this.#batch?.consumed.find(
        (r) => r.offset === record.originalOffset && r.partition === record.originalPartition && r.topic === record.originalTopic,
      );
      failures.settle({ stage: "TASK_PUT", className: plugin.taskClass, error, consumed: consumed ?? null, source: null });
      // The queue may only fill while its producer can keep up: the batch waits here, offsets wait at the commit.
      await this.#o.deadLetters?.room();
    };
    return {
      connectorName: host.id.connector,
      taskId: host.id.task,
      log: host.log,
      metrics: { gauge: (name, value, labels = {}) => host.gauge(name, value, labels) },
      signal: host.stop,
      reportErrant: failures.toleratesAll ? reportErrant : null,
      pause: (partitions) => this.#partitions.pauseByTask(partitions),
      resume: (partitions) => this.#partitions.resumeByTask(partitions),
      seek: (partition, offset) => this.#partitions.seek(partition, offset),
    };
  }
}
