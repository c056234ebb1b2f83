/**
 * How rows of one version of a table become keys and values: schemas, and for each field which cell of the wire's row
 * it takes. Made once for each definition of a table that the stream announces, so that schemas keep their identity.
 */
import { CELL_GIVEN, CELL_NULL, type RawColumn, RawRow } from "#connect/api/raw-row";
import { primitive, type Schema, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import type { ColumnMask } from "./column-mask.ts";
import { envelopeSchema } from "./envelope.ts";
import type { Shape } from "./semantic-types.ts";

/** Cells of a row by their place in the wire's row: where they start (or one of the two below) and end. */
export interface CellScan {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}
const NULL_CELL = -1;
/** The first cells as positions of a buffer that begins `-by` bytes later. */
export function shiftCells({ starts, ends }: CellScan, count: number, by: number): void {
  for (let i = 0; i < count; i++) {
    if ((starts[i] as number) < 0) continue;
    starts[i] = (starts[i] as number) + by;
    ends[i] = (ends[i] as number) + by;
  }
}
/** What a column's type comes down to for one kind of wire. Any start below NULL_CELL says that the wire left the value out. */
export interface PlannedType {
  /** The schema, given optionality, default and parameters. */
  readonly shape: Shape;
  readonly raw: RawColumn;
  /** Stands in a required field for which no value was sent. */
  readonly neutral: ConnectValue;
  /** Types whose values are Structs: the column and its neutral value for the schema that the field really has. */
  readonly bind?: (schema: Schema) => { readonly raw: RawColumn; readonly neutral: ConnectValue };
  /** Stands for a value that the wire left out. */
  readonly unavailable: ConnectValue;
}

export interface PlannedColumn {
  /** As it stands in schemas. */
  readonly field: string;
  /** Position in the wire's row; -1: the row does not have it, the neutral value stands for it. */
  readonly wire: number;
  readonly type: PlannedType;
  readonly optional: boolean;
  readonly default: ConnectValue | undefined;
  readonly parameters: Readonly<Record<string, string>> | null;
  readonly mask: ColumnMask | null;
  readonly length: number | null;
}
export interface PlanNames {
  readonly schema: string;
  readonly table: string;
  readonly topic: string;
  /** Name of the value's schema without suffix. */
  readonly schemaName: string;
}

/** undefined in `whenNull`: SQL NULL is null. */
interface Cells {
  readonly schema: Schema;
  readonly wire: Int32Array;
  readonly columns: readonly RawColumn[];
  readonly whenNull: readonly (ConnectValue | undefined)[];
  readonly whenUnchanged: readonly ConnectValue[];
}

function rawColumn(column: PlannedColumn, schema: Schema): RawColumn {
  const { mask, type, length } = column;
  if (mask === null) return type.bind?.(schema).raw ?? type.raw;
  return { form: "decode", decode: (b, start, end) => mask.apply(type.raw.decode(b, start, end), length) };
}
function cellsOf(columns: readonly PlannedColumn[], name: string, optional: boolean): Cells {
  const apply = (c: PlannedColumn, value: ConnectValue): ConnectValue => (c.mask === null ? value : c.mask.apply(value, c.length));
  const schema = structOf(
    columns.map((c) => [c.field, c.type.shape({ optional: c.optional, default: c.default, parameters: c.parameters })]),
    { name, optional },
  );
  const nullValue = (c: PlannedColumn, i: number): ConnectValue | undefined => {
    const field = schema.fields[i]?.schema;
    const neutral = field === undefined ? c.type.neutral : (c.type.bind?.(field).neutral ?? c.type.neutral);
    return apply(c, c.optional ? null : (c.default ?? neutral)) ?? undefined;
  };
  return {
    schema,
    wire: Int32Array.from(columns, (c) => c.wire),
    columns: columns.map((c, i) => rawColumn(c, schema.fields[i]?.schema ?? schema)),
    whenNull: columns.map(nullValue),
    whenUnchanged: columns.map((c, i) => apply(c, c.type.unavailable) ?? nullValue(c, i) ?? null),
  };
}

/** The cells' positions for a row; the row keeps `b`. */
function rowOf(cells: Cells, scan: CellScan, b: Buffer): RawRow {
  const wire = cells.wire,
    n = wire.length;
  const starts = new Array<number>(n),
    ends = new Array<number>(n);
  let given: ConnectValue[] | null = null;
  for (let i = 0; i < n; i++) {
    const at = wire[i] as number;
    const start = at < 0 ? NULL_CELL : (scan.starts[at] as number);
    if (start >= 0) {
      starts[i] = start;
      ends[i] = scan.ends[at] as number;
      continue;
    }
    ends[i] = 0;
    const value = start < NULL_CELL ? cells.whenUnchanged[i] : cells.whenNull[i];
    if (value === undefined || value === null) starts[i] = CELL_NULL;
    else {
      starts[i] = CELL_GIVEN;
      given ??= new Array<ConnectValue>(n).fill(null);
      given[i] = value;
    }
  }
  return new RawRow(cells.columns, b, starts, ends, given);
}

/** Columns of a key, by name, of those that are planned. Keys are neither masked nor annotated. */
export const plannedKey = (
  names: readonly string[],
  planned: (name: string) => PlannedColumn | null | undefined,
): readonly PlannedColumn[] =>
  names.flatMap((name) => {
    const column = planned(name);
    return column ? [{ ...column, mask: null, parameters: null }] : [];
  });
/** A key field that has the same text in each row. */
export const constantColumn = (field: string, text: string): PlannedColumn => ({
  field,
  wire: -1,
  type: { shape: (options) => primitive("STRING", options), raw: { form: "decode", decode: () => text }, neutral: text, unavailable: text },
  optional: false,
  default: undefined,
  parameters: null,
  mask: null,
  length: null,
});
/** Null: there are none. */
export const schemaParameters = (all: Readonly<Record<string, string>>): PlannedColumn["parameters"] =>
  Object.keys(all).length === 0 ? null : all;
/** `comment`: of a column, for its schema's `doc`. */
export const documented = (shape: Shape, comment: string | null): Shape =>
  comment === null || comment === "" ? shape : (options) => shape({ ...options, doc: comment });

export class TablePlan {
  readonly schema: string;
  readonly table: string;
  readonly id: string;
  readonly topic: string;
  readonly keySchema: Schema | null;
  readonly rowSchema: Schema;
  readonly envelope: Schema;
  readonly #key: Cells | null;
  readonly #value: Cells;

  /** `source`: the schema of the `source` block. */
  constructor(names: PlanNames, source: Schema, value: readonly PlannedColumn[], key: readonly PlannedColumn[]) {
    this.schema = names.schema;
    this.table = names.table;
    this.id = `${names.schema}.${names.table}`;
    this.topic = names.topic;
    this.#value = cellsOf(value, `${names.schemaName}.Value`, true);
    this.#key = key.length === 0 ? null : cellsOf(key, `${names.schemaName}.Key`, false);
    this.rowSchema = this.#value.schema;
    this.keySchema = this.#key?.schema ?? null;
    this.envelope = envelopeSchema(`${names.schemaName}.Envelope`, this.rowSchema, source);
  }
  row(scan: CellScan, b: Buffer): Struct {
    return new Struct(this.rowSchema, null, rowOf(this.#value, scan, b));
  }
  key(scan: CellScan, b: Buffer): Struct | null {
    const key = this.#key;
    return key === null ? null : new Struct(key.schema, null, rowOf(key, scan, b));
  }
  /** The key's cells as one text, to tell rows apart; the same for COPY and for the stream. */
  keyText(scan: CellScan, b: Buffer): string {
    let text = "";
    for (const at of this.#key?.wire ?? []) {
      const start = at < 0 ? -1 : (scan.starts[at] as number);
      text += start < 0 ? "\\N\t" : `${b.toString("latin1", start, scan.ends[at])}\t`;
    }
    return text;
  }
  /** Whether two rows have the same key: by bytes, and where these differ by value (2.50 and 2.5 are one number). */
  sameKey(oldScan: CellScan, oldBytes: Buffer, scan: CellScan, b: Buffer): boolean {
    return this.#key === null || this.#same(this.#key, oldScan, oldBytes, scan, b);
  }
  /** Whether all columns of the value are the same. */
  sameRow(oldScan: CellScan, oldBytes: Buffer, scan: CellScan, b: Buffer): boolean {
    return this.#same(this.#value, oldScan, oldBytes, scan, b);
  }
  #same(cells: Cells, oldScan: CellScan, oldBytes: Buffer, scan: CellScan, b: Buffer): boolean {
    for (let i = 0; i < cells.wire.length; i++) {
      const at = cells.wire[i] as number;
      if (at < 0) continue;
      const s = scan.starts[at] as number,
        o = oldScan.starts[at] as number;
      // An unchanged value is sent with neither row.
      if (s < NULL_CELL || o < NULL_CELL) continue;
      if (s < 0 || o < 0) {
        if (s !== o) return false;
        continue;
      }
      const e = scan.ends[at] as number,
        oe = oldScan.ends[at] as number;
      if (e - s === oe - o && b.compare(oldBytes, o, oe, s, e) === 0) continue;
      const column = cells.columns[i] as RawColumn;
      if (!sameValue(column.decode(b, s, e), column.decode(oldBytes, o, oe))) return false;
    }
    return true;
  }
}

function sameValue(a: ConnectValue, b: ConnectValue): boolean {
  if (a === b) return true;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Struct && b instanceof Struct) return a.slots.every((slot, i) => sameValue(slot, b.at(i)));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((x: ConnectValue, i) => sameValue(x, b[i] as ConnectValue));
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (typeof a === "object" && a !== null && "unscaled" in a && typeof b === "object" && b !== null && "unscaled" in b)
    return a.unscaled === b.unscaled && a.scale === b.scale;
  return false;
}
