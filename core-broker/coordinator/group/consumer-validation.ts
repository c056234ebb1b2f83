/** What a ConsumerGroupHeartbeat must carry, before anyone looks at the group. Message texts are Kafka's. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { CoordinatorConfig } from "../config.ts";
import { compilePattern, PatternError } from "../linear-pattern.ts";
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from "./consumer-group.ts";

const invalid = (message: string): KafkaError => new KafkaError(ErrorCode.INVALID_REQUEST, message);

/** Throws KafkaError: INVALID_REQUEST, UNSUPPORTED_ASSIGNOR, UNSUPPORTED_VERSION, INVALID_REGULAR_EXPRESSION. */
export function validateHeartbeat(config: CoordinatorConfig, version: number, request: ConsumerGroupHeartbeatRequest): void {
  if (!config.consumerProtocol) throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, "The consumer group protocol is not enabled.");
  if (request.groupId.trim() === "") throw invalid("GroupId can't be empty.");
  if (request.memberId.trim() === "" && (version >= 1 || request.memberEpoch !== JOIN_EPOCH)) throw invalid("MemberId can't be empty.");
  if (request.instanceId !== null && request.instanceId.trim() === "") throw invalid("InstanceId can't be empty.");
  if (request.rackId !== null && request.rackId.trim() === "") throw invalid("RackId can't be empty.");
  if (request.memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) throw invalid("InstanceId can't be null.");
  if (request.memberEpoch < STATIC_LEAVE_EPOCH) throw invalid("MemberEpoch is invalid.");
  if (request.memberEpoch === LEAVE_EPOCH || request.memberEpoch === STATIC_LEAVE_EPOCH) return;
  if (request.memberEpoch === JOIN_EPOCH) validateJoin(request);
  const { serverAssignor, subscribedTopicRegex: regex } = request;
  if (serverAssignor !== null && !config.consumerGroupAssignors.includes(serverAssignor)) {
    const supported = config.consumerGroupAssignors.join(", ");
    throw new KafkaError(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`,
    );
  }
  if (regex) validatePattern(regex);
}
function validateJoin(request: ConsumerGroupHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) throw invalid("RebalanceTimeoutMs must be provided in first request.");
  if (request.topicPartitions === null || request.topicPartitions.length > 0)
    throw invalid("TopicPartitions must be empty when (re-)joining.");
  const hasNames = request.subscribedTopicNames !== null && request.subscribedTopicNames.length > 0;
  const hasRegex = request.subscribedTopicRegex !== null && request.subscribedTopicRegex !== "";
  if (!hasNames && !hasRegex) {
    throw invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  }
}
function validatePattern(regex: string): void {
  try {
    compilePattern(regex);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new KafkaError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error.message}.`,
      error,
    );
  }
}
