/** What the connector knows about a column once its type and the handling modes have been looked at. */
import type { ConnectValue } from "#connect/api/value";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { PlannedType } from "../cdc/table-plan.ts";

export interface ColumnType extends PlannedType {
  /** Text taken for a default that is a function call; undefined: defaults of this type are not shown at all. */
  readonly generatedDefault?: string;
  /** Of types whose defaults differ from values: the default of a literal, null if it is none, undefined if it is read like a value. */
  readonly defaultFrom?: (literal: string) => ConnectValue | undefined;
}

/** How the database's values are represented (`*.handling.mode`, `time.precision.mode`, …). */
export interface TypeModes extends HandlingModes {
  readonly hstore: "map" | "json";
  readonly interval: "numeric" | "string";
  readonly moneyFractionDigits: number;
  readonly includeUnknown: boolean;
  /** `unavailable.value.placeholder`, decoded. */
  readonly placeholder: Buffer;
  /** A few values of the snapshot differ from those of streaming in the reference (infinite dates, money). */
  readonly snapshot: boolean;
}
