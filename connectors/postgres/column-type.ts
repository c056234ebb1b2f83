/** What the connector knows about a column once its type and the handling modes have been looked at. */
import type { RawColumn } from "#connect/api/raw-row";
import type { Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import type { Shape } from "../cdc/semantic-types.ts";

export interface ColumnType {
  /** The schema, given optionality, default and parameters. */
  readonly shape: Shape;
  readonly raw: RawColumn;
  /** Stands in a required field for which no value was sent. */
  readonly neutral: ConnectValue;
  /** Types whose values are Structs: the column and its neutral value for the schema that the field really has. */
  readonly bind?: (schema: Schema) => { readonly raw: RawColumn; readonly neutral: ConnectValue };
  /** Stands for a value stored out of line that did not change. */
  readonly unavailable: ConnectValue;
  /** Text taken for a default that is a function call; undefined: defaults of this type are not shown at all. */
  readonly generatedDefault?: string;
  /** Of types whose defaults differ from values: the default of a literal, null if it is none, undefined if it is read like a value. */
  readonly defaultFrom?: (literal: string) => ConnectValue | undefined;
}

/** How the database's values are represented (`*.handling.mode`, `time.precision.mode`, …). */
export interface TypeModes {
  readonly decimal: "precise" | "double" | "string";
  readonly time: "adaptive" | "adaptive_time_microseconds" | "connect" | "isostring" | "microseconds" | "nanoseconds";
  readonly binary: "bytes" | "base64" | "base64-url-safe" | "hex";
  readonly hstore: "map" | "json";
  readonly interval: "numeric" | "string";
  readonly moneyFractionDigits: number;
  readonly includeUnknown: boolean;
  /** `unavailable.value.placeholder`, decoded. */
  readonly placeholder: Buffer;
  /** A few values of the snapshot differ from those of streaming in the reference (infinite dates, money). */
  readonly snapshot: boolean;
}
