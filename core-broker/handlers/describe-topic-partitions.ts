/**
 * DescribeTopicPartitions (75), version 0 (KIP-966): topics by name, sorted, in pages of at most responsePartitionLimit
 * partitions; the cursor says where the next page begins.
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic, NOT_ASKED, topicOperations } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  describeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from "../protocol/messages/describe-topic-partitions.ts";
import type { PartitionImage } from "../controller/image.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { isInternalTopic, topicNameRefusal } from "../controller/topic-name.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

/** max.request.partition.size.limit */
const PARTITIONS_MAX = 2000;
type Topic = DescribeTopicPartitionsResponse["topics"][number];

export const describeTopicPartitionsHandler = (deps: HandlerDeps): Handler =>
  handler(describeTopicPartitions, (context, request) => page(deps, context, request));

function page(deps: HandlerDeps, context: RequestContext, request: DescribeTopicPartitionsRequest): DescribeTopicPartitionsResponse {
  const { image } = deps.controller;
  const { cursor } = request;
  const named = request.topics.length > 0 ? request.topics.map(({ name }) => name) : [...image.topics.keys()];
  const names = [...new Set(named)].sort().filter((name) => cursor === null || name >= cursor.topicName);
  let room = Math.max(1, Math.min(request.responsePartitionLimit, PARTITIONS_MAX));
  const topics: Topic[] = [];
  for (const name of names) {
    const topic = image.topics.get(name);
    if (!mayOnTopic(context, AclOperation.DESCRIBE, name, request.topics.length === 0)) {
      if (request.topics.length > 0) topics.push({ ...unknown(name), errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED });
      continue;
    }
    if (topic === undefined) {
      if (request.topics.length > 0) topics.push(unknown(name));
      continue;
    }
    const from = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0;
    if (room === 0) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: from } };
    const partitions = topic.partitions.slice(from, from + room).map(described);
    room -= partitions.length;
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic.id,
      isInternal: isInternalTopic(name),
      partitions,
      topicAuthorizedOperations: topicOperations(context, true, name),
    });
    const next = from + partitions.length;
    if (next < topic.partitions.length) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: next } };
  }
  return { throttleTimeMs: 0, topics, nextCursor: null };
}
const unknown = (name: string): Topic => ({
  errorCode: topicNameRefusal(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION,
  name,
  topicId: ZERO_UUID,
  isInternal: isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: NOT_ASKED,
});
const described = (partition: PartitionImage): Topic["partitions"][number] => ({
  errorCode: ErrorCode.NONE,
  partitionIndex: partition.partition,
  leaderId: partition.leader,
  leaderEpoch: partition.leaderEpoch,
  replicaNodes: [...partition.replicas],
  isrNodes: [...partition.isr],
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
  offlineReplicas: [],
});
