/** ConsumerGroupDescribe. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { ConsumerGroupDescribeResponse } from "../../protocol/messages/consumer-group-describe.ts";
import type { Encodable } from "../../protocol/schema.ts";
import type { MetadataView } from "../types.ts";
import { type Assignment, NOTHING, toWire } from "./assignment.ts";
import type { ConsumerGroup } from "./consumer-group.ts";

/** KIP-1099: which protocol the member speaks. */
const MEMBER_TYPES = { classic: 0, consumer: 1 } as const;
export type DescribedConsumerGroup = Encodable<ConsumerGroupDescribeResponse["groups"][number]>;

export function describeConsumerGroup(group: ConsumerGroup, metadata: MetadataView, defaultAssignor: string): DescribedConsumerGroup {
  const named = (assignment: Assignment) => ({
    topicPartitions: toWire(assignment).map(({ topicId, partitions }) => ({
      topicId,
      topicName: metadata.topicName(topicId) ?? "",
      partitions,
    })),
  });
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: group.preferredAssignor() ?? defaultAssignor,
    members: [...group.members.values()].map(({ id, metadata: member, current }) => ({
      memberId: id,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: current.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topics].sort(),
      subscribedTopicRegex: member.regex ?? "",
      assignment: named(current.assigned),
      targetAssignment: named(group.targets.get(id) ?? NOTHING),
      memberType: member.classic === null ? MEMBER_TYPES.consumer : MEMBER_TYPES.classic,
    })),
  };
}
