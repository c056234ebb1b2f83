/**
 * Incremental cooperative assignment (KIP-415): work stays where it is; work of a
 * departed worker waits for its return; only surplus is moved. Lives in the leader and remembers the previous round.
 */
import type { Clock } from "#broker/base/clock";
import type { Work } from "./connect-protocol.ts";
import { WorkSet } from "./work-set.ts";

export interface AssignorInput {
  /** Connectors and their tasks that should run. */
  readonly configured: Work;
  /** What each member says that it runs. */
  readonly members: ReadonlyMap<string, Work>;
  /** The generation that the leader completed last; -1: none. */
  readonly lastCompletedGeneration: number;
}
export interface AssignorResult {
  /** New work per member. */
  readonly assigned: ReadonlyMap<string, WorkSet>;
  readonly revoked: ReadonlyMap<string, WorkSet>;
  /** All work per member after this round. */
  readonly all: ReadonlyMap<string, WorkSet>;
  readonly delayMs: number;
}
type Loads = Map<string, WorkSet>;
const BACKOFF_BASE_MS = 1;
const BACKOFF_FACTOR = 30;

export class IncrementalAssignor {
  readonly #clock: Clock;
  readonly #maxDelayMs: number;
  #previous = new WorkSet();
  /** Of the last round that the group completed with our assignment. */
  #previousGeneration = -1;
  /** A round was calculated and has not been completed. */
  #unconfirmed = false;
  #previousMembers: ReadonlySet<string> = new Set();
  #previousRevocation = new WorkSet();
  #revokedInPrevious = false;
  #successiveRevocations = 0;
  /** Monotonic time of the delayed rebalance; 0: none. */
  #scheduledAt = 0;
  #delayMs = 0;
  /** Workers that joined empty while lost work was waiting. */
  readonly #candidates = new Set<string>();

  constructor(clock: Clock, maxDelayMs: number) {
    this.#clock = clock;
    this.#maxDelayMs = maxDelayMs;
  }

