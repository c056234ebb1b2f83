/** ListGroups and DescribeGroups. */
import { ErrorCode } from "../../protocol/errors.ts";
import { type ClassicGroup, NO_BYTES } from "./classic-group.ts";
import type { GroupShard } from "./shard.ts";

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState: string;
  readonly groupType: string;
}
/** Empty filters let everything pass; both compare without case, as Kafka does. */
export function listGroups(shards: readonly GroupShard[], states: readonly string[], types: readonly string[]): ListedGroup[] {
  const wantedStates = new Set(states.map((state) => state.toLowerCase()));
  const wantedTypes = new Set(types.map((type) => type.toLowerCase()));
  const listed: ListedGroup[] = [];
  for (const shard of shards) {
    for (const group of shard.groups.values()) {
      if (wantedStates.size > 0 && !wantedStates.has(group.state.toLowerCase())) continue;
      if (wantedTypes.size > 0 && !wantedTypes.has(group.type)) continue;
      listed.push({ groupId: group.id, protocolType: group.protocolType ?? "", groupState: group.state, groupType: group.type });
    }
  }
  return listed;
}

/** A group that is not there is described as Dead; DescribeGroups 6 also says GROUP_ID_NOT_FOUND. */
export function describeClassicGroup(shard: GroupShard, groupId: string, version: number) {
  const group = shard.groups.get(groupId);
  if (group === undefined) return notFound(groupId, version, `Group ${groupId} not found.`);
  if (group.type !== "classic") return notFound(groupId, version, `Group ${groupId} is not a classic group.`);
  const stable = group.state === "Stable";
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? "",
    protocolData: stable ? (group.protocol ?? "") : "",
    members: describeMembers(group, stable),
  };
}
const notFound = (groupId: string, version: number, why: string) => ({
  errorCode: version >= 6 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE,
  errorMessage: version >= 6 ? why : null,
  groupId,
  groupState: "Dead",
});
const describeMembers = (group: ClassicGroup, stable: boolean) =>
  [...group.members.values()].map((member) => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: stable ? group.metadataOf(member) : NO_BYTES,
    memberAssignment: stable ? member.assignment : NO_BYTES,
  }));
