/** What the connector knows about a column once its type and the handling modes have been looked at. */
import type { RawColumn } from "#connect/api/raw-row";
import type { Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { Shape } from "../cdc/semantic-types.ts";
import type { TableColumn } from "./binlog/types.ts";

/** How cells of a column are read: of the text protocol (snapshot), and of the binary log. */
export interface Codecs {
  readonly text: RawColumn;
  readonly binlog: (wire: TableColumn) => RawColumn;
}
export interface ColumnType extends Codecs {
  /** The schema, given optionality, default and parameters. */
  readonly shape: Shape;
  /** Stands in a required field for which there is no value. */
  readonly neutral: ConnectValue;
  /** Why nothing stands for a value that the type cannot say, where the column has no default; absent: `neutral` does. */
  readonly refuses?: string;
  /** The default's text (Debezium's `defaultValueExpression`) as a value; undefined: not shown. */
  readonly defaultOf: (text: string) => ConnectValue | undefined;
  /** Plain text: `column.mask.*` and `column.truncate.*` apply. */
  readonly textual?: true;
  /** Types whose values are Structs: codecs for the schema that the field really has. */
  readonly bind?: (schema: Schema) => Codecs;
}

/** How the database's values are represented (`*.handling.mode`, `time.precision.mode`, …). */
export interface TypeModes extends HandlingModes {
  readonly bigintUnsigned: "long" | "precise";
  /** `enable.time.adjuster`: years 0 to 69 are 2000 to 2069, 70 to 99 are 1970 to 1999. */
  readonly adjustYears: boolean;
  /** Zone that TIMESTAMP texts of the snapshot are in; null: UTC. */
  readonly zone: string | null;
  /** Characters of the single-byte character sets that have no decoder here, by name: the server's own tables. */
  readonly charsetTables: ReadonlyMap<string, readonly string[]>;
}

/** A column whose values are always made before they are written. */
export const decoded = (decode: RawColumn["decode"]): RawColumn => ({ form: "decode", decode });
