/** Sets of connectors and tasks, as the assignors calculate with them. Task ids are keyed by text. */
import type { TaskId } from "../worker/types.ts";
import type { Work } from "./connect-protocol.ts";

export const taskKey = (id: TaskId): string => `${id.connector}-${id.task}`;

export class WorkSet {
  readonly connectors = new Set<string>();
  readonly tasks = new Map<string, TaskId>();

  static of(...works: readonly Work[]): WorkSet {
    const set = new WorkSet();
    for (const work of works) set.add(work);
    return set;
  }
  static union(sets: Iterable<WorkSet>): WorkSet {
    const all = new WorkSet();
    for (const set of sets) all.addAll(set);
    return all;
  }
  add(work: Work): void {
    for (const c of work.connectors) this.connectors.add(c);
    for (const t of work.tasks) this.tasks.set(taskKey(t), t);
  }
  addAll(other: WorkSet): void {
    for (const c of other.connectors) this.connectors.add(c);
    for (const [key, t] of other.tasks) this.tasks.set(key, t);
  }
  removeAll(other: WorkSet): void {
    for (const c of other.connectors) this.connectors.delete(c);
    for (const key of other.tasks.keys()) this.tasks.delete(key);
  }
  minus(...others: readonly WorkSet[]): WorkSet {
    const rest = this.copy();
    for (const other of others) rest.removeAll(other);
    return rest;
  }
  intersect(other: WorkSet): WorkSet {
    const both = new WorkSet();
    for (const c of this.connectors) if (other.connectors.has(c)) both.connectors.add(c);
    for (const [key, t] of this.tasks) if (other.tasks.has(key)) both.tasks.set(key, t);
    return both;
  }
  copy(): WorkSet {
    const set = new WorkSet();
    set.addAll(this);
    return set;
  }
  get size(): number {
    return this.connectors.size + this.tasks.size;
  }
  toWork(): Work {
    return { connectors: [...this.connectors], tasks: [...this.tasks.values()] };
  }
}
