/** Walks the rows of an event: where each cell starts and ends, without looking into it. */
import { uint16, uint24, uint32 } from "./bytes.ts";
import { COLUMN_TYPE as T } from "./column-types.ts";
import { decimalBytes } from "./cells-decimal.ts";
import { BinlogError, truncated } from "./failures.ts";
import {
  CELL_ABSENT,
  CELL_NULL,
  FORM_JSON_DIFF,
  FORM_WHOLE,
  type RowImage,
  type RowsEvent,
  type TableColumn,
  type TableMap,
} from "./types.ts";

/** Bytes of a cell; negative: that many bytes of length stand before it. */
function cellSize(column: TableColumn): number {
  switch (column.type) {
    case T.TINY:
    case T.YEAR:
      return 1;
    case T.SHORT:
      return 2;
    case T.INT24:
    case T.DATE:
    case T.NEWDATE:
    case T.TIME:
      return 3;
    case T.LONG:
    case T.TIMESTAMP:
      return 4;
    case T.LONGLONG:
    case T.DATETIME:
      return 8;
    case T.FLOAT:
    case T.DOUBLE:
      return column.length;
    case T.NULL:
      return 0;
    case T.NEWDECIMAL:
      return decimalBytes(column.length, column.scale);
    case T.BIT:
      return (column.length + 7) >> 3;
    case T.TIMESTAMP2:
      return 4 + ((column.length + 1) >> 1);
    case T.DATETIME2:
      return 5 + ((column.length + 1) >> 1);
    case T.TIME2:
      return 3 + ((column.length + 1) >> 1);
    case T.ENUM:
    case T.SET:
      return column.length;
    case T.VARCHAR:
    case T.VARCHAR_COMPRESSED:
    case T.STRING:
    case T.VAR_STRING:
      return column.length > 255 ? -2 : -1;
    default:
      // BLOB, JSON, GEOMETRY, VECTOR: the metadata is the size of the length.
      if (column.length < 1 || column.length > 4) throw new BinlogError("corrupt", `A column's length takes ${column.length} bytes`);
      return -column.length;
  }
}

interface Layout {
  readonly sizes: Int32Array;
  /** Number of JSON columns. */
  readonly json: number;
  readonly isJson: Uint8Array;
}
const layouts = new WeakMap<TableMap, Layout>();
function layoutOf(table: TableMap): Layout {
  const known = layouts.get(table);
  if (known !== undefined) return known;
  const isJson = Uint8Array.from(table.columns, (c) => (c.type === T.JSON ? 1 : 0));
  const layout = { sizes: Int32Array.from(table.columns, cellSize), isJson, json: isJson.reduce((a, b) => a + b, 0) };
  layouts.set(table, layout);
  return layout;
}

