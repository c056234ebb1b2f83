import { array, bytes, int32, int64, int8, record, string, struct, uuid, type RecordOf } from "../schema.ts";

/** Records of __consumer_offsets: KIP-848 groups. */
export const consumerGroupMetadataKey = record({
  name: "ConsumerGroupMetadataKey",
  type: 3,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string() },
});
export type ConsumerGroupMetadataKey = RecordOf<typeof consumerGroupMetadataKey>;

export const consumerGroupMetadataValue = record({
  name: "ConsumerGroupMetadataValue",
  type: 3,
  versions: [0, 0],
  flexible: 0,
  shape: { epoch: int32(), metadataHash: int64({ tag: 0 }) },
});
export type ConsumerGroupMetadataValue = RecordOf<typeof consumerGroupMetadataValue>;

export const consumerGroupMemberMetadataKey = record({
  name: "ConsumerGroupMemberMetadataKey",
  type: 5,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string(), memberId: string() },
});
export type ConsumerGroupMemberMetadataKey = RecordOf<typeof consumerGroupMemberMetadataKey>;

export const consumerGroupMemberMetadataValue = record({
  name: "ConsumerGroupMemberMetadataValue",
  type: 5,
  versions: [0, 0],
  flexible: 0,
  shape: {
    instanceId: string({ nullable: true }),
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullable: true }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: true }),
    classicMemberMetadata: struct(
      { sessionTimeoutMs: int32(), supportedProtocols: array({ name: string(), metadata: bytes() }) },
      { nullable: true, tag: 0 },
    ),
  },
});
export type ConsumerGroupMemberMetadataValue = RecordOf<typeof consumerGroupMemberMetadataValue>;

export const consumerGroupTargetAssignmentMetadataKey = record({
  name: "ConsumerGroupTargetAssignmentMetadataKey",
  type: 6,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string() },
});
export type ConsumerGroupTargetAssignmentMetadataKey = RecordOf<typeof consumerGroupTargetAssignmentMetadataKey>;

export const consumerGroupTargetAssignmentMetadataValue = record({
  name: "ConsumerGroupTargetAssignmentMetadataValue",
  type: 6,
  versions: [0, 0],
  flexible: 0,
  shape: { assignmentEpoch: int32() },
});
export type ConsumerGroupTargetAssignmentMetadataValue = RecordOf<typeof consumerGroupTargetAssignmentMetadataValue>;

export const consumerGroupTargetAssignmentMemberKey = record({
  name: "ConsumerGroupTargetAssignmentMemberKey",
  type: 7,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string(), memberId: string() },
});
export type ConsumerGroupTargetAssignmentMemberKey = RecordOf<typeof consumerGroupTargetAssignmentMemberKey>;

export const consumerGroupTargetAssignmentMemberValue = record({
  name: "ConsumerGroupTargetAssignmentMemberValue",
  type: 7,
  versions: [0, 0],
  flexible: 0,
  shape: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
});
export type ConsumerGroupTargetAssignmentMemberValue = RecordOf<typeof consumerGroupTargetAssignmentMemberValue>;

export const consumerGroupCurrentMemberAssignmentKey = record({
  name: "ConsumerGroupCurrentMemberAssignmentKey",
  type: 8,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string(), memberId: string() },
});
export type ConsumerGroupCurrentMemberAssignmentKey = RecordOf<typeof consumerGroupCurrentMemberAssignmentKey>;

export const consumerGroupCurrentMemberAssignmentValue = record({
  name: "ConsumerGroupCurrentMemberAssignmentValue",
  type: 8,
  versions: [0, 0],
  flexible: 0,
  shape: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array({ topicId: uuid(), partitions: array(int32()) }),
    partitionsPendingRevocation: array({ topicId: uuid(), partitions: array(int32()) }),
  },
});
export type ConsumerGroupCurrentMemberAssignmentValue = RecordOf<typeof consumerGroupCurrentMemberAssignmentValue>;

export const consumerGroupRegularExpressionKey = record({
  name: "ConsumerGroupRegularExpressionKey",
  type: 16,
  versions: [0, 0],
  flexible: null,
  shape: { groupId: string(), regularExpression: string() },
});
export type ConsumerGroupRegularExpressionKey = RecordOf<typeof consumerGroupRegularExpressionKey>;

export const consumerGroupRegularExpressionValue = record({
  name: "ConsumerGroupRegularExpressionValue",
  type: 16,
  versions: [0, 0],
  flexible: 0,
  shape: { topics: array(string()), version: int64(), timestamp: int64() },
});
export type ConsumerGroupRegularExpressionValue = RecordOf<typeof consumerGroupRegularExpressionValue>;
