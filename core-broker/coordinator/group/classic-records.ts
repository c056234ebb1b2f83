/** A classic group as a record of __consumer_offsets, and back. */
import { encodeRecord } from "../../protocol/record-codec.ts";
import { groupMetadataKey, groupMetadataValue, type GroupMetadataValue } from "../../protocol/state/group-records.ts";
import { encodeKey } from "../records.ts";
import type { StateRecord } from "../types.ts";
import { ClassicGroup, NO_BYTES } from "./classic-group.ts";

export function classicGroupRecord(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): StateRecord {
  const value = {
    protocolType: group.protocolType ?? "",
    generation: group.generation,
    protocol: group.protocol,
    leader: group.leader,
    currentStateTimestamp: group.stateSinceMs,
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: group.metadataOf(member),
      assignment: assignments.get(member.id) ?? NO_BYTES,
    })),
  };
  return { key: encodeKey(groupMetadataKey, { group: group.id }), value: encodeRecord(groupMetadataValue, 3, value) };
}
export const classicGroupTombstone = (groupId: string): StateRecord => ({
  key: encodeKey(groupMetadataKey, { group: groupId }),
  value: null,
});

/** The group as it was when the record was written: Stable with members, Empty without. Sessions are not started. */
export function classicGroupOf(groupId: string, value: GroupMetadataValue, nowMs: number): ClassicGroup {
  const group = new ClassicGroup(groupId, nowMs);
  group.generation = value.generation;
  group.protocolType = value.protocolType === "" ? null : value.protocolType;
  group.protocol = value.protocol;
  for (const member of value.members) {
    group.add({
      id: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocols: [{ name: value.protocol ?? "", metadata: Buffer.from(member.subscription) }],
      assignment: Buffer.from(member.assignment),
      isNew: false,
      awaitingJoin: null,
      awaitingSync: null,
      session: null,
    });
  }
  group.leader = value.leader;
  group.state = group.members.size === 0 ? "Empty" : "Stable";
  group.stateSinceMs = value.currentStateTimestamp < 0 ? nowMs : value.currentStateTimestamp;
  group.subscribedTopics = group.computeSubscribedTopics();
  return group;
}
