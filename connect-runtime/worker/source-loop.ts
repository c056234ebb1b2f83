/** poll → write → acknowledged prefix → offsets: the loop of a source task. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Delivery, Producer } from "#broker/client/types";
import type { SourceTask } from "../api/connector.ts";
import { ConnectError, RetriableError } from "../api/errors.ts";
import type { SourceRecord } from "../api/record.ts";
import { isRecordError } from "./cause-class.ts";
import { DeliveryLedger, NOTHING_TO_SEND } from "./delivery-ledger.ts";
import type { FailurePolicy } from "./failure.ts";
import { retryDelayMs } from "./failure.ts";
import type { Outcome, RecordWriter } from "./record-writer.ts";
import { PeriodicCommits } from "./periodic-commits.ts";
import type { RequestedBoundaries } from "./requested-boundaries.ts";
import type { SourceDeadLetters } from "./source-dead-letters.ts";
import type { SourceCommits } from "./source-commits.ts";
import type { TaskHost } from "./task-host.ts";
import { numberOf, stalledMsOf } from "./settings.ts";
import { isExactlyOnce, TransactionalCommits } from "./transactional-commits.ts";
import type { TopicRegistry } from "./topic-registry.ts";

export interface SourceLoopOptions {
  readonly host: TaskHost;
  readonly task: SourceTask;
  readonly producer: Producer;
  readonly writer: RecordWriter;
  readonly topics: TopicRegistry;
  readonly failures: FailurePolicy;
  /** Null: records that are skipped go nowhere. */
  readonly deadLetters?: SourceDeadLetters | null;
  /** Where the task itself ends transactions; null: the worker does. */
  readonly boundaries: RequestedBoundaries | null;
  /** `buffer.memory` of the producer: above it the loop waits. */
  readonly bufferMax: number;
}
const TURN_MS = 5;
const STALL_MS = 3_000;
const TOPIC_REPORT_MS = 1_000;
const POLL_RETRY_MAX_MS = 10_000;
const CLOSING_FLUSH_SHARE = 0.8;

export class SourceLoop {
  readonly #o: SourceLoopOptions;
  readonly #ledger = new DeliveryLedger();
  readonly #commits: SourceCommits;
  readonly #topicReported = new Map<string, number>();
  #turnStarted = 0;
  #pollFailures = 0;
  /** The status says that poll does not come back. */
  #toldStalled = false;

