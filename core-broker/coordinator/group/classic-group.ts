/**
 * The state of one classic consumer group (the protocol before KIP-848; also Kafka Connect's and any other protocol type).
 * Only data and its invariants; the steps of a rebalance are in classic-rebalance.ts.
 */
import type { Timer } from "../../base/clock.ts";
import type { Encodable } from "../../protocol/schema.ts";
import type { JoinGroupResponse } from "../../protocol/messages/join-group.ts";
import type { SyncGroupResponse } from "../../protocol/messages/sync-group.ts";
import { subscribedTopicsOf } from "./embedded-protocol.ts";

export type JoinReply = Encodable<JoinGroupResponse>;
export type SyncReply = Encodable<SyncGroupResponse>;
export type ClassicState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";
export const NO_BYTES: Uint8Array = new Uint8Array(0);

export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}
export interface ClassicMember {
  id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Uint8Array;
  /** Joined for the first time and not answered yet: it has no id to heartbeat with. */
  isNew: boolean;
  awaitingJoin: ((reply: JoinReply) => void) | null;
  awaitingSync: ((reply: SyncReply) => void) | null;
  session: Timer | null;
}

export class ClassicGroup {
  readonly type = "classic";
  readonly id: string;
  state: ClassicState = "Empty";
  previousState: ClassicState = "Dead";
  stateSinceMs: number;
  generation = 0;
  protocolType: string | null = null;
  protocol: string | null = null;
  leader: string | null = null;
  readonly members = new Map<string, ClassicMember>();
  /** Instance id → member id. */
  readonly staticMembers = new Map<string, string>();
  /** Ids given out with MEMBER_ID_REQUIRED that have not come back yet. */
  readonly pendingJoin = new Map<string, Timer>();
  readonly pendingSync = new Set<string>();
  /** Someone joined during the initial delay: wait one more delay. */
  newMemberAdded = false;
  joinTimer: Timer | null = null;
  syncTimer: Timer | null = null;
  /** Topics of the current generation; null: cannot be known (foreign protocol or unreadable subscription). */
  subscribedTopics: ReadonlySet<string> | null = new Set();

  constructor(id: string, nowMs: number) {
    this.id = id;
    this.stateSinceMs = nowMs;
  }
  transitionTo(state: ClassicState, nowMs: number): void {
    this.previousState = this.state;
    this.state = state;
    this.stateSinceMs = nowMs;
  }
  add(member: ClassicMember): void {
    this.leader ??= member.id;
    this.members.set(member.id, member);
    this.pendingSync.delete(member.id);
    if (member.instanceId !== null) this.staticMembers.set(member.instanceId, member.id);
  }
  /** Forgets the member; whoever waits for it is told UNKNOWN_MEMBER_ID by the caller. */
  remove(memberId: string): ClassicMember | null {
    const member = this.members.get(memberId);
    if (member === undefined) return null;
    member.session?.cancel();
    member.session = null;
    this.members.delete(memberId);
    this.pendingSync.delete(memberId);
    if (member.instanceId !== null && this.staticMembers.get(member.instanceId) === memberId) this.staticMembers.delete(member.instanceId);
    if (this.leader === memberId) this.leader = this.members.keys().next().value ?? null;
    return member;
  }
  awaitingJoinCount(): number {
    let count = 0;
    for (const member of this.members.values()) if (member.awaitingJoin !== null) count++;
    return count;
  }
  allJoined(): boolean {
    return this.pendingJoin.size === 0 && this.awaitingJoinCount() === this.members.size;
  }
  /** Keeps the leader when it came back, else takes the first member that did. False: nobody did. */
  electJoinedLeader(): boolean {
    const current = this.leader === null ? undefined : this.members.get(this.leader);
    if (current?.awaitingJoin != null) return true;
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue;
      this.leader = member.id;
      return true;
    }
    return false;
  }
  /** The longest rebalance time-out of the members, ms. */
  rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
    return longest;
  }
  /** May someone with these protocols join? An empty group takes any, others need one that all members have. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.state === "Empty" || this.members.size === 0) return protocolType !== "" && protocols.length > 0;
    if (protocolType !== this.protocolType) return false;
    const common = this.commonProtocols();
    return protocols.some((protocol) => common.has(protocol.name));
  }
  private commonProtocols(): Set<string> {
    let common: Set<string> | null = null;
    for (const member of this.members.values()) {
      const names = new Set(member.protocols.map((protocol) => protocol.name));
      common = common === null ? names : common.intersection(names);
    }
    return common ?? new Set();
  }
  /** Each member votes for its first protocol that all members have; most votes win. */
  selectProtocol(): string | null {
    const common = this.commonProtocols();
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const choice = member.protocols.find((protocol) => common.has(protocol.name));
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    let winner: string | null = null;
    for (const [name, count] of votes) if (winner === null || count > (votes.get(winner) ?? 0)) winner = name;
    return winner;
  }
  nextGeneration(nowMs: number): void {
    this.generation = this.generation >= 2_147_483_647 ? 1 : this.generation + 1;
    this.pendingSync.clear();
    if (this.members.size === 0) {
      this.protocol = null;
      this.leader = null;
      this.transitionTo("Empty", nowMs);
    } else {
      this.protocol = this.selectProtocol();
      this.transitionTo("CompletingRebalance", nowMs);
    }
    this.subscribedTopics = this.computeSubscribedTopics();
  }
  computeSubscribedTopics(): ReadonlySet<string> | null {
    if (this.members.size === 0) return new Set();
    if (this.protocolType !== "consumer" || this.protocol === null) return null;
    const topics = new Set<string>();
    for (const member of this.members.values()) {
      const subscribed = subscribedTopicsOf(this.metadataOf(member));
      if (subscribed === null) return null;
      for (const topic of subscribed) topics.add(topic);
    }
    return topics;
  }
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics === null ? this.protocolType === "consumer" : this.subscribedTopics.has(topic);
  }
  metadataOf(member: ClassicMember): Uint8Array {
    return member.protocols.find((protocol) => protocol.name === this.protocol)?.metadata ?? NO_BYTES;
  }
  /** What the leader of a generation is given to assign from. */
  joinMembers(): { memberId: string; groupInstanceId: string | null; metadata: Uint8Array }[] {
    return [...this.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: this.metadataOf(member),
    }));
  }
  cancelTimers(): void {
    this.joinTimer?.cancel();
    this.syncTimer?.cancel();
    for (const timer of this.pendingJoin.values()) timer.cancel();
    for (const member of this.members.values()) member.session?.cancel();
  }
}

export const sameProtocols = (a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean =>
  a.length === b.length &&
  a.every((protocol, i) => protocol.name === b[i]?.name && Buffer.compare(protocol.metadata, b[i]?.metadata ?? NO_BYTES) === 0);
