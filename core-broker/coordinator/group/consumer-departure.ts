/** How members leave a consumer group, or are made to: sessions, and the deadlines of a rebalance. */
import type { Timer } from "../../base/clock.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import { type ConsumerHost, recorder, type Write } from "./consumer-heartbeat.ts";
import { groupEpochRecord, memberTombstones } from "./consumer-records.ts";
import { downgrade, mayDowngrade } from "./migration.ts";
import { MEMBER_STATES } from "./reconcile.ts";

/** Where only classic members stay, the group becomes a classic one again. */
export function removeMembers(host: ConsumerHost, group: ConsumerGroup, ids: readonly string[], write: Write): void {
  for (const id of ids) group.cancelTimersOf(id);
  if (mayDowngrade(host, group, ids)) return downgrade(host, group, ids, write);
  write([...ids.flatMap((id) => memberTombstones(group.id, id)), groupEpochRecord(group.id, group.epoch + 1, group.metadataHash)]);
}

/** The coordinator's own decision that a member is gone. */
function fence(host: ConsumerHost, group: ConsumerGroup, memberId: string, why: string): void {
  if (group.dead || !group.members.has(memberId)) return;
  host.logger.info("group member fenced", { group: group.id, member: memberId, why });
  const { records, write } = recorder(host);
  removeMembers(host, group, [memberId], write);
  host.persist(records).catch((error: unknown) => {
    host.logger.warn("a fenced member could not be recorded", { group: group.id, member: memberId, error: String(error) });
  });
}

/** Starts anew; a classic member brings its own session time-out. */
export function restartConsumerSession(host: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  const timeoutMs = group.members.get(memberId)?.metadata.classic?.sessionTimeoutMs ?? host.consumerTimes(group.id).sessionTimeoutMs;
  setDeadline(host, group, group.sessions, memberId, timeoutMs, "its session expired");
}
/** A classic member that was told to rebalance has its rebalance time-out to join again. A deadline that runs is kept. */
export function expectJoin(host: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  if (!group.joinDeadlines.has(memberId)) {
    setDeadline(host, group, group.joinDeadlines, memberId, rebalanceTimeoutOf(group, memberId), "it did not join again in time");
  }
}
export const expectSync = (host: ConsumerHost, group: ConsumerGroup, memberId: string): void =>
  setDeadline(host, group, group.syncDeadlines, memberId, rebalanceTimeoutOf(group, memberId), "it did not send SyncGroup in time");
export function met(deadlines: Map<string, Timer>, memberId: string): void {
  deadlines.get(memberId)?.cancel();
  deadlines.delete(memberId);
}
function setDeadline(
  host: ConsumerHost,
  group: ConsumerGroup,
  on: Map<string, Timer>,
  memberId: string,
  afterMs: number,
  why: string,
): void {
  met(on, memberId);
  const timer = host.clock.after(afterMs, () => {
    on.delete(memberId);
    fence(host, group, memberId, why);
  });
  on.set(memberId, timer);
}
const rebalanceTimeoutOf = (group: ConsumerGroup, memberId: string): number =>
  group.members.get(memberId)?.metadata.rebalanceTimeoutMs ?? 0;

/** A member has its rebalance time-out to give up what it must. Classic members have the deadlines of joins instead. */
export function watchRevocation(host: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  const member = group.members.get(memberId);
  const waiting = member?.current.state === MEMBER_STATES.unrevoked && member.metadata.classic === null;
  const running = group.revocations.get(memberId);
  if (!waiting || member === undefined) {
    running?.cancel();
    group.revocations.delete(memberId);
    return;
  }
  if (running !== undefined) return;
  const { epoch } = member.current;
  const timer = host.clock.after(member.metadata.rebalanceTimeoutMs, () => {
    group.revocations.delete(memberId);
    const now = group.members.get(memberId)?.current;
    if (now?.state !== MEMBER_STATES.unrevoked) return;
    if (now.epoch === epoch) fence(host, group, memberId, "it did not give up its partitions in time");
    else watchRevocation(host, group, memberId);
  });
  group.revocations.set(memberId, timer);
}
