/**
 * Metadata (3), versions 0-13. Null topics (in version 0: none named) means all. Topics by id since 10; a topic that does
 * not exist is created on the way if both sides allow it, and is there in the same answer.
 */
import { ErrorCode } from "../protocol/errors.ts";
import { metadata, type MetadataRequest, type MetadataResponse } from "../protocol/messages/metadata.ts";
import type { TopicImage } from "../controller/image.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { isInternalTopic, topicNameRefusal } from "../controller/topic-name.ts";
import { createTopics } from "../controller/topics.ts";
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from "./authorized-operations.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

type Topic = MetadataResponse["topics"][number];

export const metadataHandler = (deps: HandlerDeps): Handler =>
  handler(metadata, (context, request) => ({
    brokers: deps.brokers(context.listener),
    clusterId: deps.clusterId,
    controllerId: deps.config.nodeId,
    topics: topicsOf(deps, context, request),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  }));

function topicsOf(deps: HandlerDeps, context: RequestContext, request: MetadataRequest): Topic[] {
  const operations = request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : NOT_ASKED;
  const { image } = deps.controller;
  if (request.topics === null || (context.version === 0 && request.topics.length === 0)) {
    return [...image.topics.values()].map((topic) => described(topic, operations));
  }
  const mayCreate = deps.config.autoCreateTopics && request.allowAutoTopicCreation;
  if (mayCreate) createMissing(deps, request.topics);
  return request.topics.map(({ name, topicId }) => {
    if (name === null || (name === "" && topicId !== ZERO_UUID)) {
      const topic = image.topicsById.get(topicId);
      return topic === undefined
        ? unknown(ErrorCode.UNKNOWN_TOPIC_ID, context.version >= 12 ? null : "", topicId)
        : described(topic, operations);
    }
    const topic = image.topics.get(name);
    if (topic !== undefined) return described(topic, operations);
    const bad = topicNameRefusal(name) !== null;
    return unknown(bad ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, ZERO_UUID);
  });
}
/** What cannot be created stays unknown, which the answer then says. */
function createMissing(deps: HandlerDeps, wanted: MetadataRequest["topics"]): void {
  const { image } = deps.controller;
  const names = new Set<string>();
  for (const { name } of wanted ?? []) if (name !== null && name !== "" && !image.topics.has(name)) names.add(name);
  if (names.size === 0) return;
  const specs = [...names].map((name) => deps.automaticTopic(name));
  deps.controller.commit(createTopics(image, specs, deps.topicDefaults));
}
const unknown = (errorCode: number, name: string | null, topicId: string): Topic => ({
  errorCode,
  name,
  topicId,
  isInternal: name !== null && isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: NOT_ASKED,
});
const described = (topic: TopicImage, topicAuthorizedOperations: number): Topic => ({
  errorCode: ErrorCode.NONE,
  name: topic.name,
  topicId: topic.id,
  isInternal: isInternalTopic(topic.name),
  partitions: topic.partitions.map((partition) => ({
    errorCode: ErrorCode.NONE,
    partitionIndex: partition.partition,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    offlineReplicas: [],
  })),
  topicAuthorizedOperations,
});
