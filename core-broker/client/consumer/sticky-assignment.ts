/** A balanced assignment that moves as little as possible from what members own already. */
import { partitionKey } from "../list-offsets.ts";
import type { TopicPartition } from "../types.ts";
import { type Assignment, type GroupMember, inOrder, type PartitionCounts } from "./assignors.ts";

/**
 * Members keep what they own (of two claims the later generation's counts; of two in one generation neither), free partitions
 * go to the member with the fewest, then partitions move from the fullest to the emptiest until loads differ by at most one
 * among members that could take them.
 */
export function stickyAssignment(members: readonly GroupMember[], counts: PartitionCounts): Assignment {
  const ordered = inOrder(members);
  const result: Assignment = new Map(ordered.map((each) => [each.memberId, []]));
  const claims = validClaims(ordered, counts);
  const free: TopicPartition[] = [];
  for (const topic of [...counts.keys()].sort()) {
    for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
      const owner = claims.get(partitionKey({ topic, partition }));
      if (owner === undefined) free.push({ topic, partition });
      else result.get(owner)?.push({ topic, partition });
    }
  }
  const load = (each: GroupMember): number => result.get(each.memberId)?.length ?? 0;
  for (const each of free) {
    const taker = emptiest(ordered, each.topic, load);
    if (taker !== null) result.get(taker.memberId)?.push(each);
  }
  balance(ordered, result, load);
  return result;
}
function validClaims(members: readonly GroupMember[], counts: PartitionCounts): Map<string, string> {
  const claims = new Map<string, { memberId: string; generation: number }>();
  const disputed = new Set<string>();
  for (const member of members) {
    for (const each of member.owned) {
      if (!member.topics.includes(each.topic) || each.partition >= (counts.get(each.topic) ?? 0)) continue;
      const key = partitionKey(each);
      const other = claims.get(key);
      if (other !== undefined && other.generation > member.generation) continue;
      if (other !== undefined && other.generation === member.generation) disputed.add(key);
      else disputed.delete(key);
      claims.set(key, { memberId: member.memberId, generation: member.generation });
    }
  }
  return new Map([...claims].flatMap(([key, claim]) => (disputed.has(key) ? [] : [[key, claim.memberId] as const])));
}
function emptiest(members: readonly GroupMember[], topic: string, load: (each: GroupMember) => number): GroupMember | null {
  let best: GroupMember | null = null;
  for (const each of members) {
    if (each.topics.includes(topic) && (best === null || load(each) < load(best))) best = each;
  }
  return best;
}
function balance(members: readonly GroupMember[], result: Assignment, load: (each: GroupMember) => number): void {
  // Each move lowers the sum of squared loads, so this ends; the bound only guards against a mistake here.
  const movesMax = [...result.values()].reduce((sum, each) => sum + each.length, 0) * Math.max(1, members.length);
  for (let moves = 0; moves < movesMax; moves++) {
    const full = [...members].sort((a, b) => load(b) - load(a));
    const move = firstMove(full, result, load);
    if (move === null) return;
    const from = result.get(move.from.memberId);
    from?.splice(move.at, 1);
    result.get(move.to.memberId)?.push(move.partition);
  }
}
interface Move {
  readonly from: GroupMember;
  readonly at: number;
  readonly partition: TopicPartition;
  readonly to: GroupMember;
}
function firstMove(full: readonly GroupMember[], result: Assignment, load: (each: GroupMember) => number): Move | null {
  for (const from of full) {
    const partitions = result.get(from.memberId) ?? [];
    for (let at = partitions.length - 1; at >= 0; at--) {
      const partition = partitions[at];
      if (partition === undefined) continue;
      const to = emptiest(full, partition.topic, load);
      if (to !== null && load(from) > load(to) + 1) return { from, at, partition, to };
    }
  }
  return null;
}