class Image implements RowImage {
  count = 0;
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);
  forms: Uint8Array = new Uint8Array(64);

  resize(count: number): void {
    this.count = count;
    if (count <= this.starts.length) return;
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
    this.forms = new Uint8Array(count);
  }
  /** The common case: all columns are there. `p`: at the bitmap of NULLs. Returns the position after the image. */
  scanAll(b: Uint8Array, nulls: number, sizes: Int32Array): number {
    const { starts, ends, count } = this;
    let p = nulls + ((count + 7) >> 3);
    for (let i = 0; i < count; i++) {
      if ((((b[nulls + (i >> 3)] as number) >> (i & 7)) & 1) === 1) {
        starts[i] = CELL_NULL;
        ends[i] = CELL_NULL;
        continue;
      }
      let size = sizes[i] as number;
      if (size < 0) {
        const prefix = -size;
        size = prefix === 1 ? (b[p] as number) : prefix === 2 ? uint16(b, p) : prefix === 3 ? uint24(b, p) : uint32(b, p);
        p += prefix;
      }
      starts[i] = p;
      p += size;
      ends[i] = p;
    }
    return p;
  }
  scanSome(b: Uint8Array, nulls: number, sizes: Int32Array, present: Uint8Array): number {
    const { starts, ends, count } = this;
    let there = 0;
    for (let i = 0; i < count; i++) if ((((present[i >> 3] as number) >> (i & 7)) & 1) === 1) there++;
    let p = nulls + ((there + 7) >> 3);
    for (let i = 0, bit = 0; i < count; i++) {
      ends[i] = CELL_ABSENT;
      starts[i] = CELL_ABSENT;
      if ((((present[i >> 3] as number) >> (i & 7)) & 1) === 0) continue;
      const isNull = (((b[nulls + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1;
      bit++;
      if (isNull) {
        starts[i] = CELL_NULL;
        continue;
      }
      let size = sizes[i] as number;
      if (size < 0) {
        const prefix = -size;
        size = prefix === 1 ? (b[p] as number) : prefix === 2 ? uint16(b, p) : prefix === 3 ? uint24(b, p) : uint32(b, p);
        p += prefix;
      }
      starts[i] = p;
      p += size;
      ends[i] = p;
    }
    return p;
  }
  /** Which JSON cells are diffs; `p` at the image's value options. Returns the position of the bitmap of NULLs. */
  scanForms(b: Uint8Array, p: number, layout: Layout): number {
    this.forms.fill(FORM_WHOLE, 0, this.count);
    const options = b[p] as number;
    if (options > 0xfa) throw new BinlogError("unsupported", "The row's value options are not known");
    let at = p + 1;
    if ((options & 1) === 0) return at;
    const bits = at;
    at += (layout.json + 7) >> 3;
    for (let i = 0, bit = 0; i < this.count; i++) {
      if (layout.isJson[i] === 0) continue;
      if ((((b[bits + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1) this.forms[i] = FORM_JSON_DIFF;
      bit++;
    }
    return at;
  }
}

const NO_TABLE = new Int32Array(0);

/** Reused for all events: `open`, then `next` until it is false. `before` is of updates and deletes, `after` of writes and updates. */
export class RowCursor {
  readonly #before = new Image();
  readonly #after = new Image();
  #event: RowsEvent | null = null;
  #layout: Layout = { sizes: NO_TABLE, json: 0, isJson: new Uint8Array(0) };
  #p = 0;
  /** Index of the current row in its event. */
  row = -1;
  get before(): RowImage {
    return this.#before;
  }
  get after(): RowImage {
    return this.#after;
  }
  open(event: RowsEvent): void {
    const count = event.table.columns.length;
    this.#event = event;
    this.#layout = layoutOf(event.table);
    this.#p = event.start;
    this.row = -1;
    this.#before.resize(count);
    this.#after.resize(count);
  }
  /** Throws BinlogError when the rows do not end where the event does. */
  next(): boolean {
    const event = this.#event;
    if (event === null || this.#p >= event.end) return false;
    let p = this.#p;
    if (event.change !== "write") p = this.#scan(this.#before, event, p, event.beforeColumns, false);
    if (event.change !== "delete") p = this.#scan(this.#after, event, p, event.afterColumns, event.partialJson);
    // A row of no bytes would never end.
    if (p > event.end || p === this.#p) throw truncated(`A rows event of ${event.table.schema}.${event.table.table}`);
    this.#p = p;
    this.row++;
    return true;
  }
  #scan(image: Image, event: RowsEvent, p: number, present: Uint8Array | null, partial: boolean): number {
    const at = partial ? image.scanForms(event.bytes, p, this.#layout) : p;
    const sizes = this.#layout.sizes;
    const end = present === null ? image.scanAll(event.bytes, at, sizes) : image.scanSome(event.bytes, at, sizes, present);
    // Checked once: before it, cells past the end were only counted, never read.
    if (!(end <= event.end)) throw truncated(`A row of ${event.table.schema}.${event.table.table}`);
    return end;
  }
}
