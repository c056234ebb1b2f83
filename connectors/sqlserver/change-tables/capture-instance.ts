/** Capture instances of tables: which ones change tables are read for, and up to where. */
import type { Lsn } from "./lsn.ts";

export interface CaptureInstance {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  /** Changes before it are not in the change table. */
  readonly startLsn: Lsn;
  readonly columns: readonly string[];
}
/** An instance with its end: changes at and after `stopLsn` come from the next instance of the table. */
export interface ActiveInstance {
  readonly instance: CaptureInstance;
  /** Null: the newest one. */
  readonly stopLsn: Lsn | null;
}

/** What tables are told apart by. */
export const tableKey = (schema: string, table: string): string => JSON.stringify([schema, table]);

/** By table, each table's instances from the oldest on. */
export function instancesByTable(instances: readonly CaptureInstance[]): ReadonlyMap<string, readonly CaptureInstance[]> {
  const byTable = new Map<string, CaptureInstance[]>();
  for (const instance of instances) {
    const key = tableKey(instance.schema, instance.table);
    const list = byTable.get(key);
    if (list === undefined) byTable.set(key, [instance]);
    else list.push(instance);
  }
  for (const list of byTable.values()) list.sort((a, b) => (a.startLsn < b.startLsn ? -1 : a.startLsn > b.startLsn ? 1 : 0));
  return byTable;
}
/** The instance that counts where nothing is known yet: the newest. */
export const newestInstance = (instances: readonly CaptureInstance[]): CaptureInstance | undefined => instances.at(-1);

/** What is read from `from` on: the instance that is in force there and those that follow. `instances`: of one table, oldest first. */
export function activeInstances(instances: readonly CaptureInstance[], from: Lsn): readonly ActiveInstance[] {
  const active: ActiveInstance[] = [];
  instances.forEach((instance, i) => {
    const next = instances[i + 1];
    // All of it is before the position.
    if (next !== undefined && next.startLsn <= from) return;
    active.push({ instance, stopLsn: next?.startLsn ?? null });
  });
  return active;
}
