/**
 * Membership of a group with a protocol of one's own: joins, stays, and calls back. Callbacks never overlap; heartbeats go on
 * while they run.
 */
import { KafkaError } from "../../protocol/errors.ts";
import { Cluster } from "../cluster.ts";
import { ConfigReader } from "../config.ts";
import type { ClientDeps } from "../deps.ts";
import { Notifier } from "../notifier.ts";
import type { ClientConfig, GroupMembership, GroupMembershipOptions } from "../types.ts";
import { type Generation, GroupSession } from "./session.ts";

const IDLE_MS = 3_600_000;

export class KafkaGroupMembership implements GroupMembership {
  readonly #cluster: Cluster;
  readonly #session: GroupSession;
  readonly #options: GroupMembershipOptions;
  readonly #news: Notifier;
  readonly #ended: Promise<void>;
  #current: Generation | null = null;
  #joinBecause: string | null = "first join";
  #lost = false;
  #closing = false;
  #failures = 0;

  constructor(config: ClientConfig, options: GroupMembershipOptions, deps: ClientDeps) {
    const read = new ConfigReader(config);
    this.#options = options;
    this.#cluster = new Cluster(config, deps);
    this.#news = new Notifier(deps.clock);
    const settings = {
      groupId: options.groupId,
      groupInstanceId: read.text("group.instance.id"),
      protocolType: options.protocolType,
      // Kafka Connect's defaults for its worker group.
      sessionTimeoutMs: read.int("session.timeout.ms", 10_000, 1),
      rebalanceTimeoutMs: read.int("rebalance.timeout.ms", 60_000, 1),
      heartbeatIntervalMs: read.int("heartbeat.interval.ms", 3000, 1),
    };
    this.#session = new GroupSession(this.#cluster, settings, {
      protocols: () => options.metadata(),
      assign: (protocol, leaderId, members) => options.leaderAssigns(protocol, leaderId, members),
      rebalance: () => this.#ask("the group is rebalancing"),
      lost: (reason) => {
        // While a join is under way nothing is held, and the join goes on by itself.
        if (this.#current === null) return;
        this.#lost = true;
        this.#ask(reason);
      },
      failed: (error) => {
        deps.logger.error("group membership failed; trying again", { group: options.groupId, reason: error.message });
        this.#lost = true;
        this.#ask(error.message);
      },
    });
    this.#ended = this.#run();
  }
  get memberId(): string | null {
    return this.#current?.memberId ?? null;
  }
  get generation(): number {
    return this.#current?.generation ?? -1;
  }
  /** The coordinator rebalances when the leader joins again or metadata changed; otherwise a follower gets its assignment anew. */
  rejoin(): void {
    this.#ask("rejoin was requested");
  }
  #ask(reason: string): void {
    this.#joinBecause ??= reason;
    this.#news.notify();
  }
  async #run(): Promise<void> {
    while (!this.#closing) {
      if (this.#joinBecause === null && !this.#lost) {
        await this.#news.wait(IDLE_MS);
        continue;
      }
      try {
        await this.#rejoin();
        this.#failures = 0;
      } catch (error) {
        if (this.#closing) break;
        this.#failures++;
        const fields = { group: this.#options.groupId, reason: String(error), code: error instanceof KafkaError ? error.code : null };
        this.#cluster.deps.logger.error("the group could not be joined; trying again", fields);
        this.#joinBecause ??= "joining failed";
        const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#cluster.config;
        const wait = Math.min(reconnectBackoffMs * 2 ** Math.min(this.#failures, 10), Math.max(reconnectBackoffMaxMs, 1000));
        await this.#cluster.deps.clock.sleep(wait, this.#cluster.stopped);
      }
    }
  }
  async #rejoin(): Promise<void> {
    const reason = this.#joinBecause ?? "membership was lost";
    if (this.#current !== null) await this.#revoke();
    this.#joinBecause = null;
    this.#lost = false;
    const joined = await this.#session.join(reason);
    // Lost between SyncGroup and here: the next round says so.
    this.#current = joined;
    const { protocol, generation, memberId, leaderId, assignment } = joined;
    await this.#options.onAssignment(protocol, generation, memberId, leaderId, assignment);
  }
  async #revoke(): Promise<void> {
    const lost = this.#lost;
    this.#current = null;
    await this.#options.onRevoked(lost ? "lost" : "rebalance");
  }
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.#session.close("the member is closing");
    this.#current = null;
    this.#cluster.close();
    this.#news.notify();
    await this.#ended;
  }
}
