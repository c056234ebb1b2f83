/** Committed offsets of the groups of one state partition, and those of transactions that have not ended. */
import { offsetCommitKey, offsetCommitValue, type OffsetCommitValue } from "../../protocol/state/group-records.ts";
import { encodeRecord } from "../../protocol/record-codec.ts";
import { encodeKey } from "../records.ts";
import type { StateRecord } from "../types.ts";

export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** -1: the broker's retention applies. Else when it expires (OffsetCommit 2-4 with a retention time). */
  readonly expireTimestampMs: number;
}
interface Entry extends CommittedOffset {
  /** Position in the state log's order: an older transactional commit never replaces a newer plain one. */
  readonly order: number;
}
type ByPartition = Map<number, Entry>;
export type ByTopic = Map<string, ByPartition>;

export class OffsetStore {
  private readonly committed = new Map<string, ByTopic>();
  /** Producer id → group → offsets. */
  private readonly pending = new Map<number, Map<string, ByTopic>>();
  private order = 0;

  /** `producerId` null: visible at once; else when the producer's transaction commits. Null value: deleted. */
  replay(group: string, topic: string, partition: number, value: CommittedOffset | null, producerId: number | null): void {
    this.order++;
    if (value === null) {
      remove(this.committed, group, topic, partition);
      for (const groups of this.pending.values()) remove(groups, group, topic, partition);
      return;
    }
    const entry = { ...value, order: this.order };
    if (producerId === null) put(this.committed, group, topic, partition, entry);
    else {
      const groups = this.pending.get(producerId) ?? new Map<string, ByTopic>();
      this.pending.set(producerId, groups);
      put(groups, group, topic, partition, entry);
    }
  }
  /** Returns the groups that got offsets. */
  replayEnd(producerId: number, committed: boolean): string[] {
    const groups = this.pending.get(producerId);
    this.pending.delete(producerId);
    if (groups === undefined || !committed) return [];
    for (const [group, topics] of groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, entry] of partitions) {
          const current = this.committed.get(group)?.get(topic)?.get(partition);
          if (current === undefined || current.order < entry.order) put(this.committed, group, topic, partition, entry);
        }
      }
    }
    return [...groups.keys()];
  }
  get(group: string, topic: string, partition: number): CommittedOffset | null {
    return this.committed.get(group)?.get(topic)?.get(partition) ?? null;
  }
  of(group: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.committed.get(group) ?? NOTHING;
  }
  hasPending(group: string, topic: string, partition: number): boolean {
    for (const groups of this.pending.values()) if (groups.get(group)?.get(topic)?.has(partition) === true) return true;
    return false;
  }
  groupHasPending(group: string): boolean {
    for (const groups of this.pending.values()) if ((groups.get(group)?.size ?? 0) > 0) return true;
    return false;
  }
  /** Groups that have committed or pending offsets. */
  groupIds(): Set<string> {
    const ids = new Set(this.committed.keys());
    for (const groups of this.pending.values()) for (const id of groups.keys()) ids.add(id);
    return ids;
  }
}
const NOTHING: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map();

function put(groups: Map<string, ByTopic>, group: string, topic: string, partition: number, entry: Entry): void {
  let topics = groups.get(group);
  if (topics === undefined) groups.set(group, (topics = new Map()));
  let partitions = topics.get(topic);
  if (partitions === undefined) topics.set(topic, (partitions = new Map()));
  partitions.set(partition, entry);
}
function remove(groups: Map<string, ByTopic>, group: string, topic: string, partition: number): void {
  const topics = groups.get(group);
  const partitions = topics?.get(topic);
  if (topics === undefined || partitions === undefined) return;
  partitions.delete(partition);
  if (partitions.size === 0) topics.delete(topic);
  if (topics.size === 0) groups.delete(group);
}

export function offsetRecord(group: string, topic: string, partition: number, value: CommittedOffset | null): StateRecord {
  const key = encodeKey(offsetCommitKey, { group, topic, partition });
  if (value === null) return { key, value: null };
  // Version 1 is the only one that carries an expiry time; 3 is what Kafka writes otherwise.
  const version = value.expireTimestampMs >= 0 ? 1 : 3;
  const body = {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: value.commitTimestampMs,
    expireTimestamp: value.expireTimestampMs,
  };
  return { key, value: encodeRecord(offsetCommitValue, version, body) };
}
export const committedOffset = (value: OffsetCommitValue): CommittedOffset => ({
  offset: value.offset,
  leaderEpoch: value.leaderEpoch,
  metadata: value.metadata,
  commitTimestampMs: value.commitTimestamp,
  expireTimestampMs: value.expireTimestamp,
});
