/** The target of a consumer group: what its members subscribe to, resolved, and divided by a server-side assignor. */
import { createHash } from "node:crypto";
import { compilePattern } from "../linear-pattern.ts";
import type { MetadataView, StateRecord } from "../types.ts";
import { equals, NOTHING } from "./assignment.ts";
import type { Assignor, AssignorMember } from "./assignors/assignor.ts";
import { rangeAssignor } from "./assignors/range.ts";
import { uniformAssignor } from "./assignors/uniform.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import { regexRecord, targetEpochRecord, targetRecord } from "./consumer-records.ts";

const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ["uniform", uniformAssignor],
  ["range", rangeAssignor],
]);

/**
 * Records for expressions that match other topics than before, and for those that nobody uses any more. `mayDescribe`: the rights of the
 * member that asks; topics that it must not know are left out, as in Kafka for the whole group.
 */
export function resolveExpressions(
  group: ConsumerGroup,
  metadata: MetadataView,
  nowMs: number,
  mayDescribe: (topic: string) => boolean = () => true,
): StateRecord[] {
  const records: StateRecord[] = [];
  const used = new Set<string>();
  for (const member of group.members.values()) if (member.metadata.regex) used.add(member.metadata.regex);
  for (const regex of used) {
    const matches = compilePattern(regex);
    const topics = [...metadata.topicNames()].filter((topic) => matches(topic) && mayDescribe(topic)).sort();
    const before = group.regexes.get(regex);
    if (before === undefined || before.length !== topics.length || before.some((topic, i) => topic !== topics[i])) {
      records.push(regexRecord(group.id, regex, topics, metadata.topicsVersion(), nowMs));
    }
  }
  for (const regex of group.regexes.keys()) if (!used.has(regex)) records.push(regexRecord(group.id, regex, null, 0, nowMs));
  return records;
}

/** 52 bits over the subscribed topics, their ids and sizes: another value asks for a new target. */
export function subscriptionHash(group: ConsumerGroup, metadata: MetadataView): number {
  const names = new Set([...group.members.values()].flatMap((member) => [...group.topicsOf(member.metadata)]));
  const known = [...names].filter((name) => metadata.topicId(name) !== null).sort();
  if (known.length === 0) return 0;
  const text = known.map((name) => `${name}\0${metadata.topicId(name)}\0${metadata.partitionCount(name)}`).join("\n");
  return Number(createHash("sha256").update(text).digest().readBigUInt64BE(0) >> 12n);
}

/** Records that move the target to the group's epoch. */
export function computeTarget(group: ConsumerGroup, metadata: MetadataView, defaultAssignor: string): StateRecord[] {
  const assign = ASSIGNORS.get(group.preferredAssignor() ?? defaultAssignor) ?? uniformAssignor;
  const members = [...group.members.values()].map((member): AssignorMember => {
    const ids = [...group.topicsOf(member.metadata)].map((name) => metadata.topicId(name)).filter((id) => id !== null);
    return {
      id: member.id,
      instanceId: member.metadata.instanceId,
      topics: new Set(ids),
      previous: group.targets.get(member.id) ?? NOTHING,
    };
  });
  const partitionsOf = (topicId: string): number => {
    const name = metadata.topicName(topicId);
    return name === null ? 0 : (metadata.partitionCount(name) ?? 0);
  };
  const records: StateRecord[] = [];
  for (const [memberId, target] of assign(members, partitionsOf)) {
    const before = group.targets.get(memberId);
    if (before === undefined || !equals(before, target)) records.push(targetRecord(group.id, memberId, target));
  }
  records.push(targetEpochRecord(group.id, group.epoch));
  return records;
}
