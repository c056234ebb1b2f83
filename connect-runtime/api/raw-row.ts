/**
 * A row as the database's protocol carried it: text cells inside one buffer. It lets a change travel from the socket to
 * the topic without becoming objects. `form` says what a JSON converter may do with the bytes of a cell.
 */
import type { ByteSink } from "./byte-sink.ts";
import type { ConnectValue } from "./value.ts";

/**
 * verbatim: the bytes are a JSON number already. text: UTF-8 to be quoted and escaped. bool: 't' or 'f'.
 * writer: the column's own `write` knows (temporals, decimals). decode: materialise the value and write that.
 */
export type CellForm = "verbatim" | "text" | "bool" | "writer" | "decode";

export interface RawColumn {
  readonly form: CellForm;
  /** Text cell to value as the field's schema wants it. `bytes` is only valid during the call. */
  decode(bytes: Uint8Array, start: number, end: number): ConnectValue;
  /** Form `writer` only: writes the JSON text of the cell; false: this cell needs `decode` after all. */
  write?(bytes: Uint8Array, start: number, end: number, out: ByteSink): boolean;
}

/** What stands in a slot: cell bytes; SQL NULL; or a value that is given (unchanged TOAST placeholder, neutral value). */
export const CELL_NULL = -1;
export const CELL_GIVEN = -2;

export class RawRow {
  readonly columns: readonly RawColumn[];
  readonly bytes: Uint8Array;
  /** Start offset of each cell in `bytes`, or CELL_NULL / CELL_GIVEN. */
  readonly starts: Int32Array | readonly number[];
  readonly ends: Int32Array | readonly number[];
  /** Values of CELL_GIVEN cells by field index; null when there are none. */
  readonly given: readonly ConnectValue[] | null;

  constructor(
    columns: readonly RawColumn[],
    bytes: Uint8Array,
    starts: Int32Array | readonly number[],
    ends: Int32Array | readonly number[],
    given: readonly ConnectValue[] | null,
  ) {
    this.columns = columns;
    this.bytes = bytes;
    this.starts = starts;
    this.ends = ends;
    this.given = given;
  }
  decode(index: number): ConnectValue {
    const start = this.starts[index] ?? CELL_NULL;
    if (start === CELL_NULL) return null;
    if (start === CELL_GIVEN) return this.given?.[index] ?? null;
    return this.columns[index]?.decode(this.bytes, start, this.ends[index] ?? start) ?? null;
  }
}
