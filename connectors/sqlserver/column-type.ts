/** What the connector knows about a column once its type and the handling modes have been looked at. */
import type { RawColumn } from "#connect/api/raw-row";
import type { ConnectValue } from "#connect/api/value";
import type { Shape } from "../cdc/semantic-types.ts";
import type { RowBytes } from "./row-bytes.ts";

export interface ColumnType {
  /** The schema, given optionality, default and parameters. */
  readonly shape: Shape;
  /** Stands in a required field for which there is no value. */
  readonly neutral: ConnectValue;
  /** Writes the driver's value (never null) as a cell, which `raw` reads. */
  readonly encode: (value: unknown, out: RowBytes) => void;
  readonly raw: RawColumn;
  /** The server's text of the default, e.g. `((1))`, as a value; undefined: not shown. */
  readonly defaultOf: (text: string) => ConnectValue | undefined;
  /** Plain text: `column.mask.*` and `column.truncate.*` apply. */
  readonly textual?: true;
  /** How it is selected where the driver's own value would lose something. `name` is quoted. */
  readonly select?: (name: string) => string;
}
