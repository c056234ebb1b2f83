/**
 * The consumer's place in its group. Joining runs in the background; what it means (giving partitions up, taking them over,
 * the listener's calls) happens inside `poll`, between two batches of records, so that a listener can commit what was
 * processed. Eager assignors give everything up before joining, cooperative ones only what moves (KIP-429).
 */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { decodeRecord, encodeRecord, recordPrefix } from "../../protocol/record-codec.ts";
import { consumerProtocolAssignment, consumerProtocolSubscription } from "../../protocol/state/embedded.ts";
import type { Cluster } from "../cluster.ts";
import { type Generation, type GroupProtocol, GroupSession, type JoinedMember } from "../group/session.ts";
import { partitionKey } from "../list-offsets.ts";
import type { CommitIdentity } from "../offset-store.ts";
import type { RebalanceListener, TopicPartition } from "../types.ts";
import type { Assignor, GroupMember } from "./assignors.ts";
import type { ConsumerConfig } from "./config.ts";

const SUBSCRIPTION_VERSION = 3;
const ASSIGNMENT_VERSION = 3;
/** What the group needs from the consumer around it. */
export interface GroupHost {
  /** Topics subscribed to now (a pattern's matches). */
  topics(): readonly string[];
  owned(): readonly TopicPartition[];
  /** Replaces the assignment; partitions that stay keep their position. */
  own(partitions: readonly TopicPartition[]): void;
  /** Before partitions are given up or a join (auto-commit). */
  beforeRebalance(): Promise<void>;
  notify(): void;
}

export class ConsumerGroup {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #host: GroupHost;
  readonly #session: GroupSession;
  readonly #cooperative: boolean;
  listener: RebalanceListener | null = null;
  #joinBecause: string | null = "first join";
  #joining = false;
  #joined: Generation | null = null;
  #error: Error | null = null;
  #lost = false;
  #generation = -1;
  /** On the leader: partition counts that the last assignment was made from. */
  #assignedFrom: ReadonlyMap<string, number> | null = null;

