/** Consumer groups and transactional producers, from outside. */
import { ErrorCode, errorName, KafkaError } from "../../protocol/errors.ts";
import { deleteGroups, describeGroups, initProducerId, leaveGroup, offsetDelete } from "../../protocol/messages/index.ts";
import { type Cluster, coordinatorMoved } from "../cluster.ts";
import { commitOffsets, fetchOffsets, NO_MEMBER } from "../offset-store.ts";
import { retrying } from "../retry.ts";
import type { PartitionOffset, TopicPartition } from "../types.ts";

export async function groupOffsets(cluster: Cluster, groupId: string): Promise<readonly PartitionOffset[]> {
  return [...(await fetchOffsets(cluster, groupId, null, true, cluster.config.defaultApiTimeoutMs)).values()];
}

/** NON_EMPTY_GROUP while members are active: brokers answer such a commit with UNKNOWN_MEMBER_ID. */
export async function alterGroupOffsets(cluster: Cluster, groupId: string, offsets: readonly PartitionOffset[]): Promise<void> {
  try {
    await commitOffsets(cluster, groupId, offsets, () => NO_MEMBER, cluster.config.defaultApiTimeoutMs);
  } catch (error) {
    const active = error instanceof KafkaError && [ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.REBALANCE_IN_PROGRESS].includes(error.code);
    if (!active) throw error;
    throw new KafkaError(ErrorCode.NON_EMPTY_GROUP, `group ${groupId} has active members; stop them before its offsets are changed`, error);
  }
}

function checkGroup(cluster: Cluster, groupId: string, code: number, what: string): void {
  if (code === ErrorCode.NONE) return;
  if (coordinatorMoved(code)) cluster.forgetCoordinator("group", groupId);
  throw new KafkaError(code, `${what}: ${errorName(code)}`);
}
/** Throws NON_EMPTY_GROUP, GROUP_SUBSCRIBED_TO_TOPIC, GROUP_ID_NOT_FOUND. */
export async function deleteGroupOffsets(cluster: Cluster, groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
  const what = `deleting offsets of group ${groupId}`;
  const topics = [...Map.groupBy(partitions, (each) => each.topic)].map(([name, group]) => ({
    name,
    partitions: group.map((each) => ({ partitionIndex: each.partition })),
  }));
  await retrying(cluster, what, cluster.config.defaultApiTimeoutMs, async () => {
    const { body } = await cluster.sendToCoordinator("group", groupId, offsetDelete, { groupId, topics });
    checkGroup(cluster, groupId, body.errorCode, what);
    for (const topic of body.topics) {
      for (const each of topic.partitions) {
        // A topic that is gone has no offsets left either.
        if (each.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue;
        checkGroup(cluster, groupId, each.errorCode, `${what}, ${topic.name}-${each.partitionIndex}`);
      }
    }
  });
}
/** A group that does not exist counts as deleted. Throws NON_EMPTY_GROUP. */
export async function deleteGroup(cluster: Cluster, groupId: string): Promise<void> {
  const what = `deleting group ${groupId}`;
  await retrying(cluster, what, cluster.config.defaultApiTimeoutMs, async () => {
    const { body } = await cluster.sendToCoordinator("group", groupId, deleteGroups, { groupsNames: [groupId] });
    const code = body.results[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    if (code !== ErrorCode.GROUP_ID_NOT_FOUND) checkGroup(cluster, groupId, code, what);
  });
}
/** See Admin.removeMembers. Members that left meanwhile do not count; a group that does not exist has none. */
export async function removeMembers(
  cluster: Cluster,
  groupId: string,
  isGone: (member: { memberId: string; clientId: string; metadata: Uint8Array }) => boolean,
): Promise<number> {
  const what = `removing members of group ${groupId}`;
  const removed = new Set<string>();
  await retrying(cluster, what, cluster.config.defaultApiTimeoutMs, async () => {
    const { body } = await cluster.sendToCoordinator("group", groupId, describeGroups, { groups: [groupId] });
    const group = body.groups[0];
    if (group === undefined || group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return;
    checkGroup(cluster, groupId, group.errorCode, what);
    const gone = group.members.filter(
      (m) => m.groupInstanceId === null && isGone({ memberId: m.memberId, clientId: m.clientId, metadata: m.memberMetadata }),
    );
    for (const { memberId } of gone) if (await removeMember(cluster, groupId, memberId, what)) removed.add(memberId);
  });
  return removed.size;
}
/** One at a time: LeaveGroup takes lists only from version 3 on (Kafka 2.4). */
async function removeMember(cluster: Cluster, groupId: string, memberId: string, what: string): Promise<boolean> {
  const member = { memberId, groupInstanceId: null, reason: "its process is gone" };
  const { body } = await cluster.sendToCoordinator("group", groupId, leaveGroup, (version) =>
    version >= 3 ? { groupId, members: [member] } : { groupId, memberId },
  );
  const code = body.errorCode === ErrorCode.NONE ? (body.members[0]?.errorCode ?? ErrorCode.NONE) : body.errorCode;
  if (code === ErrorCode.UNKNOWN_MEMBER_ID) return false;
  checkGroup(cluster, groupId, code, what);
  return true;
}

/** InitProducerId for each id raises its epoch: open transactions are aborted and older producers fenced (KIP-618). */
export async function fenceProducers(cluster: Cluster, transactionalIds: readonly string[]): Promise<void> {
  await Promise.all(transactionalIds.map((transactionalId) => fence(cluster, transactionalId)));
}
async function fence(cluster: Cluster, transactionalId: string): Promise<void> {
  const what = `fencing ${transactionalId}`;
  await retrying(cluster, what, cluster.config.defaultApiTimeoutMs, async () => {
    const { body } = await cluster.sendToCoordinator("transaction", transactionalId, initProducerId, {
      transactionalId,
      // Nobody will use this transaction: the shortest life that brokers accept.
      transactionTimeoutMs: 1,
      producerId: -1,
      producerEpoch: -1,
    });
    if (body.errorCode === ErrorCode.NONE) return;
    if (coordinatorMoved(body.errorCode)) cluster.forgetCoordinator("transaction", transactionalId);
    throw new KafkaError(body.errorCode, `${what}: ${errorName(body.errorCode)}`);
  });
}
