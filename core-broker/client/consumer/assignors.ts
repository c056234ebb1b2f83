/**
 * Who of a group gets which partitions. Names and results as Kafka's Java consumer has them, so that mixed groups agree
 * whoever leads: range, roundrobin (eager), cooperative-sticky (KIP-429: moved partitions are given up first).
 */
import { invalid } from "../config.ts";
import { partitionKey } from "../list-offsets.ts";
import type { TopicPartition } from "../types.ts";
import { stickyAssignment } from "./sticky-assignment.ts";

export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** Generation in which `owned` was assigned; -1: unknown. */
  readonly generation: number;
}
export type PartitionCounts = ReadonlyMap<string, number>;
export type Assignment = Map<string, TopicPartition[]>;
export interface Assignor {
  readonly name: string;
  readonly cooperative: boolean;
  assign(members: readonly GroupMember[], counts: PartitionCounts): Assignment;
}

/** Static members by their instance id, then the others by member id: an order that survives restarts (KIP-345). */
export function inOrder(members: readonly GroupMember[]): GroupMember[] {
  const rank = (each: GroupMember): string => (each.groupInstanceId === null ? `1${each.memberId}` : `0${each.groupInstanceId}`);
  return [...members].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
const empty = (members: readonly GroupMember[]): Assignment => new Map(members.map((each) => [each.memberId, []]));

const range: Assignor = {
  name: "range",
  cooperative: false,
  assign(members, counts) {
    const result = empty(members);
    const ordered = inOrder(members);
    for (const topic of [...counts.keys()].sort()) {
      const takers = ordered.filter((each) => each.topics.includes(topic));
      const count = counts.get(topic) ?? 0;
      const each = Math.floor(count / Math.max(1, takers.length));
      const extra = count % Math.max(1, takers.length);
      let partition = 0;
      takers.forEach((taker, i) => {
        const end = partition + each + (i < extra ? 1 : 0);
        for (; partition < end; partition++) result.get(taker.memberId)?.push({ topic, partition });
      });
    }
    return result;
  },
};

const roundrobin: Assignor = {
  name: "roundrobin",
  cooperative: false,
  assign(members, counts) {
    const result = empty(members);
    const ordered = inOrder(members);
    let turn = 0;
    for (const topic of [...counts.keys()].sort()) {
      if (!ordered.some((each) => each.topics.includes(topic))) continue;
      for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
        while (ordered[turn % ordered.length]?.topics.includes(topic) === false) turn++;
        const taker = ordered[turn++ % ordered.length];
        if (taker !== undefined) result.get(taker.memberId)?.push({ topic, partition });
      }
    }
    return result;
  },
};

const cooperativeSticky: Assignor = {
  name: "cooperative-sticky",
  cooperative: true,
  assign(members, counts) {
    const result = stickyAssignment(members, counts);
    // What moves is given to nobody in this round: its owner has to give it up first, and then joins again.
    const ownerOf = new Map<string, string>();
    for (const member of members) for (const each of member.owned) ownerOf.set(partitionKey(each), member.memberId);
    for (const [memberId, partitions] of result) {
      const kept = partitions.filter((each) => (ownerOf.get(partitionKey(each)) ?? memberId) === memberId);
      result.set(memberId, kept);
    }
    return result;
  },
};

const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ["range", range],
  ["roundrobin", roundrobin],
  ["cooperative-sticky", cooperativeSticky],
  ["org.apache.kafka.clients.consumer.RangeAssignor", range],
  ["org.apache.kafka.clients.consumer.RoundRobinAssignor", roundrobin],
  ["org.apache.kafka.clients.consumer.CooperativeStickyAssignor", cooperativeSticky],
]);
/** By short name or Java class. Throws INVALID_CONFIG. */
export function assignorNamed(name: string): Assignor {
  const found = ASSIGNORS.get(name);
  if (found === undefined) throw invalid("partition.assignment.strategy", name, "known are range, roundrobin and cooperative-sticky");
  return found;
}