  constructor(cluster: Cluster, config: ConsumerConfig, groupId: string, host: GroupHost) {
    this.#cluster = cluster;
    this.#config = config;
    this.#host = host;
    // One eager assignor in the list makes everybody eager: the group may choose it.
    this.#cooperative = config.assignors.every((each) => each.cooperative);
    const { groupInstanceId, sessionTimeoutMs, heartbeatIntervalMs, pollIntervalMsMax } = config;
    const options = {
      groupId,
      groupInstanceId,
      protocolType: "consumer",
      sessionTimeoutMs,
      heartbeatIntervalMs,
      rebalanceTimeoutMs: pollIntervalMsMax,
    };
    this.#session = new GroupSession(cluster, options, {
      protocols: () => this.#protocols(),
      assign: (protocol, _leaderId, members) => this.#assign(protocol, members),
      rebalance: () => this.rejoin("the group is rebalancing"),
      lost: (reason) => {
        this.#lost = true;
        this.rejoin(reason);
      },
      failed: (error) => {
        this.#error = error;
        this.#lost = true;
        host.notify();
      },
    });
  }
  identity(): CommitIdentity {
    return this.#session.identity();
  }
  rejoin(reason: string): void {
    this.#joinBecause ??= reason;
    this.#host.notify();
  }
  /** Does what is due now; never waits for the coordinator, only for the listener. Throws what membership failed with for good. */
  async advance(): Promise<void> {
    if (this.#lost) {
      this.#lost = false;
      await this.#giveUpAll("lost");
    }
    if (this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      this.#joinBecause ??= "after an error";
      throw error;
    }
    const joined = this.#joined;
    if (joined !== null) {
      this.#joined = null;
      await this.#take(joined);
    }
    if (this.#joinBecause !== null && !this.#joining) await this.#startJoin(this.#joinBecause);
  }
  async #startJoin(reason: string): Promise<void> {
    this.#joinBecause = null;
    await this.#host.beforeRebalance();
    if (!this.#cooperative) await this.#giveUpAll("revoked");
    this.#joining = true;
    this.#session.join(reason).then(
      (joined) => {
        this.#joining = false;
        this.#joined = joined;
        this.#host.notify();
      },
      (error: unknown) => {
        this.#joining = false;
        if (this.#cluster.stopped.aborted) return;
        this.#error = error instanceof Error ? error : new Error(String(error));
        this.#host.notify();
      },
    );
  }
  async #giveUpAll(how: "revoked" | "lost"): Promise<void> {
    const owned = this.#host.owned();
    if (owned.length === 0) return;
    try {
      await this.listener?.[how](owned);
    } finally {
      this.#host.own([]);
    }
  }
  async #take(joined: Generation): Promise<void> {
    const version = Math.min(recordPrefixOf(joined.assignment), ASSIGNMENT_VERSION);
    const plan =
      joined.assignment.length === 0 ? [] : decodeRecord(consumerProtocolAssignment, joined.assignment, version).assignedPartitions;
    const next = plan.flatMap(({ topic, partitions }) => partitions.map((partition): TopicPartition => ({ topic, partition })));
    this.#generation = joined.generation;
    const before = this.#host.owned();
    const had = new Set(before.map(partitionKey));
    const has = new Set(next.map(partitionKey));
    const added = next.filter((each) => !had.has(partitionKey(each)));
    const revoked = before.filter((each) => !has.has(partitionKey(each)));
    if (revoked.length > 0) {
      await this.listener?.revoked(revoked);
      // Only now may somebody else get them: they are given out in the round that this join begins.
      if (this.#cooperative) this.rejoin("partitions were given up");
    }
    this.#cluster.want(next.map((each) => each.topic));
    this.#host.own(next);
    await this.listener?.assigned(added);
  }

  #protocols(): GroupProtocol[] {
    const owned = this.#cooperative ? this.#host.owned() : [];
    const metadata = encodeRecord(consumerProtocolSubscription, SUBSCRIPTION_VERSION, {
      topics: this.#host.topics(),
      ownedPartitions: [...Map.groupBy(owned, (each) => each.topic)].map(([topic, group]) => ({
        topic,
        partitions: group.map((each) => each.partition),
      })),
      generationId: this.#generation,
      rackId: this.#config.rack === "" ? null : this.#config.rack,
    });
    return this.#config.assignors.map(({ name }) => ({ name, metadata }));
  }
  async #assign(protocol: string, members: readonly JoinedMember[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const assignor = this.#config.assignors.find((each) => each.name === protocol);
    if (assignor === undefined)
      throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `the group chose assignor ${protocol}, which is not configured`);
    const parsed = members.map(parseMember);
    const topics = new Set(parsed.flatMap((each) => each.topics));
    this.#cluster.want(topics);
    await this.#cluster.refresh();
    const counts = this.#counts(topics);
    this.#assignedFrom = counts;
    return encodePlan(assignor, parsed, counts);
  }
  #counts(topics: Iterable<string>): Map<string, number> {
    const counts = new Map<string, number>();
    for (const topic of topics) {
      const count = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0;
      if (count > 0) counts.set(topic, count);
    }
    return counts;
  }
  /** On the leader: topics that appeared, went or grew ask for a new assignment. */
  metadataChanged(subscribed: ReadonlySet<string>): void {
    const before = this.#assignedFrom;
    if (before === null) return;
    const now = this.#counts(new Set([...before.keys(), ...subscribed]));
    const same = now.size === before.size && [...now].every(([topic, count]) => before.get(topic) === count);
    if (same) return;
    this.#assignedFrom = null;
    this.rejoin("topics have changed");
  }
  /** max.poll.interval.ms is exceeded: the others take over until poll is called again. */
  async leaveFor(reason: string): Promise<void> {
    this.#lost = true;
    this.#joinBecause ??= reason;
    await this.#session.leave(reason);
  }
  async close(): Promise<void> {
    if (!this.#lost) await this.#giveUpAll("revoked");
    await this.#session.close("the consumer is being closed");
  }
}
const recordPrefixOf = (bytes: Uint8Array): number => (bytes.length < 2 ? 0 : recordPrefix(bytes));

/** Versions newer than ours only add fields at the end. */
function parseMember(member: JoinedMember): GroupMember {
  const version = Math.min(recordPrefixOf(member.metadata), SUBSCRIPTION_VERSION);
  const { topics, ownedPartitions, generationId, userData } = decodeRecord(consumerProtocolSubscription, member.metadata, version);
  // Before version 2, cooperative-sticky carried the generation as its user data.
  const generation = version < 2 && userData?.length === 4 ? Buffer.from(userData).readInt32BE(0) : generationId;
  const owned = ownedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  return { memberId: member.memberId, groupInstanceId: member.groupInstanceId, topics, owned, generation };
}
function encodePlan(assignor: Assignor, members: readonly GroupMember[], counts: ReadonlyMap<string, number>): Map<string, Uint8Array> {
  const plan = assignor.assign(members, counts);
  return new Map(
    [...plan].map(([memberId, partitions]) => {
      const assignedPartitions = [...Map.groupBy(partitions, (each) => each.topic)].map(([topic, group]) => ({
        topic,
        partitions: group.map((each) => each.partition),
      }));
      return [memberId, encodeRecord(consumerProtocolAssignment, 1, { assignedPartitions })];
    }),
  );
}
