/** Consecutive transforms that only rearrange a struct, as one: one new struct, whatever their number. */
import type { ConnectRecord } from "../api/record.ts";
import type { Schema } from "../api/schema.ts";
import { Struct } from "../api/struct.ts";
import { CONSTANT, constantSlot, type Restructure, type SlotPlan, type StructPlan, WHOLE_VALUE, withChange } from "../api/struct-plan.ts";
import type { ConnectValue } from "../api/value.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A field of the second plan in terms of what the first one was given. Throws what `change` throws for a constant. */
function through(first: StructPlan, slot: SlotPlan): SlotPlan {
  const source = slot.from >= 0 ? first.slots[slot.from] : slot;
  if (source === undefined || source === slot) return slot;
  if (slot.change === null) return source;
  if (source.from === CONSTANT && source.change === null) return constantSlot(slot.change(source.constant));
  return withChange(source, slot.change);
}

function joined(steps: readonly Restructure[], schema: Schema): StructPlan | null {
  let plan: StructPlan | null = null;
  for (const step of steps) {
    const before: StructPlan | null = plan;
    const next = step.plan(before?.schema ?? schema);
    if (next === null) return null;
    plan = before === null ? next : { schema: next.schema, slots: next.slots.map((slot) => through(before, slot)) };
  }
  return plan;
}

export class FusedSteps {
  readonly #steps: readonly Restructure[];
  readonly #isKey: boolean;
  readonly #wraps: boolean;
  readonly #plans = new WeakMap<Schema, StructPlan | null>();
  #lastSchema: Schema | null = null;
  #last: StructPlan | null = null;

  /** All of one side; only the first may wrap. */
  constructor(steps: readonly Restructure[]) {
    this.#steps = steps;
    this.#isKey = steps[0]?.isKey ?? false;
    this.#wraps = steps[0]?.wraps ?? false;
  }
  get count(): number {
    return this.#steps.length;
  }
  /**
   * What the steps make of the record; `inPlace`: the record itself is changed. Null: it is a case for the steps themselves (no
   * schema, no struct, an error); nothing has happened then.
   */
  apply<R extends ConnectRecord>(record: R, inPlace: boolean): R | null {
    const schema = this.#isKey ? record.keySchema : record.valueSchema;
    const value = this.#isKey ? record.key : record.value;
    if (schema === null) return null;
    if (!this.#wraps && !(value instanceof Struct && value.schema === schema)) return null;
    let made: Struct;
    try {
      const plan = schema === this.#lastSchema ? this.#last : this.#planOf(schema);
      if (plan === null) return null;
      made = new Struct(plan.schema, slotsOf(plan.slots, record, value));
    } catch {
      // The steps by themselves fail at the right one, with its name.
      return null;
    }
    if (!inPlace) {
      return this.#isKey ? { ...record, keySchema: made.schema, key: made } : { ...record, valueSchema: made.schema, value: made };
    }
    const own: Writable<ConnectRecord> = record;
    if (this.#isKey) {
      own.keySchema = made.schema;
      own.key = made;
    } else {
      own.valueSchema = made.schema;
      own.value = made;
    }
    return record;
  }
  #planOf(schema: Schema): StructPlan | null {
    let plan = this.#plans.get(schema);
    if (plan === undefined) {
      plan = joined(this.#steps, schema);
      this.#plans.set(schema, plan);
    }
    this.#lastSchema = schema;
    this.#last = plan;
    return plan;
  }
}
function slotsOf(plans: readonly SlotPlan[], record: ConnectRecord, value: ConnectValue): ConnectValue[] {
  const from = value instanceof Struct ? value.slots : null;
  const n = plans.length;
  const slots = new Array<ConnectValue>(n);
  for (let i = 0; i < n; i++) {
    const plan = plans[i];
    if (plan === undefined) continue;
    const at = plan.from;
    let v: ConnectValue;
    if (at >= 0) v = from?.[at] ?? null;
    else if (at === WHOLE_VALUE) v = value;
    else if (at === CONSTANT) v = plan.constant;
    else v = plan.of?.(record) ?? null;
    slots[i] = plan.change === null ? v : plan.change(v);
  }
  return slots;
}
/** By the index of their first step: what can be done at once. */
export function fuse(
  steps: readonly { readonly transform: { readonly restructure?: Restructure }; readonly when: unknown }[],
): (FusedSteps | null)[] {
  const fused: (FusedSteps | null)[] = steps.map(() => null);
  for (let i = 0; i < steps.length; ) {
    const run: Restructure[] = [];
    for (let next = steps[i]; next !== undefined; next = steps[i + run.length]) {
      const { restructure } = next.transform;
      if (restructure === undefined || next.when !== null) break;
      if (run.length > 0 && (restructure.wraps || restructure.isKey !== run[0]?.isKey)) break;
      run.push(restructure);
    }
    if (run.length > 0) fused[i] = new FusedSteps(run);
    i += Math.max(1, run.length);
  }
  return fused;
}
