/**
 * Spreads all partitions evenly over the members, and keeps what each had as far as that allows. Members may subscribe to
 * different topics; the result is then as even as single moves can make it.
 */
import type { Assignor, AssignorMember } from "./assignor.ts";

interface Load {
  readonly member: AssignorMember;
  readonly topics: Map<string, Set<number>>;
  count: number;
}

export const uniformAssignor: Assignor = (members, partitionsOf) => {
  const loads: Load[] = members.map((member) => ({ member, topics: new Map(), count: 0 }));
  const topics = [...new Set(members.flatMap((member) => [...member.topics]))];
  const total = topics.reduce((sum, topic) => sum + partitionsOf(topic), 0);
  const taken = keepPrevious(loads, partitionsOf, total);
  // Topics with few subscribers first: they have the least choice.
  const subscribers = new Map(topics.map((topic) => [topic, loads.filter(({ member }) => member.topics.has(topic))]));
  topics.sort((a, b) => (subscribers.get(a)?.length ?? 0) - (subscribers.get(b)?.length ?? 0));
  for (const topic of topics) {
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      if (taken.get(topic)?.has(partition) === true) continue;
      const least = lightest(subscribers.get(topic) ?? []);
      if (least !== null) give(least, topic, partition);
    }
  }
  balance(loads, total);
  return new Map(loads.map(({ member, topics: assigned }) => [member.id, assigned]));
};

const give = (load: Load, topic: string, partition: number): void => {
  const partitions = load.topics.get(topic) ?? new Set<number>();
  load.topics.set(topic, partitions.add(partition));
  load.count++;
};
const drop = (load: Load, topic: string, partition: number): void => {
  const partitions = load.topics.get(topic);
  if (partitions?.delete(partition) !== true) return;
  if (partitions.size === 0) load.topics.delete(topic);
  load.count--;
};
function lightest(loads: readonly Load[]): Load | null {
  let best: Load | null = null;
  for (const load of loads) if (best === null || load.count < best.count) best = load;
  return best;
}

/** Nobody keeps more than its even share; `extra` of them may keep one more. */
function keepPrevious(loads: readonly Load[], partitionsOf: (topic: string) => number, total: number): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>();
  const share = Math.floor(total / Math.max(loads.length, 1));
  let extra = total % Math.max(loads.length, 1);
  for (const load of loads) {
    for (const [topic, partitions] of load.member.previous) {
      if (!load.member.topics.has(topic)) continue;
      const used = taken.get(topic) ?? new Set<number>();
      taken.set(topic, used);
      for (const partition of partitions) {
        const full = load.count > share || (load.count === share && extra === 0);
        if (full || partition >= partitionsOf(topic) || used.has(partition)) continue;
        if (load.count === share) extra--;
        used.add(partition);
        give(load, topic, partition);
      }
    }
  }
  return taken;
}

/** Moves one partition at a time from a fuller to an emptier subscriber, until no move helps. Each move evens out: it ends. */
function balance(loads: readonly Load[], total: number): void {
  for (let moves = 0; moves < total; moves++) {
    const order = [...loads].sort((a, b) => a.count - b.count);
    if (!moveOne(order)) return;
  }
}
function moveOne(order: readonly Load[]): boolean {
  for (const to of order) {
    for (let i = order.length - 1; i >= 0; i--) {
      const from = order[i];
      if (from === undefined || from.count - to.count < 2) break;
      for (const [topic, partitions] of from.topics) {
        if (!to.member.topics.has(topic)) continue;
        const partition = Math.max(...partitions);
        drop(from, topic, partition);
        give(to, topic, partition);
        return true;
      }
    }
  }
  return false;
}
