/**
 * Fetch (1), versions 4-18. Sessions per KIP-227, topics by id from 13 on, isolation level with aborted transactions.
 * Waits up to maxWaitMs for minBytes; the first batch of an answer is given whole even if it is larger than asked (KIP-74).
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnTopic } from "./authorization.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { fetch, type FetchResponse } from "../protocol/messages/fetch.ts";
import type { Encodable } from "../protocol/schema.ts";
import { type FetchOutcome, type FetchTarget, fetchWhenReady } from "../replication/purgatory.ts";
import type { Partition, ReadResult } from "../replication/types.ts";
import { absent } from "./absent-partition.ts";
import type { HandlerDeps } from "./deps.ts";
import { type FetchPartition, type FetchPlan, FetchSessions } from "./fetch-session.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

type PartitionResponse = FetchResponse["responses"][number]["partitions"][number];
const EMPTY = Buffer.alloc(0);
const NONE = { epoch: -1, endOffset: -1 };
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 };

export function fetchHandler(deps: HandlerDeps): Handler {
  const sessions = new FetchSessions(deps.config.fetchSessionsMax, deps.clock, deps.random);
  return handler(fetch, (context, request) => {
    const plan = sessions.plan(request, context.version);
    if (plan.errorCode !== ErrorCode.NONE) return { errorCode: plan.errorCode, sessionId: 0, responses: [] };
    const follower = request.replicaId >= 0 || request.replicaState.replicaId >= 0;
    const targets: FetchTarget[] = [];
    /** Per partition of the plan: its place among the targets, or why it has none. */
    const places = plan.partitions.map((wanted) => {
      const partition = find(deps, context, wanted, follower);
      if (partition instanceof KafkaError) return partition;
      targets.push({ partition, offset: wanted.fetchOffset, maxBytes: wanted.partitionMaxBytes, leaderEpoch: wanted.currentLeaderEpoch });
      return targets.length - 1;
    });
    const refusedSome = targets.length < places.length;
    const outcomes = fetchWhenReady(deps.clock, targets, {
      minBytes: request.minBytes,
      maxBytes: Math.min(request.maxBytes, deps.config.fetchMaxBytes, deps.quotas.fetchBytesMax(context)),
      maxWaitMs: refusedSome ? 0 : request.maxWaitMs,
      isolation: request.isolationLevel === 1 ? "read_committed" : "read_uncommitted",
      signal: context.signal,
    });
    const settle = (settled: readonly FetchOutcome[]): Encodable<FetchResponse> => {
      const throttleTimeMs = deps.quotas.active ? deps.quotas.fetch(context, bytesOf(settled)) : 0;
      // The client asks again for the same when it may; the session has told it nothing.
      if (throttleTimeMs > 0) {
        if (!plan.incremental) sessions.drop(plan.sessionId);
        return { throttleTimeMs, errorCode: ErrorCode.NONE, sessionId: plan.incremental ? plan.sessionId : 0, responses: [] };
      }
      countServed(deps, targets, settled);
      return answer(plan, places, settled);
    };
    return outcomes instanceof Promise ? outcomes.then(settle) : settle(outcomes);
  });
}
function find(deps: HandlerDeps, context: RequestContext, wanted: FetchPartition, follower: boolean): Partition | KafkaError {
  let name = wanted.topic;
  if (context.version >= 13) {
    const topic = deps.controller.image.topicsById.get(wanted.topicId);
    if (topic === undefined) return new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID);
    name = topic.name;
  }
  const may = follower ? mayOnCluster(context, AclOperation.CLUSTER_ACTION) : mayOnTopic(context, AclOperation.READ, name);
  if (!may) return new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  return deps.logs.get(name, wanted.partition) ?? absent(deps, name, wanted.partition);
}
function countServed(deps: HandlerDeps, targets: readonly FetchTarget[], outcomes: readonly FetchOutcome[]): void {
  for (const [index, { partition }] of targets.entries()) {
    const outcome = outcomes[index];
    partition.traffic.fetches++;
    if (outcome instanceof KafkaError) deps.refusals.failedReads++;
    else if (outcome !== undefined) partition.traffic.bytesOut += outcome.records.length;
  }
}
/** What the answer weighs, the fields of a partition taken as a round number. */
const PARTITION_BYTES = 64;
function bytesOf(outcomes: readonly FetchOutcome[]): number {
  let bytes = 0;
  for (const outcome of outcomes) bytes += PARTITION_BYTES + (outcome instanceof KafkaError ? 0 : outcome.records.length);
  return bytes;
}
const succeeded = (partitionIndex: number, read: ReadResult): PartitionResponse => ({
  partitionIndex,
  errorCode: ErrorCode.NONE,
  highWatermark: read.highWatermark,
  lastStableOffset: read.lastStableOffset,
  logStartOffset: read.logStartOffset,
  divergingEpoch: NONE,
  currentLeader: NO_LEADER,
  snapshotId: NONE,
  abortedTransactions: read.abortedTransactions === null ? null : [...read.abortedTransactions],
  preferredReadReplica: -1,
  records: read.records,
});
const refused = (partitionIndex: number, errorCode: number): PartitionResponse => ({
  partitionIndex,
  errorCode,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  divergingEpoch: NONE,
  currentLeader: NO_LEADER,
  snapshotId: NONE,
  abortedTransactions: [],
  preferredReadReplica: -1,
  records: EMPTY,
});

/** By topic, in the order of the plan. In a session only what the client does not know yet. */
function answer(plan: FetchPlan, places: readonly (number | KafkaError)[], outcomes: readonly FetchOutcome[]): Encodable<FetchResponse> {
  const topics = new Map<string, FetchResponse["responses"][number]>();
  for (const [index, wanted] of plan.partitions.entries()) {
    const place = places[index];
    const outcome = typeof place === "number" ? outcomes[place] : place;
    if (outcome === undefined) continue;
    const failed = outcome instanceof KafkaError;
    const response = failed ? refused(wanted.partition, outcome.code) : succeeded(wanted.partition, outcome);
    const size = failed ? 0 : outcome.records.length;
    const told = !failed && size === 0 && isTold(wanted, response);
    wanted.highWatermark = response.highWatermark;
    wanted.lastStableOffset = response.lastStableOffset;
    wanted.logStartOffset = response.logStartOffset;
    if (plan.incremental && told) continue;
    if (size > 0) plan.served(wanted);
    const key = `${wanted.topic}/${wanted.topicId}`;
    let topic = topics.get(key);
    if (topic === undefined) topics.set(key, (topic = { topic: wanted.topic, topicId: wanted.topicId, partitions: [] }));
    topic.partitions.push(response);
  }
  return { errorCode: ErrorCode.NONE, sessionId: plan.sessionId, responses: [...topics.values()] };
}
const isTold = (known: FetchPartition, now: PartitionResponse): boolean =>
  known.highWatermark === now.highWatermark &&
  known.lastStableOffset === now.lastStableOffset &&
  known.logStartOffset === now.logStartOffset;
