/**
 * What a transform makes of a struct, said as data: where each field of the new struct comes from. The runtime joins the plans of
 * consecutive transforms, so that a chain makes one struct and one record rather than one of each for every step.
 */
import type { ConnectRecord } from "./record.ts";
import type { Schema, SchemaField } from "./schema.ts";
import type { ConnectValue } from "./value.ts";

/** Of `SlotPlan.from`: not a field of the struct that came. */
export const WHOLE_VALUE = -1;
export const CONSTANT = -2;
export const OF_RECORD = -3;

/** One field of the new struct. */
export interface SlotPlan {
  /** Index of a field of the struct that came, or one of the three above. */
  readonly from: number;
  /** With CONSTANT. */
  readonly constant: ConnectValue;
  /** With OF_RECORD. Must not throw. */
  readonly of: ((record: ConnectRecord) => ConnectValue) | null;
  /** What is done to the value; null: nothing. Must not throw for a value of its schema: a later step may leave the field out. */
  readonly change: ((value: ConnectValue) => ConnectValue) | null;
}
export interface StructPlan {
  readonly schema: Schema;
  readonly slots: readonly SlotPlan[];
}
/** A transform that does nothing but make a new struct of the key or the value. Same result as its `apply`. */
export interface Restructure {
  readonly isKey: boolean;
  /** Wraps any value, null too; otherwise structs only. */
  readonly wraps: boolean;
  /** Null: `apply` has to look at each value. */
  plan(schema: Schema): StructPlan | null;
}

export const wholeValue: SlotPlan = { from: WHOLE_VALUE, constant: null, of: null, change: null };
export const constantSlot = (constant: ConnectValue): SlotPlan => ({ from: CONSTANT, constant, of: null, change: null });
export const recordSlot = (of: (record: ConnectRecord) => ConnectValue): SlotPlan => ({
  from: OF_RECORD,
  constant: null,
  of,
  change: null,
});
/** A field as it came, or with its default in place of null. */
export function fieldSlot(field: SchemaField, withDefault: boolean): SlotPlan {
  const otherwise = withDefault ? (field.schema.default ?? null) : null;
  return { from: field.index, constant: null, of: null, change: otherwise === null ? null : (value) => value ?? otherwise };
}
/** The same field with something more done to it. */
export function withChange(slot: SlotPlan, more: (value: ConnectValue) => ConnectValue): SlotPlan {
  const { change } = slot;
  return { ...slot, change: change === null ? more : (value) => more(change(value)) };
}
