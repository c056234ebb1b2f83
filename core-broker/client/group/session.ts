/**
 * A member's side of the classic group protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), for whatever protocol type.
 * Knows how to get into a generation and how to stay in it; what the generation means is its users' business.
 */
import type { Timer } from "../../base/clock.ts";
import { ErrorCode, errorName, isRetriable, KafkaError } from "../../protocol/errors.ts";
import { heartbeat, joinGroup, type JoinGroupResponse, leaveGroup, syncGroup } from "../../protocol/messages/index.ts";
import { backoffMs } from "../backoff.ts";
import { type Cluster, coordinatorMoved } from "../cluster.ts";
import type { CommitIdentity } from "../offset-store.ts";
import { closedError, shouldRetry, within } from "../retry.ts";

export interface GroupSessionOptions {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}
export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Uint8Array;
}
export interface GroupCallbacks {
  /** Asked before each JoinGroup; preferred first. */
  protocols(): Promise<readonly GroupProtocol[]> | readonly GroupProtocol[];
  /** On the leader only. */
  assign(protocol: string, leaderId: string, members: readonly JoinedMember[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** The coordinator wants everybody to join again. Told once per generation. */
  rebalance(): void;
  /** The generation is over for us; what was assigned belongs to others already. */
  lost(reason: string): void;
  /** This member cannot go on (fenced, not authorised). */
  failed(error: Error): void;
}
export interface Generation {
  readonly protocol: string;
  readonly generation: number;
  readonly memberId: string;
  readonly leaderId: string;
  readonly assignment: Uint8Array;
}
/** The broker answers JoinGroup when the rebalance timeout is over at the latest; this much later we stop waiting. */
const JOIN_GRACE_MS = 5000;
const LEAVE_TIMEOUT_MS = 5000;

export class GroupSession {
  memberId = "";
  generation = -1;
  readonly #cluster: Cluster;
  readonly #options: GroupSessionOptions;
  readonly #callbacks: GroupCallbacks;
  #heartbeatTimer: Timer | null = null;
  /** Monotonic ms of the last sign of life that the coordinator has seen. */
  #seenAt = 0;
  #rebalanceTold = false;
  /** A generation was reached whose end nobody has been told of. */
  #settled = false;
  #left = false;

  constructor(cluster: Cluster, options: GroupSessionOptions, callbacks: GroupCallbacks) {
    this.#cluster = cluster;
    this.#options = options;
    this.#callbacks = callbacks;
  }
  identity(): CommitIdentity {
    return { generation: this.generation, memberId: this.memberId, groupInstanceId: this.#options.groupInstanceId };
  }
  /** Joins until a generation is reached, however often it takes. Throws what cannot heal (FENCED_INSTANCE_ID, authorisation …). */
  async join(reason: string): Promise<Generation> {
    for (let failures = 0; ; ) {
      if (this.#left || this.#cluster.stopped.aborted) throw closedError();
      try {
        return await this.#joinOnce(reason);
      } catch (error) {
        if (this.#left || this.#cluster.stopped.aborted) throw closedError();
        if (!(error instanceof KafkaError)) throw error;
        if (error.code === ErrorCode.MEMBER_ID_REQUIRED) continue;
        if (!this.#mayJoinAgain(error)) throw error;
        this.#checkSilence();
        const { retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config;
        const wait = backoffMs(this.#cluster.deps.random, retryBackoffMs, retryBackoffMaxMs, failures++);
        this.#cluster.deps.logger.debug("joining the group again", { group: this.#options.groupId, reason: error.message });
        await this.#cluster.deps.clock.sleep(wait, this.#cluster.stopped);
      }
    }
  }
  #mayJoinAgain(error: KafkaError): boolean {
    if (coordinatorMoved(error.code)) this.#cluster.forgetCoordinator("group", this.#options.groupId);
    if (error.code === ErrorCode.UNKNOWN_MEMBER_ID || error.code === ErrorCode.ILLEGAL_GENERATION) {
      this.#giveUp(error.code === ErrorCode.UNKNOWN_MEMBER_ID, errorName(error.code));
      return true;
    }
    return error.code === ErrorCode.REBALANCE_IN_PROGRESS || isRetriable(error.code);
  }
  async #joinOnce(reason: string): Promise<Generation> {
    const protocols = await this.#callbacks.protocols();
    // Heartbeats stop while we join: the pending JoinGroup itself keeps the member alive.
    this.#stopHeartbeats();
    const { groupId, groupInstanceId, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const { body } = await this.#cluster.sendToCoordinator(
      "group",
      groupId,
      joinGroup,
      (version) => ({
        groupId,
        sessionTimeoutMs,
        ...(version >= 1 ? { rebalanceTimeoutMs } : {}),
        memberId: this.memberId,
        ...(version >= 5 ? { groupInstanceId } : {}),
        protocolType,
        protocols: protocols.map(({ name, metadata }) => ({ name, metadata })),
        ...(version >= 8 ? { reason } : {}),
      }),
      { timeoutMs: Math.max(this.#cluster.config.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS) },
    );
    if (body.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = body.memberId;
    this.#check(body.errorCode, "JoinGroup");
    this.memberId = body.memberId;
    this.generation = body.generationId;
    this.#rebalanceTold = false;
    this.#alive();
    // The leader may need long for its plan; the session must not end meanwhile.
    this.#startHeartbeats();
    const assignment = await this.#sync(body);
    if (this.generation !== body.generationId) this.#check(ErrorCode.REBALANCE_IN_PROGRESS, "SyncGroup");
    this.#settled = true;
    const protocol = body.protocolName ?? "";
    return { protocol, generation: body.generationId, memberId: body.memberId, leaderId: body.leader, assignment };
  }
  async #sync(joined: JoinGroupResponse): Promise<Uint8Array> {
    const { groupId, groupInstanceId, protocolType } = this.#options;
    const protocolName = joined.protocolName ?? "";
    const leads = joined.leader === joined.memberId && !joined.skipAssignment;
    const plan = leads ? await this.#callbacks.assign(protocolName, joined.leader, joined.members) : new Map<string, Uint8Array>();
    const { body } = await this.#cluster.sendToCoordinator(
      "group",
      groupId,
      syncGroup,
      (version) => ({
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
        ...(version >= 5 ? { protocolType, protocolName } : {}),
        assignments: [...plan].map(([memberId, assignment]) => ({ memberId, assignment })),
      }),
      { timeoutMs: Math.max(this.#cluster.config.requestTimeoutMs, this.#options.rebalanceTimeoutMs + JOIN_GRACE_MS) },
    );
    this.#check(body.errorCode, "SyncGroup");
    this.#alive();
    return body.assignment;
  }
  #check(code: number, what: string): void {
    if (code !== ErrorCode.NONE) throw new KafkaError(code, `${what} of group ${this.#options.groupId}: ${errorName(code)}`);
  }

  #alive(): void {
    this.#seenAt = this.#cluster.deps.clock.monotonic();
  }
  #startHeartbeats(delayMs: number = this.#options.heartbeatIntervalMs): void {
    this.#stopHeartbeats();
    this.#heartbeatTimer = this.#cluster.deps.clock.after(delayMs, () => void this.#beat());
  }
  #stopHeartbeats(): void {
    this.#heartbeatTimer?.cancel();
    this.#heartbeatTimer = null;
  }
  async #beat(): Promise<void> {
    const timer = this.#heartbeatTimer;
    const { generation, memberId } = this;
    const { groupId, groupInstanceId, sessionTimeoutMs } = this.#options;
    const leftMs = Math.max(1, this.#seenAt + sessionTimeoutMs - this.#cluster.deps.clock.monotonic());
    let code: number = ErrorCode.NETWORK_EXCEPTION;
    try {
      const request = this.#cluster.sendToCoordinator("group", groupId, heartbeat, (version) => ({
        groupId,
        generationId: generation,
        memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
      }));
      code = (await within(this.#cluster, "heartbeat", leftMs, request)).body.errorCode;
    } catch (error) {
      if (!shouldRetry(error)) return this.#callbacks.failed(error instanceof Error ? error : new Error(String(error)));
    }
    // A join, a leave or the end came in between: this answer is about a generation of the past.
    if (timer !== this.#heartbeatTimer || this.#left || this.#cluster.stopped.aborted) return;
    this.#beaten(code);
  }
  #beaten(code: number): void {
    const { retryBackoffMs } = this.#cluster.config;
    if (code === ErrorCode.NONE || code === ErrorCode.REBALANCE_IN_PROGRESS) {
      this.#alive();
      this.#startHeartbeats();
      if (code === ErrorCode.REBALANCE_IN_PROGRESS && !this.#rebalanceTold) {
        this.#rebalanceTold = true;
        this.#callbacks.rebalance();
      }
      return;
    }
    if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) {
      return this.#giveUp(code === ErrorCode.UNKNOWN_MEMBER_ID, errorName(code));
    }
    if (!isRetriable(code)) {
      this.#stopHeartbeats();
      return this.#callbacks.failed(new KafkaError(code, `heartbeat of group ${this.#options.groupId}: ${errorName(code)}`));
    }
    if (coordinatorMoved(code)) this.#cluster.forgetCoordinator("group", this.#options.groupId);
    if (!this.#checkSilence()) this.#startHeartbeats(retryBackoffMs);
  }
  /** Nobody has heard of us for a whole session: the others own our part by now, whether or not we were told. */
  #checkSilence(): boolean {
    const silentMs = this.#cluster.deps.clock.monotonic() - this.#seenAt;
    if (!this.#settled || silentMs < this.#options.sessionTimeoutMs) return false;
    this.#giveUp(true, `no contact to the coordinator for ${Math.round(silentMs)} ms`);
    return true;
  }
  #giveUp(memberIdToo: boolean, reason: string): void {
    const had = this.#settled;
    this.#settled = false;
    this.#stopHeartbeats();
    this.generation = -1;
    if (memberIdToo) this.memberId = "";
    if (had) this.#callbacks.lost(reason);
  }

  /** Leaves for now (max.poll.interval.ms exceeded, unsubscribed); `join` comes back. Static members stay registered (KIP-345). */
  async leave(reason: string): Promise<void> {
    this.#stopHeartbeats();
    const { groupId, groupInstanceId } = this.#options;
    const memberId = this.memberId;
    this.generation = -1;
    this.memberId = "";
    this.#settled = false;
    if (memberId === "" || groupInstanceId !== null) return;
    try {
      // Not on the coordinator's connection: a JoinGroup that waits there would hold it up.
      const options = { purpose: "control" as const, timeoutMs: LEAVE_TIMEOUT_MS };
      const request = this.#cluster.sendToCoordinator(
        "group",
        groupId,
        leaveGroup,
        (version) =>
          version >= 3 ? { groupId, members: [{ memberId, groupInstanceId, ...(version >= 5 ? { reason } : {}) }] } : { groupId, memberId },
        options,
      );
      await within(this.#cluster, "leaving the group", LEAVE_TIMEOUT_MS, request);
    } catch (error) {
      this.#cluster.deps.logger.debug("leaving the group failed; the session timeout will do it", {
        group: groupId,
        reason: String(error),
      });
    }
  }
  /** For good: a join under way ends with an error. */
  async close(reason: string): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    await this.leave(reason);
  }
}