  constructor(options: SourceLoopOptions) {
    this.#o = options;
    const { host, producer, boundaries } = options;
    const commits = { host, producer, boundaries, ledger: this.#ledger, advance: () => this.#advance() };
    this.#commits = isExactlyOnce(options.host.workerConfig) ? new TransactionalCommits(commits) : new PeriodicCommits(commits);
    options.producer.onSettled = (delivery) => this.#settled(delivery);
  }
  async run(): Promise<void> {
    const { host, task } = this.#o;
    await this.#commits.open();
    await task.start();
    host.state("RUNNING");
    this.#turnStarted = host.clock.monotonic();
    host.counters.set("poll-since-ms", 0);
    const stalls = this.#watchStalls();
    let failed = true;
    try {
      while (!host.stop.aborted) {
        this.#advance();
        await this.#commits.afterBatch();
        await this.#commits.tellDurable(task);
        if (host.target.paused) await this.#pause();
        else await this.#pollOnce();
      }
      failed = false;
    } finally {
      stalls.abort();
      await this.#finish(failed);
    }
  }
  /** Looks whether the topic is still there when one delivery has been on its way for a while, and whether poll comes back. */
  #watchStalls(): AbortController {
    const { host, topics } = this.#o;
    const ended = new AbortController();
    const look = async (): Promise<void> => {
      for (let last: Delivery | null = null; !ended.signal.aborted; await host.clock.sleep(STALL_MS, ended.signal)) {
        const head = this.#ledger.waitingFor;
        if (head !== null && head === last && head.state === "pending") {
          await topics
            .revive(head.topic)
            .catch((error: unknown) => host.log.warn(`topic ${head.topic} cannot be looked for: ${String(error)}`));
        }
        last = head;
        this.#watchPoll();
      }
    };
    void look();
    return ended;
  }
  #watchPoll(): void {
    const { host } = this.#o;
    const since = host.counters.get("poll-since-ms");
    const ageMs = host.clock.now() - since;
    if (since === 0 || this.#toldStalled || ageMs < stalledMsOf(host.workerConfig)) return;
    this.#toldStalled = true;
    host.state("RUNNING", new ConnectError(`stalled: the source has not come back from poll for ${Math.round(ageMs / 1000)} s`));
  }
  async #pause(): Promise<void> {
    const { host, task } = this.#o;
    host.state("PAUSED");
    while (host.target.paused && !host.stop.aborted) {
      await host.target.changed(host.clock, 200, host.stop);
      this.#advance();
      await this.#commits.afterBatch();
      await this.#commits.tellDurable(task);
    }
    if (!host.stop.aborted) host.state("RUNNING");
  }
  async #pollOnce(): Promise<void> {
    const { host, task, producer } = this.#o;
    const started = host.clock.monotonic();
    let records: readonly SourceRecord[];
    host.atWork();
    host.counters.set("poll-since-ms", host.clock.now());
    try {
      records = await task.poll();
    } catch (error) {
      return this.#pollFailed(error);
    } finally {
      host.counters.set("poll-since-ms", 0);
    }
    if (this.#pollFailures > 0 || this.#toldStalled) host.state("RUNNING");
    this.#toldStalled = false;
    this.#pollFailures = 0;
    if (records.length > 0) {
      host.counters.add("source-record-poll-total", records.length);
      host.counters.batch(records.length, host.clock.monotonic() - started);
      this.#commits.beforeBatch();
      host.atWork();
      await this.#deliver(records);
      if (this.#o.boundaries !== null) await this.#commits.batchSent?.();
      host.counters.set("source-record-active-count", this.#ledger.records);
    }
    // A poll that never waits would keep sockets, timers and the heartbeat from running.
    if (host.clock.monotonic() - this.#turnStarted > TURN_MS) {
      await nextTurn();
      this.#turnStarted = host.clock.monotonic();
    }
    if (producer.bufferedBytes >= this.#o.bufferMax) await this.#room();
  }
  async #pollFailed(error: unknown): Promise<void> {
    const { host } = this.#o;
    if (host.stop.aborted) return;
    if (!(error instanceof RetriableError)) throw error;
    const delayMs = retryDelayMs(++this.#pollFailures, POLL_RETRY_MAX_MS, host.random);
    if (this.#pollFailures === 1) host.state("RUNNING", error);
    host.log.warn(`failed to poll records from the source, trying again in ${Math.round(delayMs)} ms: ${error.message}`);
    await host.clock.sleep(delayMs, host.stop);
  }
  async #deliver(records: readonly SourceRecord[]): Promise<void> {
    const { host, writer, producer, bufferMax, boundaries } = this.#o;
    const now = host.clock.now();
    let sent = 0;
    for (const record of records) {
      let outcome: Outcome | "skipped";
      try {
        outcome = writer.write(record, now);
      } catch (error) {
        outcome = await this.#recover(record, error, now);
      }
      if (outcome === "topic-unknown") outcome = await this.#writeToNewTopic(record, now);
      if (outcome === "sent") {
        this.#ledger.add(writer.delivery, record.sourcePartition, record.sourceOffset);
        sent++;
      } else if (outcome === "dropped") this.#ledger.add(NOTHING_TO_SEND, record.sourcePartition, record.sourceOffset);
      if (boundaries !== null) await this.#commits.afterRecord?.(record);
      if (producer.bufferedBytes >= bufferMax && !(await this.#room())) break;
    }
    host.counters.add("source-record-write-total", sent);
  }
  /** False: the task has to stop; what follows in the batch is not sent, and its offsets are not passed. */
  async #room(): Promise<boolean> {
    const { host, producer } = this.#o;
    while (producer.bufferedBytes >= this.#o.bufferMax && !host.stop.aborted) {
      await untilStop(producer.room(), host.stop);
      this.#advance();
      // A producer that has failed for good has room at once: its I/O must still get its turn to say so.
      if (producer.bufferedBytes >= this.#o.bufferMax) await nextTurn();
    }
    this.#turnStarted = host.clock.monotonic();
    return !host.stop.aborted;
  }
  async #writeToNewTopic(record: SourceRecord, now: number): Promise<Outcome | "skipped"> {
    const { writer, topics, host } = this.#o;
    await topics.ensure(writer.transformed?.topic ?? record.topic, host.stop);
    try {
      return writer.resume(now);
    } catch (error) {
      return this.#recover(record, error, now);
    }
  }
  async #recover(record: SourceRecord, first: unknown, now: number): Promise<Outcome | "skipped"> {
    const { writer, failures, host } = this.#o;
    if (writer.stage === "KAFKA_PRODUCE") return this.#producerRefused(record, first);
    const outcome = await failures.retry(first, () => writer.resume(now));
    if (outcome.ok) return outcome.value === "topic-unknown" ? this.#writeToNewTopic(record, now) : outcome.value;
    if (host.stop.aborted) throw outcome.error;
    const failure = { stage: writer.stage, className: writer.stageClass(), error: outcome.error, consumed: null, source: record };
    failures.settle(failure);
    const delivery = this.#o.deadLetters?.send(failure, now) ?? null;
    // The record's offset is passed when the queue has it, like that of any other.
    if (delivery !== null) this.#ledger.add(delivery, record.sourcePartition, record.sourceOffset);
    return "skipped";
  }
  #producerRefused(record: SourceRecord, error: unknown): "skipped" {
    const { failures, writer } = this.#o;
    // With `errors.tolerance=all` a record that would fail again is skipped, as in Kafka Connect.
    if (!failures.toleratesAll || !isRecordError(error)) throw producerFailure(error);
    failures.settle({ stage: "KAFKA_PRODUCE", className: writer.stageClass(), error, consumed: null, source: record });
    return "skipped";
  }
  /** Passes what is acknowledged. Throws when the prefix ends at a delivery that failed for good. */
  #advance(): void {
    const { failures, host } = this.#o;
    for (;;) {
      const failed = this.#ledger.advance();
      if (failed === null) return;
      const lastResort = failed.topic === this.#o.deadLetters?.topic;
      if (lastResort || !failures.toleratesAll || !isRecordError(failed.error)) throw producerFailure(failed.error);
      const lost = this.#ledger.skipHead();
      host.counters.add("total-records-skipped", lost);
      host.log.error(`skipped ${lost} records that topic ${failed.topic} refused: ${String(failed.error)}`);
    }
  }
  #settled(delivery: Delivery): void {
    // The topic of transactional offsets is none of the connector's.
    if (delivery.state !== "acked" || !this.#o.topics.has(delivery.topic)) return;
    const { clock } = this.#o.host;
    const reported = this.#topicReported.get(delivery.topic);
    if (reported !== undefined && clock.monotonic() - reported < TOPIC_REPORT_MS) return;
    this.#topicReported.set(delivery.topic, clock.monotonic());
    this.#o.host.topicUsed(delivery.topic);
  }
  async #finish(failed: boolean): Promise<void> {
    const { host, task } = this.#o;
    const limitMs = numberOf(host.workerConfig, "task.shutdown.graceful.timeout.ms", 5_000) * CLOSING_FLUSH_SHARE;
    try {
      await this.#commits.close(failed, limitMs);
      await this.#commits.tellDurable(task);
    } catch (error) {
      if (!failed) throw error;
      host.log.warn(`the last offset commit failed: ${String(error)}`);
    }
  }
}
/** Settles with the promise, or resolves when the signal is aborted; leaves no listener behind. */
function untilStop(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", stopped);
    promise.then(stopped, (error: unknown) => {
      signal.removeEventListener("abort", stopped);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    function stopped(): void {
      signal.removeEventListener("abort", stopped);
      resolve();
    }
  });
}
const producerFailure = (cause: unknown): ConnectError =>
  new ConnectError("Unrecoverable exception from producer send callback", {
    causeClass: isRecordError(cause) ? "data" : "transient",
    cause,
  });
