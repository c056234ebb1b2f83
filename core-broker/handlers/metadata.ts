/**
 * Metadata (3), versions 0-13. Null topics (in version 0: none named) means all. Topics by id since 10; a topic that does
 * not exist is created on the way if both sides allow it, and is there in the same answer.
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { clusterOperations, mayOnCluster, mayOnTopic, NOT_ASKED, topicOperations } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { metadata, type MetadataRequest, type MetadataResponse } from "../protocol/messages/metadata.ts";
import type { TopicImage } from "../controller/image.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { isInternalTopic, topicNameRefusal } from "../controller/topic-name.ts";
import { createTopics } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

type Topic = MetadataResponse["topics"][number];

export const metadataHandler = (deps: HandlerDeps): Handler =>
  handler(metadata, (context, request) => ({
    brokers: deps.brokers(context.listener),
    clusterId: deps.clusterId,
    controllerId: deps.config.nodeId,
    topics: topicsOf(deps, context, request),
    clusterAuthorizedOperations: clusterOperations(context, request.includeClusterAuthorizedOperations),
  }));

function topicsOf(deps: HandlerDeps, context: RequestContext, request: MetadataRequest): Topic[] {
  const { image } = deps.controller;
  const tell = (topic: TopicImage): Topic =>
    described(topic, topicOperations(context, request.includeTopicAuthorizedOperations, topic.name));
  if (request.topics === null || (context.version === 0 && request.topics.length === 0)) {
    const seen = [...image.topics.values()].filter(({ name }) => mayOnTopic(context, AclOperation.DESCRIBE, name, true));
    return seen.map(tell);
  }
  const uncreatable = createMissing(deps, context, request);
  return request.topics.map(({ name, topicId }) => {
    if (name === null || (name === "" && topicId !== ZERO_UUID)) {
      const topic = image.topicsById.get(topicId);
      const hidden = context.version >= 12 ? null : "";
      if (topic === undefined) return unknown(ErrorCode.UNKNOWN_TOPIC_ID, hidden, topicId);
      if (!mayOnTopic(context, AclOperation.DESCRIBE, topic.name)) return unknown(ErrorCode.TOPIC_AUTHORIZATION_FAILED, hidden, topicId);
      return tell(topic);
    }
    if (uncreatable.has(name) || !mayOnTopic(context, AclOperation.DESCRIBE, name)) {
      // Whether it exists is not told.
      return unknown(ErrorCode.TOPIC_AUTHORIZATION_FAILED, name, ZERO_UUID);
    }
    const topic = image.topics.get(name);
    if (topic !== undefined) return tell(topic);
    const bad = topicNameRefusal(name) !== null;
    return {
      ...unknown(bad ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, ZERO_UUID),
      topicAuthorizedOperations: topicOperations(context, request.includeTopicAuthorizedOperations, name),
    };
  });
}
/** What cannot be created stays unknown, which the answer then says. Gives the names that the asker has no right to create. */
function createMissing(deps: HandlerDeps, context: RequestContext, request: MetadataRequest): ReadonlySet<string> {
  const refused = new Set<string>();
  if (!deps.config.autoCreateTopics || !request.allowAutoTopicCreation) return refused;
  const { image } = deps.controller;
  const names = new Set<string>();
  for (const { name } of request.topics ?? []) {
    if (name === null || name === "" || image.topics.has(name) || !mayOnTopic(context, AclOperation.DESCRIBE, name, true)) continue;
    const may = mayOnCluster(context, AclOperation.CREATE, true) || mayOnTopic(context, AclOperation.CREATE, name);
    (may ? names : refused).add(name);
  }
  if (names.size === 0) return refused;
  const specs = [...names].map((name) => deps.automaticTopic(name));
  deps.controller.commit(createTopics(image, specs, deps.topicDefaults));
  return refused;
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
