/**
 * A group with members changes its protocol (KIP-848, group.consumer.migration.policy): a classic group when the first member of the
 * consumer protocol joins, and back when the last one is gone. Members keep their ids, epoch and generation are the same number, so
 * what a member may commit does not change by it.
 */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { StateRecord } from "../types.ts";
import { NOTHING } from "./assignment.ts";
import { ClassicGroup, type ClassicMember, NO_BYTES } from "./classic-group.ts";
import type { JoinAttempt } from "./classic-join.ts";
import { prepareRebalance, restartSession } from "./classic-rebalance.ts";
import { classicGroupRecord, classicGroupTombstone } from "./classic-records.ts";
import type { ConsumerGroup, ConsumerMemberMetadata } from "./consumer-group.ts";
import { restartConsumerSession } from "./consumer-departure.ts";
import { type ConsumerHost, recorder, type Write } from "./consumer-heartbeat.ts";
import {
  currentRecord,
  groupEpochRecord,
  groupTombstones,
  memberRecord,
  memberTombstones,
  targetEpochRecord,
  targetRecord,
} from "./consumer-records.ts";
import { embeddedAssignment, embeddedAssignmentOf, idsOf, subscriptionOf } from "./embedded-protocol.ts";
import { MEMBER_STATES } from "./reconcile.ts";

/** Throws KafkaError: GROUP_ID_NOT_FOUND where a classic group with members stays what it is, GROUP_MAX_SIZE_REACHED. */
export function upgradeForJoin(host: ConsumerHost, request: ConsumerGroupHeartbeatRequest, write: Write): void {
  const classic = host.findClassic(request.groupId);
  if (classic === null) return;
  const { consumerMigration, consumerGroupMaxSize } = host.config;
  if (!consumerMigration.upgrade || classic.protocolType !== "consumer" || classic.members.size > consumerGroupMaxSize) {
    throw notConsumer(`Group ${classic.id} is not a consumer group.`);
  }
  const takesPlace = request.instanceId !== null && classic.staticMembers.has(request.instanceId);
  if (classic.members.size === consumerGroupMaxSize && !takesPlace) {
    const text = `The consumer group has reached its maximum capacity of ${consumerGroupMaxSize} members.`;
    throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED, text);
  }
  const records = upgradeRecords(host, classic);
  endClassic(classic);
  write([classicGroupTombstone(classic.id), ...records]);
  const group = host.findConsumer(classic.id);
  if (group === null) return;
  for (const id of group.members.keys()) restartConsumerSession(host, group, id);
  host.logger.info("group goes over to the consumer protocol", { group: group.id, members: group.members.size, epoch: group.epoch });
}
const notConsumer = (message: string): KafkaError => new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, message);

/** Each member as it is: of the classic generation, with what it was last assigned, which is its target too. */
function upgradeRecords(host: ConsumerHost, classic: ClassicGroup): StateRecord[] {
  const { id: groupId, generation } = classic;
  const members = [...classic.members.values()].map((member) => ({ id: member.id, ...takeOver(host, classic, member) }));
  return [
    ...members.map(({ id, metadata }) => memberRecord(groupId, id, metadata)),
    groupEpochRecord(groupId, generation, 0),
    ...members.map(({ id, assigned }) => targetRecord(groupId, id, assigned)),
    targetEpochRecord(groupId, generation),
    ...members.map(({ id, assigned }) =>
      currentRecord(groupId, id, {
        epoch: generation,
        previousEpoch: generation,
        state: MEMBER_STATES.stable,
        assigned,
        revoking: NOTHING,
      }),
    ),
  ];
}
function takeOver(host: ConsumerHost, classic: ClassicGroup, member: ClassicMember) {
  const bytes = classic.protocol === null ? (member.protocols[0]?.metadata ?? NO_BYTES) : classic.metadataOf(member);
  const subscription = subscriptionOf(bytes);
  const assignment = embeddedAssignmentOf(member.assignment);
  if (subscription === null || assignment === null) {
    throw notConsumer(`Cannot upgrade classic group ${classic.id} to consumer group because the embedded consumer protocol is malformed.`);
  }
  if (assignment.userData !== null && assignment.userData.length > 0) {
    throw notConsumer(
      `Cannot upgrade classic group ${classic.id} to consumer group because an unsupported custom assignor is in use. ` +
        "Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.",
    );
  }
  const metadata: ConsumerMemberMetadata = {
    instanceId: member.instanceId,
    rackId: subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    topics: subscription.topics,
    regex: null,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: null,
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, protocols: member.protocols },
  };
  return { metadata, assigned: idsOf(assignment.assignedPartitions, host.metadata) };
}
/** Who waits is told to join again; it will find the consumer group. */
function endClassic(classic: ClassicGroup): void {
  const errorCode = ErrorCode.REBALANCE_IN_PROGRESS;
  for (const member of classic.members.values()) {
    member.awaitingJoin?.({ errorCode, memberId: member.id, protocolName: "" });
    member.awaitingSync?.({ errorCode, assignment: NO_BYTES });
    member.awaitingJoin = null;
    member.awaitingSync = null;
  }
  classic.cancelTimers();
  classic.state = "Dead";
}

