/** Rows of the log as change events. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { EventWriter } from "../cdc/event-writer.ts";
import { deletedSignal, insertedSignal, type StreamSignals } from "../cdc/signal-handler.ts";
import type { CellScan, TablePlan } from "../cdc/table-plan.ts";
import { applyJsonDiffs } from "./binlog/json-diff.ts";
import { FORM_JSON_DIFF, type RowImage, type RowsEvent } from "./binlog/types.ts";
import { keyText } from "./key-text.ts";

/** What the stream knows of the event that is being read. */
export interface RowContext {
  readonly events: EventWriter;
  readonly skipped: ReadonlySet<string>;
  readonly skipsUnchanged: boolean;
  readonly signals: StreamSignals | null;
  /** The source block for the current row. */
  source(plan: TablePlan): Struct;
  /** The transaction's block, counting the event; null: not wanted. */
  block(plan: TablePlan): Struct | null;
  /** The position before the current row. */
  readonly offset: SourceOffset;
  /** Moves the position onto the current row and returns it. */
  advance(kind: "c" | "u" | "d"): SourceOffset;
  /** The position is kept before the current row until a signal is served. */
  hold(): void;
}

/** Cells of an after image in which JSON columns hold what changed: their whole text stands behind a copy of the row. */
function wholeJson(event: RowsEvent, before: RowImage, after: RowImage): { readonly cells: CellScan; readonly bytes: Buffer } {
  const starts = after.starts.slice(0, after.count),
    ends = after.ends.slice(0, after.count);
  const texts: Buffer[] = [];
  let at = event.bytes.length;
  for (let i = 0; i < after.count; i++) {
    if (after.forms[i] !== FORM_JSON_DIFF || (starts[i] as number) < 0) continue;
    const from = before.starts[i] as number;
    const text = Buffer.from(
      applyJsonDiffs(event.bytes, from, before.ends[i] as number, event.bytes, starts[i] as number, ends[i] as number),
      "utf8",
    );
    texts.push(text);
    starts[i] = at;
    at += text.length;
    ends[i] = at;
  }
  return { cells: { starts, ends }, bytes: texts.length === 0 ? event.bytes : Buffer.concat([event.bytes, ...texts]) };
}

/** `before` and `after`: the images of the current row. */
export function writeRow(c: RowContext, event: RowsEvent, plan: TablePlan, before: RowImage, after: RowImage, bytes: number): void {
  switch (event.change) {
    case "write":
      return inserted(c, event.bytes, plan, after, bytes);
    case "delete":
      return deleted(c, event.bytes, plan, before, bytes);
    default: {
      if (!event.partialJson) return updated(c, event.bytes, plan, before, event.bytes, after, bytes);
      const whole = wholeJson(event, before, after);
      return updated(c, event.bytes, plan, before, whole.bytes, whole.cells, bytes);
    }
  }
}
function inserted(c: RowContext, b: Buffer, plan: TablePlan, after: CellScan, bytes: number): void {
  const { signals } = c;
  if (signals !== null) {
    if (plan.id === signals.table) {
      if (insertedSignal(signals, plan.row(after, b).slots) === "hold") c.hold();
    } else signals.changed(plan.id, () => keyText(plan.key(after, b)));
  }
  if (c.skipped.has("c")) return;
  const source = c.source(plan),
    block = c.block(plan);
  c.events.upsert(plan, "c", plan.key(after, b), null, plan.row(after, b), source, block, c.advance("c"), bytes);
}
function deleted(c: RowContext, b: Buffer, plan: TablePlan, before: CellScan, bytes: number): void {
  const { signals } = c;
  if (signals !== null) {
    if (plan.id === signals.table) deletedSignal(signals, plan.row(before, b).slots);
    else signals.changed(plan.id, () => keyText(plan.key(before, b)));
  }
  if (c.skipped.has("d")) return;
  const previous = c.offset;
  const source = c.source(plan),
    block = c.block(plan);
  c.events.delete(plan, plan.key(before, b), plan.row(before, b), source, block, previous, c.advance("d"), bytes);
}
function updated(c: RowContext, b: Buffer, plan: TablePlan, before: CellScan, a: Buffer, after: CellScan, bytes: number): void {
  const { signals } = c;
  if (signals !== null && plan.id !== signals.table) {
    signals.changed(plan.id, () => keyText(plan.key(before, b)));
    signals.changed(plan.id, () => keyText(plan.key(after, a)));
  }
  if (c.skipped.has("u")) return;
  const previous = c.offset;
  const source = c.source(plan);
  const old = plan.row(before, b),
    now = plan.row(after, a);
  const oldKey = plan.key(before, b);
  const key = plan.key(after, a);
  const changesKey = oldKey !== null && key !== null && !plan.sameKey(before, b, after, a);
  if (!changesKey && c.skipsUnchanged && plan.sameRow(before, b, after, a)) return;
  if (changesKey) {
    c.events.keyChange(plan, oldKey, key, old, now, source, () => c.block(plan), previous, c.advance("u"), bytes);
    return;
  }
  const block = c.block(plan);
  c.events.upsert(plan, "u", key, old, now, source, block, c.advance("u"), bytes);
}
