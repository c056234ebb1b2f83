/** This worker in its group: joins, merges incremental assignments, and as leader hands out work (WorkerCoordinator's rules). */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { ClientConfig, GroupMembership, KafkaClients } from "#broker/client/types";
import type { DistributedSettings } from "../config.ts";
import { type ConfigState, EMPTY_CONFIG_STATE } from "../store/config-state.ts";
import { type IsFormerSelf, removeFormerSelf } from "../worker/former-self.ts";
import type { TaskId } from "../worker/types.ts";
import { assignEagerly, IncrementalAssignor } from "./assignor.ts";
import {
  type Assignment,
  CONFIG_MISMATCH,
  decodeAssignment,
  decodeMetadata,
  encodeAssignment,
  encodeMetadata,
  isProtocolName,
  NO_ERROR,
  NO_WORK,
  PROTOCOL_VERSION,
  type ProtocolName,
  type Work,
  type WorkerMetadata,
} from "./connect-protocol.ts";
import { configuredWork } from "./plan.ts";
import { taskKey, WorkSet } from "./work-set.ts";

export interface MembershipEvents {
  /** Stop this work before the callback resolves. */
  revoked(work: Work): Promise<void>;
  /** `assignment` holds all work of this worker, not only what is new. */
  assigned(assignment: Assignment, generation: number, memberId: string): Promise<void>;
  /** A rebalance begins. */
  rebalancing(): void;
}
export interface MembershipOptions {
  readonly clients: KafkaClients;
  readonly groupId: string;
  readonly clientConfig: ClientConfig;
  readonly settings: DistributedSettings;
  /** Where other workers reach this one: `http://host:port/`. */
  readonly url: string;
  readonly configState: () => ConfigState;
  readonly refreshConfig: () => Promise<void>;
  readonly events: MembershipEvents;
  readonly clock: Clock;
  readonly log: Logger;
}
const PROTOCOLS: Readonly<Record<DistributedSettings["protocol"], readonly ProtocolName[]>> = {
  sessioned: ["sessioned", "compatible", "default"],
  compatible: ["compatible", "default"],
  eager: ["default"],
};

/** What the herder needs of a membership; standalone mode has one without a group. */
export interface Membership {
  /** The assignment that holds; null before the first. */
  readonly assignment: Assignment | null;
  readonly generation: number;
  /** Of the group protocol: 0 eager, 1 compatible, 2 sessioned. */
  readonly protocolVersion: number;
  /** The config state that this worker joined the present generation with. */
  readonly joinState: ConfigState;
  readonly isLeader: boolean;
  readonly leaderUrl: string | null;
  /** Leader only: the REST address of the worker that has it. */
  ownerUrl(work: string | TaskId): string | null;
  start(): Promise<void>;
  /** Asks for a rebalance. */
  rejoin(): void;
  close(): Promise<void>;
}

