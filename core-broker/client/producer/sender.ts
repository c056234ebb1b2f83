/**
 * Sends batches to the leaders of their partitions: several partitions in one request, up to
 * `max.in.flight.requests.per.connection` requests per broker, and sees each batch to its end (acked, retried, failed).
 */
import type { Timer } from "../../base/clock.ts";
import { ErrorCode, errorName, KafkaError } from "../../protocol/errors.ts";
import { produce, type ProduceResponse } from "../../protocol/messages/index.ts";
import { ZERO_UUID } from "../../protocol/schema.ts";
import { backoffMs } from "../backoff.ts";
import type { Cluster } from "../cluster.ts";
import type { Connection } from "../connection.ts";
import { shouldRetry } from "../retry.ts";
import type { Accumulator } from "./accumulator.ts";
import type { Batch } from "./batch.ts";
import type { ProducerConfig } from "./config.ts";
import { type ProducerIdentity, sequenceAfter } from "./identity.ts";
import { lingersUntil } from "./linger.ts";
import type { PartitionQueue } from "./partition-queue.ts";
import { splitBatch } from "./split.ts";
import { verdict } from "./verdict.ts";

/** What a transaction has to say about sending. */
export interface TransactionGate {
  /** False while the partition has to be added to the transaction first; `wake` is called when it is. */
  admits(queue: PartitionQueue): boolean;
  /** Highest Produce version: before transactions v2 the implicit adding of partitions (v12) must not be used. */
  readonly produceVersionMax: number;
  /** `sequenced`: it has used up sequence numbers. */
  batchFailed(error: Error, sequenced: boolean): void;
}
interface InFlightRequest {
  readonly nodeId: number;
  readonly batches: readonly Batch[];
  readonly queues: readonly PartitionQueue[];
  readonly namesById: ReadonlyMap<string, string>;
}
/** First Produce version that names topics by id (KIP-516). */
const TOPIC_ID_VERSION = 13;

export class Sender {
  flushing = 0;
  gate: TransactionGate | null = null;
  onSettled: ((batch: Batch) => void) | null = null;
  onFatal: ((error: Error) => void) | null = null;
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #accumulator: Accumulator;
  readonly #identity: ProducerIdentity;
  readonly #inFlight = new Map<number, number>();
  readonly #connecting = new Set<number>();
  #drainScheduled = false;
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #turn = 0;
  #stoppedBy: Error | null = null;