/** May the group become a classic one when `leaving` are gone? Only classic members stay, and at least one. */
export function mayDowngrade(host: ConsumerHost, group: ConsumerGroup, leaving: readonly string[]): boolean {
  if (!host.config.consumerMigration.downgrade) return false;
  let left = 0;
  for (const { id, metadata } of group.members.values()) {
    if (leaving.includes(id)) continue;
    if (metadata.classic === null) return false;
    left++;
  }
  return left > 0 && left <= host.config.groupMaxSize;
}

/**
 * A classic member that takes the place of the last static member of the consumer protocol: the group becomes a classic one first, and
 * the member joins that. Says whether it did.
 */
export function makeWayForClassic(host: ConsumerHost, group: ConsumerGroup, { memberId, instanceId }: JoinAttempt): boolean {
  const holder = instanceId === null || memberId !== "" ? undefined : group.staticMembers.get(instanceId);
  if (holder === undefined || group.members.get(holder)?.metadata.classic !== null) return false;
  if (!mayDowngrade(host, group, [holder])) return false;
  const { records, write } = recorder(host);
  group.cancelTimersOf(holder);
  downgrade(host, group, [holder], write);
  host.persist(records).catch((error: unknown) => {
    host.logger.warn("the change to the classic protocol could not be recorded", { group: group.id, error: String(error) });
  });
  return true;
}

/** The members that stay are assigned their targets, and rebalance at once. */
export function downgrade(host: ConsumerHost, group: ConsumerGroup, leaving: readonly string[], write: Write): void {
  const shape = new ClassicGroup(group.id, host.clock.now());
  const assignments = new Map<string, Uint8Array>();
  for (const { id, metadata } of group.members.values()) {
    if (leaving.includes(id) || metadata.classic === null) continue;
    shape.add(classicMember(id, metadata, metadata.classic));
    const subscription = metadata.classic.protocols[0]?.metadata ?? NO_BYTES;
    assignments.set(id, embeddedAssignment(group.targets.get(id) ?? NOTHING, subscription, host.metadata));
  }
  shape.generation = group.epoch;
  shape.protocolType = "consumer";
  shape.protocol = shape.selectProtocol();
  const tombstones = [...group.members.keys()].flatMap((id) => memberTombstones(group.id, id));
  group.cancelTimers();
  write([...tombstones, ...groupTombstones(group), classicGroupRecord(shape, assignments)]);
  const classic = host.findClassic(group.id);
  if (classic === null) return;
  for (const member of classic.members.values()) {
    // The record has the chosen protocol only.
    member.protocols = shape.members.get(member.id)?.protocols ?? member.protocols;
    restartSession(host, classic, member);
  }
  host.logger.info("group goes back to the classic protocol", { group: group.id, members: classic.members.size });
  prepareRebalance(host, classic, "downgrade from the consumer protocol");
}
const classicMember = (
  id: string,
  metadata: ConsumerMemberMetadata,
  classic: NonNullable<ConsumerMemberMetadata["classic"]>,
): ClassicMember => ({
  id,
  instanceId: metadata.instanceId,
  clientId: metadata.clientId,
  clientHost: metadata.clientHost,
  rebalanceTimeoutMs: metadata.rebalanceTimeoutMs,
  sessionTimeoutMs: classic.sessionTimeoutMs,
  protocols: classic.protocols,
  assignment: NO_BYTES,
  isNew: false,
  awaitingJoin: null,
  awaitingSync: null,
  session: null,
});
