/**
 * A consumer group of KIP-848 as its records make it: nothing changes it but `replay*`, live and at load. Timers and who is
 * asked what are in consumer-heartbeat.ts.
 */
import type { Timer } from "../../base/clock.ts";
import { type Assignment, NOTHING } from "./assignment.ts";
import { type CurrentAssignment, MEMBER_STATES } from "./reconcile.ts";

/** What a member of the classic protocol has in a consumer group beside its subscription. */
export interface ClassicProtocol {
  readonly sessionTimeoutMs: number;
  /** In the member's order of preference; not empty. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}
export interface ConsumerMemberMetadata {
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topics: readonly string[];
  /** "" and null: none. */
  readonly regex: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
  /** Set: the member speaks JoinGroup, SyncGroup and Heartbeat. */
  readonly classic: ClassicProtocol | null;
}
export interface ConsumerMember {
  readonly id: string;
  readonly metadata: ConsumerMemberMetadata;
  readonly current: CurrentAssignment;
}
export type ConsumerState = "Empty" | "Assigning" | "Reconciling" | "Stable" | "Dead";
/** Member epochs with a meaning of their own. */
export const JOIN_EPOCH = 0;
export const LEAVE_EPOCH = -1;
export const STATIC_LEAVE_EPOCH = -2;

const UNASSIGNED: CurrentAssignment = {
  epoch: 0,
  previousEpoch: 0,
  state: MEMBER_STATES.stable,
  assigned: NOTHING,
  revoking: NOTHING,
};

export class ConsumerGroup {
  readonly type = "consumer";
  readonly protocolType = "consumer";
  readonly id: string;
  /** The group epoch: grows with every change that asks for a new target. */
  epoch = 0;
  metadataHash = 0;
  /** Epoch of the group for which the target was made. */
  targetEpoch = 0;
  readonly members = new Map<string, ConsumerMember>();
  readonly staticMembers = new Map<string, string>();
  readonly targets = new Map<string, Assignment>();
  /** Regular expression → topic names it matched when last resolved. */
  readonly regexes = new Map<string, readonly string[]>();
  /** Topic id → partition → who has it, or has not given it up yet. */
  private readonly owners = new Map<string, Map<number, string>>();
  readonly sessions = new Map<string, Timer>();
  readonly revocations = new Map<string, Timer>();
  /** Of classic members: until when they have to join again, or to send SyncGroup after a join. */
  readonly joinDeadlines = new Map<string, Timer>();
  readonly syncDeadlines = new Map<string, Timer>();
  /** `MetadataView.topicsVersion` for which hash and expressions were computed. */
  topicsVersion = -1;
  dead = false;

  constructor(id: string) {
    this.id = id;
  }
  get state(): ConsumerState {
    if (this.dead) return "Dead";
    if (this.members.size === 0) return "Empty";
    if (this.epoch > this.targetEpoch) return "Assigning";
    for (const { current } of this.members.values()) {
      if (current.state !== MEMBER_STATES.stable || current.epoch !== this.targetEpoch) return "Reconciling";
    }
    return "Stable";
  }
  replayMember(id: string, metadata: ConsumerMemberMetadata | null): void {
    const before = this.members.get(id);
    const instanceBefore = before?.metadata.instanceId ?? null;
    if (instanceBefore !== null && this.staticMembers.get(instanceBefore) === id) this.staticMembers.delete(instanceBefore);
    if (metadata === null) {
      if (before !== undefined) this.release(id, before.current);
      this.members.delete(id);
      return;
    }
    this.members.set(id, { id, metadata, current: before?.current ?? UNASSIGNED });
    if (metadata.instanceId !== null) this.staticMembers.set(metadata.instanceId, id);
  }
  replayCurrent(id: string, current: CurrentAssignment | null): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    this.release(id, member.current);
    this.members.set(id, { ...member, current: current ?? UNASSIGNED });
    if (current === null) return;
    this.own(id, current.assigned);
    this.own(id, current.revoking);
  }
  replayTarget(id: string, target: Assignment | null): void {
    if (target === null) this.targets.delete(id);
    else this.targets.set(id, target);
  }
  private own(id: string, assignment: Assignment): void {
    for (const [topicId, partitions] of assignment) {
      const owners = this.owners.get(topicId) ?? new Map<number, string>();
      this.owners.set(topicId, owners);
      for (const partition of partitions) owners.set(partition, id);
    }
  }
  private release(id: string, { assigned, revoking }: CurrentAssignment): void {
    for (const assignment of [assigned, revoking]) {
      for (const [topicId, partitions] of assignment) {
        const owners = this.owners.get(topicId);
        for (const partition of partitions) if (owners?.get(partition) === id) owners.delete(partition);
      }
    }
  }
  ownerOf(topicId: string, partition: number): string | null {
    return this.owners.get(topicId)?.get(partition) ?? null;
  }
  /** Is a partition of the member's target still somebody else's? */
  waitsForOthers({ id, current }: ConsumerMember): boolean {
    for (const [topicId, partitions] of this.targets.get(id) ?? NOTHING) {
      const assigned = current.assigned.get(topicId);
      for (const partition of partitions) if (assigned?.has(partition) !== true && this.ownerOf(topicId, partition) !== null) return true;
    }
    return false;
  }
  /** Names that a member subscribes to, expression included. */
  topicsOf({ topics, regex }: ConsumerMemberMetadata): ReadonlySet<string> {
    return new Set([...topics, ...((regex === null ? undefined : this.regexes.get(regex)) ?? [])]);
  }
  isSubscribedTo(topic: string): boolean {
    return this.members.values().some(({ metadata }) => this.topicsOf(metadata).has(topic));
  }
  /** Most members' choice; null: nobody asks for one. */
  preferredAssignor(): string | null {
    const votes = new Map<string, number>();
    for (const { metadata } of this.members.values()) {
      if (metadata.serverAssignor !== null) votes.set(metadata.serverAssignor, (votes.get(metadata.serverAssignor) ?? 0) + 1);
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  }
  cancelTimersOf(id: string): void {
    for (const timers of [this.sessions, this.revocations, this.joinDeadlines, this.syncDeadlines]) {
      timers.get(id)?.cancel();
      timers.delete(id);
    }
  }
  cancelTimers(): void {
    for (const id of this.members.keys()) this.cancelTimersOf(id);
  }
}