  constructor(cluster: Cluster, config: ProducerConfig, accumulator: Accumulator, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#config = config;
    this.#accumulator = accumulator;
    this.#identity = identity;
  }
  /** Something may be sendable. Runs after the current burst of appends, so that batches form. */
  wake = (): void => {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(() => {
      this.#drainScheduled = false;
      if (!this.#cluster.stopped.aborted) this.#drain();
    });
  };
  /** Something may be sendable in `delayMs`. */
  wakeIn(delayMs: number): void {
    const at = this.#cluster.deps.clock.monotonic() + delayMs;
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#cluster.deps.clock.after(Math.max(1, delayMs), () => {
      this.#timerAt = Infinity;
      this.wake();
    });
  }
  /** No more retries: what is not on the wire fails now, the rest when its request ends. */
  stop(error: Error): void {
    this.#stoppedBy = error;
    this.#timer?.cancel();
    this.dropUnsent(error);
  }

  #drain(): void {
    const now = this.#cluster.deps.clock.monotonic();
    const byLeader = new Map<number, PartitionQueue[]>();
    for (const queue of this.#accumulator.active) {
      this.#expire(queue, now);
      if (queue.empty) {
        if (queue.inFlight.length === 0) this.#accumulator.active.delete(queue);
        continue;
      }
      if (!this.#due(queue, now)) continue;
      const leader = this.#cluster.metadata.leaderOf(queue.topic, queue.partition);
      if (leader < 0) {
        this.#cluster.requestUpdate();
        this.wakeIn(this.#cluster.config.retryBackoffMs);
        continue;
      }
      const group = byLeader.get(leader);
      if (group === undefined) byLeader.set(leader, [queue]);
      else group.push(queue);
    }
    if (byLeader.size === 0) return;
    if (this.#config.idempotent && !this.#identity.known) {
      if (this.#config.transactionalId === null) this.#identity.acquire(this.wake, (error) => this.#refused(error));
      return;
    }
    for (const [leader, queues] of byLeader) this.#sendTo(leader, queues, now);
  }
  /** May the next batch of the queue go now? Where only time is missing, a timer is set. */
  #due(queue: PartitionQueue, now: number): boolean {
    if (queue.notBefore > now) {
      this.wakeIn(queue.notBefore - now);
      return false;
    }
    if (queue.inFlight.length > 0) {
      // Retries one at a time; a new identity only on a quiet partition; without sequences order needs one in flight.
      if (queue.retry.length > 0 || queue.needsReset || !this.#config.idempotent || this.#hasOldIdentity(queue)) return false;
      if (!queue.established || queue.inFlight.length >= this.#config.inFlightMax) return false;
    }
    if (queue.retry.length > 0 || queue.ready.length > 0) return true;
    const open = queue.open;
    if (open === null) return false;
    const wait = lingersUntil(queue, open, this.#config) - now;
    if (wait <= 0 || this.flushing > 0 || this.#accumulator.bufferedBytes >= this.#config.bufferMemoryBytes) return true;
    this.wakeIn(wait);
    return false;
  }
  #hasOldIdentity(queue: PartitionQueue): boolean {
    return queue.producerId !== this.#identity.producerId || queue.producerEpoch !== this.#identity.producerEpoch;
  }

  #sendTo(leader: number, queues: readonly PartitionQueue[], now: number): void {
    const connection = this.#cluster.readyConnection(leader, "produce");
    if (connection === null) return this.#connect(leader);
    for (;;) {
      if ((this.#inFlight.get(leader) ?? 0) >= this.#config.inFlightMax) return;
      const request = this.#collect(leader, queues, now);
      if (request.batches.length === 0) return;
      this.#send(connection, request);
    }
  }
  #connect(leader: number): void {
    if (this.#connecting.has(leader)) return;
    this.#connecting.add(leader);
    this.#cluster.connection(leader, "produce").then(
      () => {
        this.#connecting.delete(leader);
        this.wake();
      },
      (error: unknown) => {
        this.#connecting.delete(leader);
        if (this.#cluster.stopped.aborted) return;
        if (!shouldRetry(error)) return this.#refused(error instanceof Error ? error : new Error(String(error)));
        this.#cluster.requestUpdate();
        this.wakeIn(this.#cluster.config.reconnectBackoffMs);
      },
    );
  }
  /** At most one batch of each partition (Produce allows no more), until the request is full; another partition starts each time. */
  #collect(leader: number, queues: readonly PartitionQueue[], now: number): InFlightRequest {
    const batches: Batch[] = [];
    const taken: PartitionQueue[] = [];
    let size = 0;
    const start = this.#turn++ % queues.length;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(start + i) % queues.length];
      if (queue === undefined || queue.empty || !this.#due(queue, now)) continue;
      if (queue.sentTo !== leader && queue.inFlight.length > 0) continue;
      if (this.gate !== null && !this.gate.admits(queue)) continue;
      const next = queue.retry[0] ?? queue.ready[0] ?? queue.open;
      if (next === null) continue;
      const bytes = next.bytes?.length ?? next.builder.sizeBytes;
      if (batches.length > 0 && size + bytes > this.#config.requestBytesMax) continue;
      const batch = this.#take(queue);
      if (batch === null) continue;
      size += bytes;
      queue.sentTo = leader;
      queue.sentAt = now;
      queue.inFlight.push(batch);
      batches.push(batch);
      taken.push(queue);
    }
    const namesById = new Map<string, string>();
    for (const queue of taken) namesById.set(this.#cluster.metadata.topic(queue.topic)?.id ?? ZERO_UUID, queue.topic);
    return { nodeId: leader, batches, queues: taken, namesById };
  }
  #take(queue: PartitionQueue): Batch | null {
    const { codec, idempotent, transactionalId } = this.#config;
    if (queue.needsReset) this.#renumber(queue);
    // Epochs used up: the next drain asks for a new id first.
    if (idempotent && !this.#identity.known) return null;
    const batch = queue.retry.shift() ?? queue.ready.shift() ?? this.#accumulator.sealOpen(queue);
    if (batch === null) return null;
    if (!idempotent) {
      batch.finish(codec, false, -1, -1, -1);
    } else if (batch.sequence >= 0) {
      // Sent before (or part of what was): under the identity it had, so that the broker sees a duplicate as one.
      batch.finish(codec, transactionalId !== null, batch.producerId, batch.producerEpoch, batch.sequence);
    } else {
      if (this.#hasOldIdentity(queue)) queue.begin(this.#identity.producerId, this.#identity.producerEpoch);
      batch.finish(codec, transactionalId !== null, queue.producerId, queue.producerEpoch, queue.nextSequence);
      queue.nextSequence = sequenceAfter(queue.nextSequence, batch.count);
    }
    return batch;
  }
  /** Nothing is in flight: what waits gets sequences from 0 under a new epoch (KIP-360). */
  #renumber(queue: PartitionQueue): void {
    queue.needsReset = false;
    // A transactional producer gets its next epoch from the coordinator when the transaction is aborted.
    if (!this.#hasOldIdentity(queue) && this.#config.transactionalId === null) this.#identity.bump();
    queue.ready.unshift(...queue.retry.splice(0));
    for (const batch of queue.ready) batch.sequence = -1;
    queue.begin(-1, -1);
  }

  #send(connection: Connection, request: InFlightRequest): void {
    const { acks, requestTimeoutMs, transactionalId } = this.#config;
    const ids = request.queues.map((queue) => this.#cluster.metadata.topic(queue.topic)?.id ?? ZERO_UUID);
    const byId = ids.every((id) => id !== ZERO_UUID);
    const versionMax = Math.min(this.gate?.produceVersionMax ?? TOPIC_ID_VERSION, byId ? TOPIC_ID_VERSION : TOPIC_ID_VERSION - 1);
    this.#inFlight.set(request.nodeId, (this.#inFlight.get(request.nodeId) ?? 0) + 1);
    const failed = (error: unknown): void => this.#requestFailed(request, error);
    try {
      const version = connection.versionFor(produce, versionMax);
      const body = { transactionalId, acks, timeoutMs: requestTimeoutMs, topicData: topicData(request, ids, version) };
      if (acks === 0) {
        connection.sendOneWay(produce, body, version);
        for (let i = 0; i < request.batches.length; i++) this.#ack(request.queues[i], request.batches[i], -1);
        this.#answered(request);
        return;
      }
      connection.request(produce, body, { version, timeoutMs: requestTimeoutMs }).then(({ body }) => this.#handle(request, body), failed);
    } catch (error) {
      failed(error);
    }
  }
  #answered(request: InFlightRequest): void {
    this.#inFlight.set(request.nodeId, Math.max(0, (this.#inFlight.get(request.nodeId) ?? 1) - 1));
    this.wake();
  }
  #handle(request: InFlightRequest, body: ProduceResponse): void {
    const answers = new Map<string, ProduceResponse["responses"][number]["partitionResponses"][number]>();
    for (const topic of body.responses) {
      const name = topic.name === "" ? request.namesById.get(topic.topicId) : topic.name;
      for (const answer of topic.partitionResponses) answers.set(`${name}/${answer.index}`, answer);
    }
    let stale = false;
    for (let i = 0; i < request.batches.length; i++) {
      const batch = request.batches[i];
      const queue = request.queues[i];
      if (batch === undefined || queue === undefined) continue;
      const answer = answers.get(`${batch.topic}/${batch.partition}`);
      const code = answer?.errorCode ?? ErrorCode.NETWORK_EXCEPTION;
      if (code !== ErrorCode.NONE) stale = true;
      this.#judge(queue, batch, code, answer?.errorMessage ?? null, answer?.baseOffset ?? -1);
    }
    if (stale) this.#cluster.requestUpdate();
    this.#answered(request);
  }
  #requestFailed(request: InFlightRequest, error: unknown): void {
    const known = error instanceof KafkaError ? error : null;
    for (let i = 0; i < request.batches.length; i++) {
      const batch = request.batches[i];
      const queue = request.queues[i];
      if (batch === undefined || queue === undefined) continue;
      if (known !== null) this.#judge(queue, batch, known.code, known.message, -1);
      else this.#fail(queue, batch, error instanceof Error ? error : new Error(String(error)));
    }
    this.#cluster.requestUpdate();
    this.#answered(request);
  }

  #judge(queue: PartitionQueue, batch: Batch, code: number, message: string | null, baseOffset: number): void {
    const oldest = queue.isOldest(batch);
    const transactional = this.#config.transactionalId !== null;
    switch (verdict(code, { idempotent: this.#config.idempotent, transactional, oldest, records: batch.count })) {
      case "acked":
        return this.#ack(queue, batch, baseOffset);
      case "renumber":
        queue.needsReset = true;
        return this.#retry(queue, batch, code, message);
      case "retry":
        return this.#retry(queue, batch, code, message);
      case "split":
        queue.leave(batch);
        queue.putBack(splitBatch(batch));
        this.#accumulator.active.add(queue);
        return;
      case "failed":
        return this.#fail(queue, batch, sendError(batch, code, message));
      case "fatal":
        this.#fail(queue, batch, sendError(batch, code, message));
        return this.#fatal(sendError(batch, code, message));
    }
  }
  #retry(queue: PartitionQueue, batch: Batch, code: number, message: string | null): void {
    const { clock, random } = this.#cluster.deps;
    batch.attempts++;
    if (this.#stoppedBy !== null) return this.#fail(queue, batch, this.#stoppedBy);
    if (batch.attempts > this.#config.retriesMax) return this.#fail(queue, batch, sendError(batch, code, message));
    queue.leave(batch);
    queue.putBack([batch]);
    batch.error = sendError(batch, code, message);
    const wait = backoffMs(random, this.#cluster.config.retryBackoffMs, this.#cluster.config.retryBackoffMaxMs, batch.attempts - 1);
    queue.notBefore = clock.monotonic() + wait;
    this.#accumulator.active.add(queue);
    this.wakeIn(wait);
  }
  /** delivery.timeout.ms: only what is not on the wire; request.timeout.ms brings that back. */
  #expire(queue: PartitionQueue, now: number): void {
    const oldest = queue.retry[0] ?? queue.ready[0] ?? queue.open;
    if (oldest === null) return;
    const left = oldest.createdAt + this.#config.deliveryTimeoutMs - now;
    if (left > 0) return this.wakeIn(left);
    if (oldest === queue.retry[0]) queue.retry.shift();
    else if (oldest === queue.ready[0]) queue.ready.shift();
    else queue.open = null;
    const last = oldest.error === null ? "" : ` (last: ${oldest.error.message})`;
    const what = `Expiring ${oldest.count} record(s) for ${oldest.topic}-${oldest.partition}:${Math.round(now - oldest.createdAt)} ms has passed since batch creation${last}`;
    this.#fail(queue, oldest, new KafkaError(ErrorCode.REQUEST_TIMED_OUT, what, oldest.error ?? undefined));
    this.#expire(queue, now);
  }
  #ack(queue: PartitionQueue | undefined, batch: Batch | undefined, baseOffset: number): void {
    if (queue === undefined || batch === undefined) return;
    queue.leave(batch);
    if (batch.producerId === queue.producerId && batch.producerEpoch === queue.producerEpoch) queue.established = true;
    batch.state = "acked";
    batch.error = null;
    batch.baseOffset = baseOffset;
    this.#settle(batch);
  }
  #fail(queue: PartitionQueue, batch: Batch, error: Error): void {
    queue.leave(batch);
    // Whether the broker has it is not known, or its sequence is left out: the next one needs a fresh start.
    if (batch.sequence >= 0) queue.needsReset = true;
    batch.state = "failed";
    batch.error = error;
    this.gate?.batchFailed(error, batch.sequence >= 0);
    this.#settle(batch);
  }
  #settle(batch: Batch): void {
    this.#accumulator.release(batch, this.#config.acks !== 0);
    const whole = batch.parent;
    if (whole !== null) {
      if (batch.state === "failed") whole.error = batch.error;
      if (whole.baseOffset < 0) whole.baseOffset = batch.baseOffset;
      whole.partsOpen--;
      if (whole.partsOpen > 0) return;
      whole.state = whole.error === null ? "acked" : "failed";
      return this.#settle(whole);
    }
    const waiters = batch.waiters;
    batch.waiters = null;
    this.onSettled?.(batch);
    if (waiters !== null) for (const resolve of waiters) resolve();
  }
  /** Fails everything that is not on the wire (abort, close, fatal error). */
  dropUnsent(error: Error): void {
    for (const queue of this.#accumulator.queues()) {
      const waiting = [...queue.retry.splice(0), ...queue.ready.splice(0), ...(queue.open === null ? [] : [queue.open])];
      queue.open = null;
      for (const batch of waiting) {
        this.#fail(queue, batch, error);
      }
    }
  }
  /** Not let in, not authorised. Without transactions what comes later may fare better (rights are repaired). */
  #refused(error: Error): void {
    if (this.#config.transactionalId !== null) this.#fatal(error);
    else this.dropUnsent(error);
  }
  #fatal(error: Error): void {
    this.onFatal?.(error);
    this.dropUnsent(error);
  }
}

function sendError(batch: Batch, code: number, message: string | null): KafkaError {
  return new KafkaError(code, `${batch.topic}-${batch.partition}: ${message ?? errorName(code)}`);
}
function topicData(request: InFlightRequest, ids: readonly string[], version: number) {
  const topics = new Map<string, { name: string; topicId: string; partitionData: { index: number; records: Uint8Array | null }[] }>();
  request.batches.forEach((batch, i) => {
    const topicId = ids[i] ?? ZERO_UUID;
    let entry = topics.get(batch.topic);
    if (entry === undefined) {
      entry = { name: version >= TOPIC_ID_VERSION ? "" : batch.topic, topicId, partitionData: [] };
      topics.set(batch.topic, entry);
    }
    entry.partitionData.push({ index: batch.partition, records: batch.bytes });
  });
  return [...topics.values()];
}
