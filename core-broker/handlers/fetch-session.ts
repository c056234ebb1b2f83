/**
 * Fetch sessions (KIP-227): a client names all its partitions once and afterwards only what changed; the answer then holds
 * only partitions that have something new. Sessions are numbered for all connections; the least recently used one gives way.
 */
import { ErrorCode } from "../protocol/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { FetchRequest } from "../protocol/messages/fetch.ts";

/** min.incremental.fetch.session.eviction.ms: a session that was used more recently is not evicted. */
const EVICTION_MS = 120_000;
const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;

export interface FetchPartition {
  /** Empty when the topic was named by id. */
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  fetchOffset: number;
  partitionMaxBytes: number;
  currentLeaderEpoch: number;
  /** What the client was last told, in a session. */
  highWatermark: number;
  lastStableOffset: number;
  logStartOffset: number;
}
interface FetchSession {
  readonly id: number;
  readonly byId: boolean;
  /** In the order in which they are served: who got data goes to the end. */
  readonly partitions: Map<string, FetchPartition>;
  epoch: number;
  usedMs: number;
}
export interface FetchPlan {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly partitions: readonly FetchPartition[];
  /** Only partitions with news are answered. */
  readonly incremental: boolean;
  /** Served with data: goes to the end of the session's order. */
  served(partition: FetchPartition): void;
}
const keyOf = (topic: string, topicId: string, byId: boolean, partition: number): string => `${byId ? topicId : topic}/${partition}`;
const nothing = (): void => {};
const failure = (errorCode: number): FetchPlan => ({ errorCode, sessionId: 0, partitions: [], incremental: false, served: nothing });

export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>();
  readonly #slots: number;
  readonly #clock: Clock;
  readonly #random: Random;
  constructor(slots: number, clock: Clock, random: Random) {
    this.#slots = slots;
    this.#clock = clock;
    this.#random = random;
  }
  get count(): number {
    return this.#sessions.size;
  }
  /** The client is not told of this session. */
  drop(sessionId: number): void {
    this.#sessions.delete(sessionId);
  }
  /** `byId`: from version 13 on. */
  plan(request: FetchRequest, version: number): FetchPlan {
    const byId = version >= 13;
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.#sessions.delete(sessionId);
      const partitions = named(request, byId);
      const session = sessionEpoch === INITIAL_EPOCH && version >= 7 ? this.#open(partitions, byId) : null;
      return {
        errorCode: ErrorCode.NONE,
        sessionId: session?.id ?? 0,
        partitions: [...partitions.values()],
        incremental: false,
        served: nothing,
      };
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return failure(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    if (session.byId !== byId) return failure(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    if (session.epoch !== sessionEpoch) return failure(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    return this.#continue(session, request);
  }
  #continue(session: FetchSession, request: FetchRequest): FetchPlan {
    session.epoch = session.epoch === 0x7fff_ffff ? 1 : session.epoch + 1;
    session.usedMs = this.#clock.monotonic();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    for (const [key, wanted] of named(request, session.byId)) {
      const known = session.partitions.get(key);
      if (known === undefined) session.partitions.set(key, wanted);
      else {
        known.fetchOffset = wanted.fetchOffset;
        known.partitionMaxBytes = wanted.partitionMaxBytes;
        known.currentLeaderEpoch = wanted.currentLeaderEpoch;
      }
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf(topic, topicId, session.byId, partition));
    }
    return {
      errorCode: ErrorCode.NONE,
      sessionId: session.id,
      partitions: [...session.partitions.values()],
      incremental: true,
      served(partition) {
        const key = keyOf(partition.topic, partition.topicId, session.byId, partition.partition);
        if (session.partitions.delete(key)) session.partitions.set(key, partition);
      },
    };
  }
  /** Null: no slot is free, and none is old enough to be taken. */
  #open(partitions: Map<string, FetchPartition>, byId: boolean): FetchSession | null {
    const now = this.#clock.monotonic();
    if (this.#sessions.size >= this.#slots) {
      const oldest = this.#sessions.values().next().value;
      if (oldest === undefined || now - oldest.usedMs < EVICTION_MS) return null;
      this.#sessions.delete(oldest.id);
    }
    let id: number;
    do id = 1 + this.#random.below(0x7fff_fffe);
    while (this.#sessions.has(id));
    const session = { id, byId, partitions, epoch: 1, usedMs: now };
    this.#sessions.set(id, session);
    return session;
  }
}
function named(request: FetchRequest, byId: boolean): Map<string, FetchPartition> {
  const partitions = new Map<string, FetchPartition>();
  for (const { topic, topicId, partitions: wanted } of request.topics) {
    for (const { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch } of wanted) {
      partitions.set(keyOf(topic, topicId, byId, partition), {
        topic,
        topicId,
        partition,
        fetchOffset,
        partitionMaxBytes,
        currentLeaderEpoch,
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
      });
    }
  }
  return partitions;
}
