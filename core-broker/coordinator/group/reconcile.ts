/**
 * One step of a member towards its target (KIP-848): first what it must give up, and only when it has, what is new for it and
 * free. A partition has one owner at any time, and it counts as owned until its owner reports that it is gone.
 */
import { type Assignment, difference, filter, intersection, NOTHING, union } from "./assignment.ts";

/** The value is the byte in the record. */
export const MEMBER_STATES = { stable: 0, unrevoked: 1, unreleased: 2 } as const;
export type MemberState = (typeof MEMBER_STATES)[keyof typeof MEMBER_STATES];

export interface CurrentAssignment {
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly state: MemberState;
  readonly assigned: Assignment;
  /** Still counted as the member's until it stops reporting them. */
  readonly revoking: Assignment;
}
export interface Target {
  readonly epoch: number;
  readonly assignment: Assignment;
}

/** `owned` null: the member did not say. `isTaken`: another member owns the partition or has not given it up yet. */
export function reconcile(
  current: CurrentAssignment,
  target: Target,
  owned: Assignment | null,
  isTaken: (topicId: string, partition: number) => boolean,
): CurrentAssignment {
  switch (current.state) {
    case MEMBER_STATES.stable:
      return current.epoch === target.epoch ? current : next(current, current.epoch, target, owned, isTaken);
    case MEMBER_STATES.unrevoked:
      if (owned === null || intersection(owned, current.revoking).size > 0) return current;
      return next(current, Math.min(current.epoch + 1, target.epoch), target, owned, isTaken);
    default:
      return next(current, current.epoch, target, owned, isTaken);
  }
}

function next(
  current: CurrentAssignment,
  epoch: number,
  target: Target,
  owned: Assignment | null,
  isTaken: (topicId: string, partition: number) => boolean,
): CurrentAssignment {
  const kept = intersection(target.assignment, current.assigned);
  const revoking = difference(current.assigned, kept);
  const wanted = difference(target.assignment, kept);
  const free = filter(wanted, (topicId, partition) => !isTaken(topicId, partition));
  const move = (to: number, state: MemberState, assigned: Assignment, pending: Assignment): CurrentAssignment => ({
    epoch: to,
    previousEpoch: to === current.epoch ? current.previousEpoch : current.epoch,
    state,
    assigned,
    revoking: pending,
  });
  const mustRevoke = revoking.size > 0 && (owned === null || intersection(owned, revoking).size > 0);
  if (mustRevoke) return move(epoch, MEMBER_STATES.unrevoked, kept, revoking);
  const waiting = difference(wanted, free).size > 0;
  return move(target.epoch, waiting ? MEMBER_STATES.unreleased : MEMBER_STATES.stable, union(kept, free), NOTHING);
}
