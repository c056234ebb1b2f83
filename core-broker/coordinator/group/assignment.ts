/** Sets of topic partitions: topic id → partition numbers. Topics without partitions are not in the map. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>;
export type WireAssignment = readonly { readonly topicId: string; readonly partitions: readonly number[] }[];
export const NOTHING: Assignment = new Map();

export function assignmentOf(wire: WireAssignment): Assignment {
  const out = new Map<string, Set<number>>();
  for (const { topicId, partitions } of wire) {
    if (partitions.length > 0) out.set(topicId, new Set([...(out.get(topicId) ?? []), ...partitions]));
  }
  return out;
}
export const toWire = (assignment: Assignment): { topicId: string; partitions: number[] }[] =>
  [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }));

function combine(a: Assignment, b: Assignment, keep: (mine: ReadonlySet<number>, theirs: ReadonlySet<number>) => Set<number>): Assignment {
  const out = new Map<string, Set<number>>();
  for (const topicId of new Set([...a.keys(), ...b.keys()])) {
    const kept = keep(a.get(topicId) ?? NO_NUMBERS, b.get(topicId) ?? NO_NUMBERS);
    if (kept.size > 0) out.set(topicId, kept);
  }
  return out;
}
const NO_NUMBERS: ReadonlySet<number> = new Set();
export const intersection = (a: Assignment, b: Assignment): Assignment => combine(a, b, (mine, theirs) => mine.intersection(theirs));
export const difference = (a: Assignment, b: Assignment): Assignment => combine(a, b, (mine, theirs) => mine.difference(theirs));
export const union = (a: Assignment, b: Assignment): Assignment => combine(a, b, (mine, theirs) => mine.union(theirs));
export const isSubset = (a: Assignment, b: Assignment): boolean => difference(a, b).size === 0;
export const equals = (a: Assignment, b: Assignment): boolean => isSubset(a, b) && isSubset(b, a);
export function filter(assignment: Assignment, keep: (topicId: string, partition: number) => boolean): Assignment {
  const out = new Map<string, Set<number>>();
  for (const [topicId, partitions] of assignment) {
    const kept = new Set([...partitions].filter((partition) => keep(topicId, partition)));
    if (kept.size > 0) out.set(topicId, kept);
  }
  return out;
}