  /** The group has completed a generation (whoever led it). */
  completed(generation: number): void {
    if (this.#unconfirmed) this.#previousGeneration = generation;
    this.#unconfirmed = false;
  }

  assign(input: AssignorInput): AssignorResult {
    if (this.#unconfirmed || this.#previousGeneration !== input.lastCompletedGeneration) this.#previous = new WorkSet();
    this.#unconfirmed = true;
    const configured = WorkSet.of(input.configured);
    const current: Loads = new Map([...input.members].map(([member, work]) => [member, WorkSet.of(work)]));
    const active = WorkSet.union(current.values());
    if (this.#previousRevocation.intersect(active).size > 0) this.#previous = active.copy();
    this.#previousRevocation = new WorkSet();

    const deleted = WorkSet.union([this.#previous, active]).minus(configured);
    const lost = this.#previous.minus(active, deleted);
    const created = configured.minus(this.#previous, active);
    const revoked: Loads = new Map([...current.keys()].map((member) => [member, new WorkSet()]));
    const next: Loads = new Map([...current].map(([member, work]) => [member, work.copy()]));
    revoke(revoked, next, deleted);
    const duplicated = duplicates(current);
    revoke(revoked, next, duplicated);

    const toAssign = created.copy();
    this.#handleLost(lost, toAssign, next);
    if (this.#delayMs === 0) this.#balance(configured, revoked, next);
    assignEvenly(next, toAssign);

    const all: Loads = new Map([...next].map(([member, work]) => [member, work]));
    const assigned = new Map([...next].map(([member, work]) => [member, work.minus(current.get(member) ?? new WorkSet())]));
    this.#remember(input, revoked, all, lost);
    return { assigned, revoked, all, delayMs: this.#delayMs };
  }

  #remember(input: AssignorInput, revoked: Loads, all: Loads, lost: WorkSet): void {
    this.#previous = WorkSet.union(all.values());
    for (const work of revoked.values()) {
      this.#previousRevocation.addAll(work);
      this.#previous.removeAll(work);
    }
    this.#previous.addAll(lost);
    this.#previousMembers = new Set(input.members.keys());
  }

  #handleLost(lost: WorkSet, toAssign: WorkSet, next: Loads): void {
    if (lost.size === 0 && !this.#revokedInPrevious) return this.#resetDelay();
    const now = this.#clock.monotonic();
    const nobodyLeft = [...this.#previousMembers].every((member) => next.has(member));
    if ((this.#scheduledAt <= 0 && nobodyLeft) || this.#maxDelayMs === 0) {
      toAssign.addAll(lost);
      return;
    }
    if (this.#scheduledAt > 0 && now >= this.#scheduledAt) {
      const candidates = [...this.#candidates].filter((member) => next.has(member));
      if (candidates.length > 0) assignInTurn(next, candidates, lost);
      else toAssign.addAll(lost);
      this.#resetDelay();
      this.#revokedInPrevious = false;
      return;
    }
    for (const [member, work] of next) if (work.size === 0) this.#candidates.add(member);
    this.#delayMs = now < this.#scheduledAt ? Math.ceil(this.#scheduledAt - now) : this.#maxDelayMs;
    this.#scheduledAt = now + this.#delayMs;
  }
  #resetDelay(): void {
    this.#candidates.clear();
    this.#scheduledAt = 0;
    this.#delayMs = 0;
  }

  #balance(configured: WorkSet, revoked: Loads, next: Loads): void {
    const surplus = surplusPerMember(configured, next);
    if (surplus.size === 0) {
      if (this.#revokedInPrevious) {
        this.#revokedInPrevious = false;
        this.#successiveRevocations = 0;
      }
      return;
    }
    if (this.#revokedInPrevious) {
      this.#successiveRevocations++;
      const backoff = BACKOFF_BASE_MS * BACKOFF_FACTOR ** Math.min(this.#successiveRevocations, 8);
      this.#delayMs = this.#maxDelayMs === 0 ? 0 : Math.min(this.#maxDelayMs, backoff);
      if (this.#delayMs > 0) {
        this.#scheduledAt = this.#clock.monotonic() + this.#delayMs;
        return;
      }
    } else {
      this.#revokedInPrevious = true;
    }
    for (const [member, work] of surplus) {
      revoked.get(member)?.addAll(work);
      next.get(member)?.removeAll(work);
    }
  }
}

function revoke(revoked: Loads, next: Loads, work: WorkSet): void {
  for (const [member, load] of next) {
    const mine = load.intersect(work);
    revoked.get(member)?.addAll(mine);
    load.removeAll(mine);
  }
}
/** Work that more than one member claims to run. */
function duplicates(current: Loads): WorkSet {
  const seen = new WorkSet();
  const twice = new WorkSet();
  for (const work of current.values()) {
    twice.addAll(work.intersect(seen));
    seen.addAll(work);
  }
  return twice;
}
/** What members run beyond an even share, connectors and tasks each on their own. */
function surplusPerMember(configured: WorkSet, next: Loads): Loads {
  const out: Loads = new Map();
  const of = (member: string): WorkSet => {
    const set = out.get(member) ?? new WorkSet();
    out.set(member, set);
    return set;
  };
  for (const [member, names] of surplus(
    configured.connectors.size,
    [...next].map(([m, w]) => [m, [...w.connectors]]),
  )) {
    of(member).add({ connectors: names, tasks: [] });
  }
  for (const [member, ids] of surplus(
    configured.tasks.size,
    [...next].map(([m, w]) => [m, [...w.tasks.values()]]),
  )) {
    of(member).add({ connectors: [], tasks: ids });
  }
  return out;
}
function surplus<T>(total: number, loads: readonly (readonly [string, readonly T[]])[]): [string, readonly T[]][] {
  const share = Math.floor(total / loads.length);
  let extra = total % loads.length;
  const out: [string, readonly T[]][] = [];
  for (const [member, items] of loads) {
    if (items.length <= share) continue;
    const limit = extra > 0 ? share + 1 : share;
    if (extra > 0) extra--;
    if (items.length > limit) out.push([member, items.slice(0, items.length - limit)]);
  }
  return out;
}
function assignEvenly(next: Loads, work: WorkSet): void {
  for (const connector of work.connectors) least(next, (w) => w.connectors.size)?.connectors.add(connector);
  for (const [key, task] of work.tasks) least(next, (w) => w.tasks.size)?.tasks.set(key, task);
}
function least(loads: Loads, size: (work: WorkSet) => number): WorkSet | null {
  let found: WorkSet | null = null;
  for (const work of loads.values()) if (found === null || size(work) < size(found)) found = work;
  return found;
}
function assignInTurn(next: Loads, members: readonly string[], work: WorkSet): void {
  let turn = 0;
  const take = (): WorkSet | undefined => next.get(members[turn++ % members.length] ?? "");
  for (const connector of work.connectors) take()?.connectors.add(connector);
  turn = 0;
  for (const [key, task] of work.tasks) take()?.tasks.set(key, task);
}

/** Version 0: everybody gives up everything, and all is dealt out in turn over the members sorted by id. */
export function assignEagerly(configured: Work, members: readonly string[]): ReadonlyMap<string, WorkSet> {
  const sorted = [...members].sort();
  const out: Loads = new Map(sorted.map((member) => [member, new WorkSet()]));
  let turn = 0;
  const take = (): WorkSet | undefined => out.get(sorted[turn++ % sorted.length] ?? "");
  for (const connector of [...configured.connectors].sort()) take()?.add({ connectors: [connector], tasks: [] });
  for (const id of configured.tasks) take()?.add({ connectors: [], tasks: [id] });
  return out;
}
