/**
 * Orders the changes of one batch for few statements. For upserts only the last state of each key matters, because a batch
 * is one transaction; inserts and updates keep every record in order.
 */
import type { Change, RowShape, RowText } from "./change.ts";
import type { InsertMode } from "./config.ts";
import { tableKey, type TableId } from "./naming.ts";

export type Step =
  | { readonly kind: "write"; readonly table: TableId; readonly shape: RowShape; readonly rows: RowText[] }
  | { readonly kind: "delete"; readonly table: TableId; readonly shape: RowShape; readonly rows: RowText[] }
  | { readonly kind: "truncate"; readonly table: TableId };

/** One record after the other, nothing merged: for batches in which the merged form was refused. */
export function singleSteps(changes: readonly Change[]): Step[] {
  return changes.map((c) =>
    c.kind === "truncate" ? { kind: "truncate", table: c.table } : { kind: c.kind, table: c.table, shape: c.shape, rows: [c.row] },
  );
}

type RowChange = Exclude<Change, { kind: "truncate" }>;

export function mergedSteps(changes: readonly Change[], mode: InsertMode, rowsMax: number): Step[] {
  const steps: Step[] = [];
  const pending = new Map<string, RowChange[]>();
  const drain = (list: readonly RowChange[]): void => {
    steps.push(...(mode === "upsert" ? reduced(list, rowsMax) : grouped(list, rowsMax)));
  };
  for (const change of changes) {
    const name = tableKey(change.table);
    if (change.kind === "truncate") {
      // What the batch did to the table before is gone with it.
      pending.delete(name);
      steps.push({ kind: "truncate", table: change.table });
      continue;
    }
    const list = pending.get(name);
    if (list === undefined) pending.set(name, [change]);
    else list.push(change);
  }
  for (const list of pending.values()) drain(list);
  return steps;
}

/** Which columns of the row are known, as text to group by. */
const knownColumns = (row: RowText): string => (row.includes(undefined) ? row.map((v) => (v === undefined ? "-" : "x")).join("") : "");

/** Consecutive changes of the same kind, shape and known columns. */
function grouped(list: readonly RowChange[], rowsMax: number): Step[] {
  const steps: Step[] = [];
  let open: { step: Extract<Step, { rows: RowText[] }>; known: string } | null = null;
  for (const change of list) {
    const known = knownColumns(change.row);
    if (
      open === null ||
      open.step.kind !== change.kind ||
      open.step.shape !== change.shape ||
      open.known !== known ||
      open.step.rows.length >= rowsMax
    ) {
      open = { step: { kind: change.kind, table: change.table, shape: change.shape, rows: [] }, known };
      steps.push(open.step);
    }
    open.step.rows.push(change.row);
  }
  return steps;
}

/** The last change of each key, deletes first (a unique value may have moved from a deleted row to a new one). */
function reduced(list: readonly RowChange[], rowsMax: number): Step[] {
  const last = new Map<string, RowChange>();
  const unkeyed: RowChange[] = [];
  for (const change of list) {
    if (change.shape.keyCount === 0) {
      unkeyed.push(change);
      continue;
    }
    const key = JSON.stringify(change.row.slice(0, change.shape.keyCount));
    const before = last.get(key);
    last.delete(key);
    last.set(key, before === undefined ? change : merged(before, change));
  }
  const all = [...last.values()];
  const deletes = all.filter((c) => c.kind === "delete");
  return [
    ...byGroups(deletes, rowsMax),
    ...byGroups(
      all.filter((c) => c.kind === "write"),
      rowsMax,
    ),
    ...grouped(unkeyed, rowsMax),
  ];
}
/** Columns that the later change does not know keep the earlier one's value. */
function merged(before: RowChange, after: RowChange): RowChange {
  if (after.kind !== "write" || before.kind !== "write" || before.shape !== after.shape || !after.row.includes(undefined)) return after;
  return { ...after, row: after.row.map((value, i) => (value === undefined ? before.row[i] : value)) };
}
function byGroups(list: readonly RowChange[], rowsMax: number): Step[] {
  const groups = new Map<RowShape, Map<string, RowChange[]>>();
  for (const change of list) {
    let byKnown = groups.get(change.shape);
    if (byKnown === undefined) groups.set(change.shape, (byKnown = new Map()));
    const known = knownColumns(change.row);
    const group = byKnown.get(known);
    if (group === undefined) byKnown.set(known, [change]);
    else group.push(change);
  }
  return [...groups.values()].flatMap((byKnown) => [...byKnown.values()].flatMap((group) => grouped(group, rowsMax)));
}
