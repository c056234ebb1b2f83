/** Each topic's partitions in contiguous ranges over its members, so that equal numbers meet in one member (co-partitioning). */
import type { Assignor, AssignorMember } from "./assignor.ts";

/** Static members first, by instance id: their ranges survive restarts. */
const order = (a: AssignorMember, b: AssignorMember): number => {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1;
  const [left, right] = [a.instanceId ?? a.id, b.instanceId ?? b.id];
  return left < right ? -1 : left > right ? 1 : 0;
};

export const rangeAssignor: Assignor = (members, partitionsOf) => {
  const sorted = [...members].sort(order);
  const targets = new Map<string, Map<string, Set<number>>>(members.map(({ id }) => [id, new Map()]));
  const topics = new Set(members.flatMap((member) => [...member.topics]));
  for (const topic of topics) {
    const subscribers = sorted.filter((member) => member.topics.has(topic));
    const partitions = partitionsOf(topic);
    const each = Math.floor(partitions / subscribers.length);
    let extra = partitions % subscribers.length;
    let from = 0;
    for (const { id } of subscribers) {
      const count = each + (extra-- > 0 ? 1 : 0);
      if (count > 0) targets.get(id)?.set(topic, new Set(Array.from({ length: count }, (_, i) => from + i)));
      from += count;
    }
  }
  return targets;
};