export class WorkerMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #assignor: IncrementalAssignor;
  #group: GroupMembership | null = null;
  #closed = false;
  #assignment: Assignment | null = null;
  #memberId: string | null = null;
  #generation = -1;
  #version = 0;
  #joinState = EMPTY_CONFIG_STATE;
  /** Leader only: who has what, and where. */
  #owners: ReadonlyMap<string, WorkSet> = new Map();
  #urls: ReadonlyMap<string, string> = new Map();

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#assignor = new IncrementalAssignor(options.clock, options.settings.scheduledRebalanceMaxDelayMs);
  }
  get assignment(): Assignment | null {
    return this.#assignment;
  }
  get generation(): number {
    return this.#generation;
  }
  get protocolVersion(): number {
    return this.#version;
  }
  get joinState(): ConfigState {
    return this.#joinState;
  }
  get isLeader(): boolean {
    return this.#assignment !== null && this.#memberId !== null && this.#assignment.leader === this.#memberId;
  }
  get leaderUrl(): string | null {
    return this.#assignment?.leaderUrl ?? null;
  }
  ownerUrl(work: string | TaskId): string | null {
    for (const [member, owned] of this.#owners) {
      if (typeof work === "string" ? owned.connectors.has(work) : owned.tasks.has(taskKey(work))) return this.#urls.get(member) ?? null;
    }
    return null;
  }

  async start(): Promise<void> {
    const { clients, clientConfig, groupId } = this.#options;
    await this.#removeFormerSelf();
    const group = await clients.groupMembership(clientConfig, {
      groupId,
      protocolType: "connect",
      metadata: () => Promise.resolve(this.#metadata()),
      leaderAssigns: (protocol, leaderId, members) => this.#leaderAssigns(protocol, leaderId, members),
      onAssignment: (protocol, generation, memberId, _leader, assignment) => this.#onAssignment(protocol, generation, memberId, assignment),
      onRevoked: (reason) => this.#onRevoked(reason),
    });
    this.#group = group;
    if (this.#closed) await group.close();
  }
  /**
   * A member with our own REST address is this worker before it crashed: the address is ours now, so nobody else answers there.
   * Removing it spares the session time-out that everything would wait for.
   */
  async #removeFormerSelf(): Promise<void> {
    const { clients, clientConfig, groupId, url, log } = this.#options;
    const former: IsFormerSelf = (m) => m.metadata.length > 0 && decodeMetadata(m.metadata).url === url;
    await removeFormerSelf(clients, clientConfig, groupId, `worker ${url}`, former, log);
  }
  rejoin(): void {
    this.#group?.rejoin();
  }
  async close(): Promise<void> {
    this.#closed = true;
    await this.#group?.close();
  }

  #metadata(): { name: string; metadata: Uint8Array }[] {
    const state = this.#options.configState();
    this.#joinState = state;
    return PROTOCOLS[this.#options.settings.protocol].map((name) => {
      const version = PROTOCOL_VERSION[name];
      const assignment = this.#assignment;
      const held =
        version === 0 || assignment === null || assignment.error !== NO_ERROR ? null : { ...assignment, version, revoked: NO_WORK };
      return { name, metadata: encodeMetadata({ version, url: this.#options.url, configOffset: state.offset, assignment: held }) };
    });
  }

  async #onAssignment(protocol: string, generation: number, memberId: string, bytes: Uint8Array): Promise<void> {
    const { events, log } = this.#options;
    const next = decodeAssignment(bytes);
    this.#version = isProtocolName(protocol) ? PROTOCOL_VERSION[protocol] : 0;
    if (next.revoked.connectors.length + next.revoked.tasks.length > 0) await events.revoked(next.revoked);
    const held = this.#assignment;
    let all: Work = next;
    if (this.#version > 0 && held !== null) {
      const merged = WorkSet.of(held);
      merged.removeAll(WorkSet.of(next.revoked));
      merged.add(next);
      all = merged.toWork();
    }
    this.#assignment = { ...next, ...all };
    this.#generation = generation;
    this.#memberId = memberId;
    if (this.isLeader) this.#assignor.completed(generation);
    log.info(
      `joined group ${this.#options.groupId} at generation ${generation} (${protocol}): ${all.connectors.length} connectors, ${all.tasks.length} tasks`,
      { leader: next.leaderUrl, error: next.error, delayMs: next.delayMs },
    );
    await events.assigned(this.#assignment, generation, memberId);
  }
  async #onRevoked(reason: "rebalance" | "lost"): Promise<void> {
    const { events, log } = this.#options;
    events.rebalancing();
    if (reason === "lost") log.warn("membership of the worker group was lost; joining again with the work that is running");
    // Eager: all work is given up before joining. Cooperative: it goes on until the leader takes it away.
    if (this.#version > 0 || this.#assignment === null) return;
    const { connectors, tasks } = this.#assignment;
    this.#assignment = { ...this.#assignment, ...NO_WORK };
    await events.revoked({ connectors, tasks });
  }

  async #leaderAssigns(
    protocol: string,
    leaderId: string,
    members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[],
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const { log } = this.#options;
    const version = isProtocolName(protocol) ? PROTOCOL_VERSION[protocol] : 0;
    const metadata = new Map(members.map((m) => [m.memberId, decodeMetadata(m.metadata)]));
    this.#urls = new Map([...metadata].map(([member, m]) => [member, m.url]));
    const newest = Math.max(...[...metadata.values()].map((m) => m.configOffset));
    const state = await this.#stateFor(newest);
    const base = { version, leader: leaderId, leaderUrl: metadata.get(leaderId)?.url ?? this.#options.url, revoked: NO_WORK, delayMs: 0 };
    if (state === null) {
      log.warn(`the config topic could not be read up to offset ${newest} that another worker has seen; asking for another rebalance`);
      const failed = encodeAssignment({ ...base, ...NO_WORK, error: CONFIG_MISMATCH, configOffset: newest });
      return new Map(members.map((m) => [m.memberId, failed]));
    }
    const good = { ...base, error: NO_ERROR, configOffset: state.offset };
    if (version === 0) {
      this.#owners = assignEagerly(configuredWork(state), [...metadata.keys()]);
      return new Map([...this.#owners].map(([member, work]) => [member, encodeAssignment({ ...good, ...work.toWork() })]));
    }
    const result = this.#assignor.assign({
      configured: configuredWork(state),
      members: new Map([...metadata].map(([member, m]) => [member, held(m)])),
      lastCompletedGeneration: this.#generation,
    });
    this.#owners = result.all;
    return new Map(
      [...metadata.keys()].map((member) => [
        member,
        encodeAssignment({
          ...good,
          ...(result.assigned.get(member)?.toWork() ?? NO_WORK),
          revoked: result.revoked.get(member)?.toWork() ?? NO_WORK,
          delayMs: result.delayMs,
        }),
      ]),
    );
  }
  /** Null: behind `offset` even after reading to the end. */
  async #stateFor(offset: number): Promise<ConfigState | null> {
    if (this.#joinState.offset >= offset) return this.#joinState;
    try {
      await this.#options.refreshConfig();
    } catch (error) {
      this.#options.log.warn(`reading the config topic failed: ${String(error)}`);
    }
    const state = this.#options.configState();
    if (state.offset < offset) return null;
    this.#joinState = state;
    return state;
  }
}
const held = (m: WorkerMetadata): Work => m.assignment ?? NO_WORK;
