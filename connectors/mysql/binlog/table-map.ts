/** TABLE_MAP_EVENT: columns with their types, and what binlog_row_metadata adds. */
import { ByteCursor } from "./bytes.ts";
import { COLUMN_TYPE as T, type ColumnTypeCode } from "./column-types.ts";
import { BinlogError } from "./failures.ts";
import type { TableColumn, TableMap } from "./types.ts";

/** MySQL's limit is 4096 columns, MariaDB's the same. */
const COLUMNS_MAX = 4096;

interface Draft {
  type: ColumnTypeCode;
  length: number;
  scale: number;
  nullable: boolean;
  unsigned: boolean | null;
  collation: number | null;
  name: string | null;
  members: Uint8Array[] | null;
  geometryType: number | null;
  dimension: number | null;
  visible: boolean | null;
}

/** The type's own metadata: what it is really, and its size. */
function typed(column: Draft, m: ByteCursor): void {
  switch (column.type) {
    case T.FLOAT:
    case T.DOUBLE:
    case T.TINY_BLOB:
    case T.MEDIUM_BLOB:
    case T.LONG_BLOB:
    case T.BLOB:
    case T.BLOB_COMPRESSED:
    case T.GEOMETRY:
    case T.JSON:
    case T.VECTOR:
    case T.TIME2:
    case T.DATETIME2:
    case T.TIMESTAMP2:
      column.length = m.u8();
      return;
    case T.VARCHAR:
    case T.VARCHAR_COMPRESSED:
      column.length = m.u16();
      return;
    case T.BIT: {
      const bits = m.u8();
      column.length = m.u8() * 8 + bits;
      return;
    }
    case T.NEWDECIMAL:
      column.length = m.u8();
      column.scale = m.u8();
      return;
    case T.STRING:
    case T.VAR_STRING:
    case T.ENUM:
    case T.SET: {
      // Two of the length's bits are hidden, inverted, in the real type.
      const real = m.u8(),
        low = m.u8();
      column.type = (real & 0x30) === 0x30 ? real : real | 0x30;
      column.length = low | (((real & 0x30) ^ 0x30) << 4);
      return;
    }
    case T.TINY:
    case T.SHORT:
    case T.INT24:
    case T.LONG:
    case T.LONGLONG:
    case T.NULL:
    case T.YEAR:
    case T.DATE:
    case T.NEWDATE:
    case T.TIME:
    case T.TIMESTAMP:
    case T.DATETIME:
      return;
    default:
      throw new BinlogError("unsupported", `The table map has a column of type ${column.type}, which is not known`);
  }
}

const NUMERIC = new Set<number>([T.TINY, T.SHORT, T.INT24, T.LONG, T.LONGLONG, T.NEWDECIMAL, T.FLOAT, T.DOUBLE, T.YEAR]);
const CHARACTER = new Set<number>([T.STRING, T.VAR_STRING, T.VARCHAR, T.BLOB, T.VARCHAR_COMPRESSED, T.BLOB_COMPRESSED]);
const numeric = (c: Draft): boolean => NUMERIC.has(c.type);
const character = (c: Draft): boolean => CHARACTER.has(c.type);
/** MariaDB counts geometries too, as its blobs. */
const mariadbCharacter = (c: Draft): boolean => CHARACTER.has(c.type) || c.type === T.GEOMETRY;
const enumOrSet = (c: Draft): boolean => c.type === T.ENUM || c.type === T.SET;

