/** One partition of __consumer_offsets that this node leads: its groups and offsets, replayed from the log. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { decodeRecord, recordPrefix } from "../../protocol/record-codec.ts";
import { groupMetadataKey, groupMetadataValue, offsetCommitKey, offsetCommitValue } from "../../protocol/state/group-records.ts";
import { codeOf } from "../error-code.ts";
import { committedOffset, OffsetStore } from "../offsets/offset-store.ts";
import type { CoordinatorDeps, ProducerIdentity, StateBatch, StateRecord } from "../types.ts";
import { ClassicGroup } from "./classic-group.ts";
import { classicGroupOf, classicGroupRecord, classicGroupTombstone } from "./classic-records.ts";
import { type ClassicHost, dropMember, restartSession } from "./classic-rebalance.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { restartConsumerSession, watchRevocation } from "./consumer-departure.ts";
import type { ConsumerHost } from "./consumer-heartbeat.ts";
import { type ConsumerGroups, groupTombstones, replayConsumerRecord } from "./consumer-records.ts";

export type Group = ClassicGroup | ConsumerGroup;

export class GroupShard implements ClassicHost, ConsumerHost, ConsumerGroups {
  readonly partition: number;
  readonly groups = new Map<string, Group>();
  readonly offsets = new OffsetStore();
  state: "loading" | "active" | "closed" = "loading";
  private readonly deps: CoordinatorDeps;
  /** Told when replayed records did not reach the log: what is in memory is ahead of it. */
  private readonly onDiverged: () => void;

  constructor(deps: CoordinatorDeps, partition: number, onDiverged: () => void) {
    this.deps = deps;
    this.partition = partition;
    this.onDiverged = onDiverged;
  }
  get config() {
    return this.deps.config;
  }
  get clock() {
    return this.deps.clock;
  }
  get random() {
    return this.deps.random;
  }
  get logger() {
    return this.deps.logger;
  }
  consumerTimes(groupId: string): { readonly sessionTimeoutMs: number; readonly heartbeatIntervalMs: number } {
    const own = this.deps.groupConfigs?.(groupId);
    return {
      sessionTimeoutMs: Number(own?.get("consumer.session.timeout.ms") ?? this.config.consumerGroupSessionTimeoutMs),
      heartbeatIntervalMs: Number(own?.get("consumer.heartbeat.interval.ms") ?? this.config.consumerGroupHeartbeatIntervalMs),
    };
  }
  get metadata() {
    return this.deps.metadata;
  }

  async load(): Promise<void> {
    const startedMs = this.clock.monotonic();
    let batches = 0;
    for await (const batch of this.deps.groupLog.load(this.partition)) {
      if (this.state === "closed") return;
      this.replayBatch(batch);
      batches++;
    }
    if (this.state === "closed") return;
    for (const id of this.offsets.groupIds()) this.getOrCreate(id);
    this.state = "active";
    for (const group of this.groups.values()) this.startTimers(group);
    if (batches > 0) {
      const elapsedMs = Math.round(this.clock.monotonic() - startedMs);
      this.logger.debug("group state loaded", { partition: this.partition, groups: this.groups.size, batches, elapsedMs });
    }
  }
  private startTimers(group: Group): void {
    if (group.type === "classic") {
      for (const member of group.members.values()) restartSession(this, group, member);
      return;
    }
    for (const id of group.members.keys()) {
      restartConsumerSession(this, group, id);
      watchRevocation(this, group, id);
    }
  }
  private replayBatch(batch: StateBatch): void {
    if (batch.marker !== null) {
      if (batch.producer !== null) this.offsets.replayEnd(batch.producer.producerId, batch.marker === "commit");
      return;
    }
    for (const record of batch.records) this.replay(record, batch.producer?.producerId ?? null);
  }
  /** Records of types that we do not know are newer than we are: skipped, as Kafka does. */
  replay(record: StateRecord, producerId: number | null = null): void {
    switch (recordPrefix(record.key)) {
      case 0:
      case 1: {
        const key = decodeRecord(offsetCommitKey, record.key, 0);
        const value = record.value === null ? null : committedOffset(decodeRecord(offsetCommitValue, record.value));
        return this.offsets.replay(key.group, key.topic, key.partition, value, producerId);
      }
      case 2: {
        const { group } = decodeRecord(groupMetadataKey, record.key, 0);
        if (record.value !== null)
          this.groups.set(group, classicGroupOf(group, decodeRecord(groupMetadataValue, record.value), this.clock.now()));
        else this.endClassic(group);
        return;
      }
      default:
        replayConsumerRecord(this, record);
    }
  }
  /** Its timers would speak for a group that is not there any more. */
  private endClassic(groupId: string): void {
    const group = this.groups.get(groupId);
    if (group?.type !== "classic") return;
    group.cancelTimers();
    group.state = "Dead";
    this.groups.delete(groupId);
  }

  append(records: readonly StateRecord[], producer?: ProducerIdentity): Promise<void> {
    if (this.state !== "active") return Promise.reject(new KafkaError(ErrorCode.NOT_COORDINATOR));
    return this.deps.groupLog.append(this.partition, records, producer);
  }
  writeGroup(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void> {
    return this.append([classicGroupRecord(group, assignments)]);
  }
  async persist(records: readonly StateRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.append(records);
    } catch (error) {
      if (this.state === "active") this.onDiverged();
      throw new KafkaError(codeOf(error), undefined, error);
    }
  }

  /** A group that has offsets but no members yet is a classic one ("simple"). */
  getOrCreate(groupId: string): Group {
    let group = this.groups.get(groupId);
    if (group === undefined) this.groups.set(groupId, (group = new ClassicGroup(groupId, this.clock.now())));
    return group;
  }
  /** For JoinGroup: an empty KIP-848 group makes room; one with members was not asked for. */
  classicForJoin(groupId: string): ClassicGroup {
    const known = this.groups.get(groupId);
    if (known?.type === "classic") return known;
    if (known !== undefined) {
      if (known.members.size > 0) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
      const tombstones = groupTombstones(known);
      for (const record of tombstones) this.replay(record);
      this.persist(tombstones).catch((error: unknown) => {
        this.logger.warn("the end of a consumer group could not be recorded", { group: groupId, error: String(error) });
      });
    }
    const group = new ClassicGroup(groupId, this.clock.now());
    this.groups.set(groupId, group);
    return group;
  }
  findConsumer(groupId: string): ConsumerGroup | null {
    const group = this.groups.get(groupId);
    if (group === undefined || group.type === "consumer") return group ?? null;
    if (group.state === "Empty") return null;
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a consumer group.`);
  }
  findClassic(groupId: string): ClassicGroup | null {
    const group = this.groups.get(groupId);
    return group?.type === "classic" && group.members.size > 0 ? group : null;
  }
  makeRoom(groupId: string): StateRecord[] {
    const group = this.groups.get(groupId);
    // A simple group has no record of its own; a tombstone more does no harm.
    return group?.type === "classic" ? [classicGroupTombstone(groupId)] : [];
  }
  find(groupId: string): ConsumerGroup | null {
    const group = this.groups.get(groupId);
    return group?.type === "consumer" ? group : null;
  }
  create(groupId: string): ConsumerGroup {
    let group = this.find(groupId);
    if (group === null) this.groups.set(groupId, (group = new ConsumerGroup(groupId)));
    return group;
  }
  remove(groupId: string): void {
    const group = this.find(groupId);
    if (group === null) return;
    group.cancelTimers();
    group.dead = true;
    this.groups.delete(groupId);
  }

  /** Another node leads now, or the broker stops: who waits is sent to look for the coordinator. */
  close(): void {
    this.state = "closed";
    for (const group of this.groups.values()) {
      group.cancelTimers();
      if (group.type === "consumer") group.dead = true;
      else closeClassic(group);
    }
  }
  /** A deleted group: nobody finds it any more, and who still holds it sees Dead. */
  forget(group: Group): void {
    if (group.type === "consumer") return this.remove(group.id);
    for (const id of group.members.keys()) dropMember(group, id);
    group.cancelTimers();
    group.transitionTo("Dead", this.clock.now());
    this.groups.delete(group.id);
  }
}

function closeClassic(group: ClassicGroup): void {
  for (const member of group.members.values()) {
    member.awaitingJoin?.({ errorCode: ErrorCode.NOT_COORDINATOR, memberId: member.id, protocolName: "" });
    member.awaitingSync?.({ errorCode: ErrorCode.NOT_COORDINATOR });
    member.awaitingJoin = null;
    member.awaitingSync = null;
  }
  group.state = "Dead";
}
