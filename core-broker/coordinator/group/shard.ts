/** One partition of __consumer_offsets that this node leads: its groups and offsets, replayed from the log. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { decodeRecord, recordPrefix } from "../../protocol/record-codec.ts";
import { groupMetadataKey, groupMetadataValue, offsetCommitKey, offsetCommitValue } from "../../protocol/state/group-records.ts";
import { committedOffset, OffsetStore } from "../offsets/offset-store.ts";
import type { CoordinatorDeps, ProducerIdentity, StateBatch, StateRecord } from "../types.ts";
import { ClassicGroup } from "./classic-group.ts";
import { classicGroupOf, classicGroupRecord } from "./classic-records.ts";
import { type ClassicHost, dropMember, restartSession } from "./classic-rebalance.ts";

export type Group = ClassicGroup;

export class GroupShard implements ClassicHost {
  readonly partition: number;
  readonly groups = new Map<string, Group>();
  readonly offsets = new OffsetStore();
  state: "loading" | "active" | "closed" = "loading";
  private readonly deps: CoordinatorDeps;

  constructor(deps: CoordinatorDeps, partition: number) {
    this.deps = deps;
    this.partition = partition;
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

  async load(): Promise<void> {
    const startedMs = this.clock.monotonic();
    let batches = 0;
    for await (const batch of this.deps.groupLog.load(this.partition)) {
      if (this.state === "closed") return;
      this.replayBatch(batch);
      batches++;
    }
    if (this.state === "closed") return;
    for (const id of this.offsets.groupIds()) this.getOrCreateClassic(id);
    this.state = "active";
    for (const group of this.groups.values()) for (const member of group.members.values()) restartSession(this, group, member);
    if (batches > 0) {
      const elapsedMs = Math.round(this.clock.monotonic() - startedMs);
      this.logger.info("group state loaded", { partition: this.partition, groups: this.groups.size, batches, elapsedMs });
    }
  }
  private replayBatch(batch: StateBatch): void {
    if (batch.marker !== null) {
      if (batch.producer !== null) this.offsets.replayEnd(batch.producer.producerId, batch.marker === "commit");
      return;
    }
    for (const record of batch.records) this.replayRecord(record, batch.producer?.producerId ?? null);
  }
  /** Records of types that we do not know are newer than we are: skipped, as Kafka does. */
  private replayRecord(record: StateRecord, producerId: number | null): void {
    switch (recordPrefix(record.key)) {
      case 0:
      case 1: {
        const key = decodeRecord(offsetCommitKey, record.key, 0);
        const value = record.value === null ? null : committedOffset(decodeRecord(offsetCommitValue, record.value));
        return this.offsets.replay(key.group, key.topic, key.partition, value, producerId);
      }
      case 2: {
        const { group } = decodeRecord(groupMetadataKey, record.key, 0);
        if (record.value === null) this.groups.delete(group);
        else this.groups.set(group, classicGroupOf(group, decodeRecord(groupMetadataValue, record.value), this.clock.now()));
        return;
      }
      default:
    }
  }

  append(records: readonly StateRecord[], producer?: ProducerIdentity): Promise<void> {
    if (this.state !== "active") return Promise.reject(new KafkaError(ErrorCode.NOT_COORDINATOR));
    return this.deps.groupLog.append(this.partition, records, producer);
  }
  writeGroup(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void> {
    return this.append([classicGroupRecord(group, assignments)]);
  }
  getOrCreateClassic(groupId: string): Group {
    let group = this.groups.get(groupId);
    if (group === undefined) this.groups.set(groupId, (group = new ClassicGroup(groupId, this.clock.now())));
    return group;
  }
  /** Another node leads now, or the broker stops: who waits is sent to look for the coordinator. */
  close(): void {
    this.state = "closed";
    for (const group of this.groups.values()) {
      group.cancelTimers();
      for (const member of group.members.values()) {
        member.awaitingJoin?.({ errorCode: ErrorCode.NOT_COORDINATOR, memberId: member.id, protocolName: "" });
        member.awaitingSync?.({ errorCode: ErrorCode.NOT_COORDINATOR });
        member.awaitingJoin = null;
        member.awaitingSync = null;
      }
      group.state = "Dead";
    }
  }
  /** A deleted group: nobody finds it any more, and who still holds it sees Dead. */
  forget(group: Group): void {
    for (const id of group.members.keys()) dropMember(group, id);
    group.cancelTimers();
    group.transitionTo("Dead", this.clock.now());
    this.groups.delete(group.id);
  }
}