/** One bit per column of `which`, the highest bit first. */
function eachBit(which: readonly Draft[], m: ByteCursor, set: (column: Draft, bit: boolean) => void): void {
  const at = m.p;
  m.skip((which.length + 7) >> 3);
  which.forEach((column, i) => set(column, (((m.b[at + (i >> 3)] as number) >> (7 - (i & 7))) & 1) === 1));
}
function defaultCollation(which: readonly Draft[], m: ByteCursor): void {
  const usual = m.packed();
  for (const column of which) column.collation = usual;
  while (m.left > 0) {
    const column = which[m.packed()];
    const collation = m.packed();
    if (column !== undefined) column.collation = collation;
  }
}
function members(m: ByteCursor): Uint8Array[] {
  const count = m.packed();
  if (count > m.left) throw new BinlogError("corrupt", "The table map promises more members than it has");
  // Copies: the table map outlives the event's bytes.
  return Array.from({ length: count }, () => Uint8Array.prototype.slice.call(m.bytes(m.packed())));
}

type PrimaryKey = { readonly column: number; readonly prefix: number }[];
/** One field of the optional metadata (Optional_metadata_field_type). Unknown fields are skipped: they are additions. */
function optional(field: number, columns: Draft[], m: ByteCursor, key: PrimaryKey, mariadb: boolean): void {
  const textual = mariadb ? mariadbCharacter : character;
  switch (field) {
    case 1:
      eachBit(columns.filter(numeric), m, (c, bit) => {
        c.unsigned = bit;
      });
      return;
    case 2:
      return defaultCollation(columns.filter(textual), m);
    case 3:
      for (const c of columns.filter(textual)) c.collation = m.packed();
      return;
    case 4:
      for (const c of columns) c.name = m.text(m.packed());
      return;
    case 5:
      for (const c of columns.filter((x) => x.type === T.SET)) c.members = members(m);
      return;
    case 6:
      for (const c of columns.filter((x) => x.type === T.ENUM)) c.members = members(m);
      return;
    case 7:
      for (const c of columns.filter((x) => x.type === T.GEOMETRY)) c.geometryType = m.packed();
      return;
    case 8:
      while (m.left > 0) key.push({ column: m.packed(), prefix: 0 });
      return;
    case 9:
      while (m.left > 0) key.push({ column: m.packed(), prefix: m.packed() });
      return;
    case 10:
      return defaultCollation(columns.filter(enumOrSet), m);
    case 11:
      for (const c of columns.filter(enumOrSet)) c.collation = m.packed();
      return;
    case 12:
      eachBit(columns, m, (c, bit) => {
        c.visible = bit;
      });
      return;
    case 13:
      for (const c of columns.filter((x) => x.type === T.VECTOR)) c.dimension = m.packed();
      return;
    default:
      return;
  }
}

const untyped = (type: number): Draft => ({
  type,
  length: 0,
  scale: 0,
  nullable: false,
  unsigned: null,
  collation: null,
  name: null,
  members: null,
  geometryType: null,
  dimension: null,
  visible: null,
});

/** `c` stands after the table's id and flags. */
export function readTableMap(id: number, c: ByteCursor, mariadb: boolean): TableMap {
  const schema = c.text(c.u8());
  c.skip(1);
  const table = c.text(c.packed());
  c.skip(1);
  const count = c.packed();
  if (count > COLUMNS_MAX) throw new BinlogError("corrupt", `The table map of ${schema}.${table} has ${count} columns`);
  const types = c.bytes(count);
  const columns = Array.from(types, untyped);
  const metadata = c.packed();
  const at = c.skip(metadata);
  const m = new ByteCursor(c.b, at, c.p, "The table map's column metadata");
  for (const column of columns) typed(column, m);
  const nulls = c.bytes((count + 7) >> 3);
  columns.forEach((column, i) => {
    column.nullable = (((nulls[i >> 3] as number) >> (i & 7)) & 1) === 1;
  });
  const key: PrimaryKey = [];
  while (c.left > 0) {
    const field = c.u8();
    const size = c.packed();
    const from = c.skip(size);
    optional(field, columns, new ByteCursor(c.b, from, c.p, "The table map's optional metadata"), key, mariadb);
  }
  return { id, schema, table, columns: columns satisfies readonly TableColumn[], primaryKey: key.length === 0 ? null : key };
}
