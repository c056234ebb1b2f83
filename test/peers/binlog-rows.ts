/** Tables with every column type and its extremes, and rows of the binary log as the text that SELECT gives. */
import { decimalText } from "#connectors/mysql/binlog/cells-decimal";
import {
  type DateTimeParts,
  dateTimeParts,
  enumIndex,
  readDate,
  readDateTime,
  readTime,
  readYear,
  setMask,
  timestampMicros,
  timestampSeconds,
} from "#connectors/mysql/binlog/cells-temporal";
import { COLUMN_TYPE as T } from "#connectors/mysql/binlog/column-types";
import { jsonText } from "#connectors/mysql/binlog/json";
import { inflateColumn } from "#connectors/mysql/binlog/mariadb-compression";
import { CELL_ABSENT, CELL_NULL, type RowImage, type TableColumn } from "#connectors/mysql/binlog/types";

const UNPACKED_MAX = 1024 * 1024;
const MODE = "SET SESSION sql_mode='', time_zone='+00:00'";
const LONG_TEXT = "long text 日本語 ".repeat(40);

/** Types that both servers have. Values are SQL. */
const SHARED: readonly (readonly [type: string, ...values: readonly string[]])[] = [
  ["tinyint", "-128", "127"],
  ["tinyint unsigned", "0", "255"],
  ["smallint", "-32768", "32767"],
  ["smallint unsigned", "0", "65535"],
  ["mediumint", "-8388608", "8388607"],
  ["mediumint unsigned", "0", "16777215"],
  ["int", "-2147483648", "2147483647"],
  ["int unsigned", "0", "4294967295"],
  ["bigint", "-9223372036854775808", "9223372036854775807"],
  ["bigint unsigned", "0", "18446744073709551615"],
  ["float", "-1.5", "0.25"],
  ["double", "-123456.789e-10", "0.1"],
  ["decimal(5,0)", "-99999", "0"],
  ["decimal(10,2)", "-12345678.90", "0.01"],
  ["decimal(9,9)", "-0.000000001", "0.123456789"],
  ["decimal(65,30)", `-${"9".repeat(35)}.${"9".repeat(30)}`, "1.5"],
  ["decimal(18,9) unsigned", "123456789.987654321", "0"],
  ["date", "'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-00-00'"],
  ["time", "'-838:59:59'", "'838:59:59'", "'00:00:00'"],
  ["time(1)", "'-00:00:00.1'", "'12:34:56.7'"],
  ["time(2)", "'-01:02:03.45'", "'00:00:00.99'"],
  ["time(3)", "'-12:34:56.789'", "'00:00:00.001'"],
  ["time(4)", "'-12:34:56.7891'", "'23:59:59.9999'"],
  ["time(6)", "'-838:59:58.999999'", "'-00:00:00.000001'", "'12:00:00.5'"],
  ["datetime", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'"],
  ["datetime(1)", "'2024-02-29 23:59:59.9'", "'1999-12-31 00:00:00'"],
  ["datetime(3)", "'2024-02-29 12:34:56.789'", "'1970-01-01 00:00:00.001'"],
  ["datetime(6)", "'2024-02-29 12:34:56.123456'", "'9999-12-31 23:59:59.999999'"],
  ["timestamp null", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"],
  ["timestamp(3) null", "'2024-02-29 12:34:56.789'", "'0000-00-00 00:00:00.000'"],
  ["timestamp(6) null", "'2024-02-29 12:34:56.000001'", "'2038-01-19 03:14:07.999999'"],
  ["year", "1901", "2155", "0"],
  ["char(5)", "'ab'", "''", "'日本語'"],
  ["char(255)", `'${"ü".repeat(255)}'`, "'x'"],
  ["varchar(10)", "'ab'", "''"],
  ["varchar(1000)", `'${LONG_TEXT}'`, "'😀'"],
  ["binary(4)", "x'00ff0000'", "x'01020304'"],
  ["varbinary(300)", "x'00ff'", "x''"],
  ["tinyblob", "x'0001'", "''"],
  ["blob", "x'ff00'", `repeat('b', 300)`],
  ["mediumblob", "x'ff'", "repeat('m', 300)"],
  ["longblob", "x'ff'", "repeat('l', 300)"],
  ["tinytext", "'é'", "''"],
  ["text", `'${LONG_TEXT}'`, "'x'"],
  ["mediumtext", "'x'", "''"],
  ["longtext", "'x'", "''"],
  ["bit(1)", "b'0'", "b'1'"],
  ["bit(10)", "b'1010101010'", "b'1'"],
  ["bit(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'", "b'1'"],
  ["enum('a','b,c','日')", "'a'", "'日'", "''"],
  [`enum(${Array.from({ length: 300 }, (_, i) => `'m${i}'`).join(",")})`, "'m0'", "'m299'"],
  ["set('x','y','z')", "'x,z'", "''"],
  [`set(${Array.from({ length: 64 }, (_, i) => `'s${i}'`).join(",")})`, "'s0,s63'", "'s5'"],
  ["point", "point(1,-2.5)", "point(0,0)"],
  ["geometry", "st_geomfromtext('linestring(0 0, 1 1)')", "st_geomfromtext('point(1 2)', 4326)"],
];
const MYSQL_ONLY: typeof SHARED = [
  ["json", `'{"a":[1,-1,70000,4294967296,1.5,true,null,"é\\\\"😀"],"bb":{}}'`, `'"s"'`, "'3.25'"],
  ["vector(3)", "to_vector('[1,2,3]')", "to_vector('[-0.5,0,1e10]')"],
];
const MARIADB_ONLY: typeof SHARED = [
  ["varchar(1000) compressed", "repeat('z', 500)", "'a'", "''"],
  ["blob compressed", "repeat('w', 900)", "''", "x'00'"],
  ["inet6", "'::1'", "'2001:db8::ff00:42:8329'"],
  ["uuid", "'123e4567-e89b-12d3-a456-426614174000'", "'00000000-0000-0000-0000-000000000000'"],
  ["json", `'{"a": 1}'`, "'[]'"],
];

export interface TypesTable {
  readonly create: string;
  readonly inserts: readonly string[];
  /** One text per column and row: what `render` must give. */
  readonly select: string;
}
const columnsOf = (mariadb: boolean): typeof SHARED => [...SHARED, ...(mariadb ? MARIADB_ONLY : MYSQL_ONLY)];

export function typesTable(mariadb: boolean): TypesTable {
  const columns = columnsOf(mariadb);
  const rows = Math.max(...columns.map((c) => c.length - 1));
  const inserts = Array.from({ length: rows + 1 }, (_, row) => `(${[row, ...columns.map(([, ...v]) => v[row] ?? "NULL")].join(",")})`);
  const names = columns.map(([type], i) => `c${i} ${type}`);
  const texts = columns.map(([type], i) => {
    if (/binary|blob|point|geometry|vector|inet6|uuid/.test(type)) return `lower(hex(c${i}))`;
    if (type.startsWith("bit")) return `cast(c${i}+0 as char)`;
    return `cast(c${i} as char)`;
  });
  return {
    create: `${MODE}; CREATE TABLE types (id int primary key, ${names.join(", ")}) CHARACTER SET utf8mb4`,
    inserts: inserts.map((r) => `INSERT INTO types VALUES ${r}`),
    select: `SELECT ${["cast(id as char)", ...texts].join(",")} FROM types ORDER BY id`,
  };
}

const two = (n: number): string => String(n).padStart(2, "0");
const parts: DateTimeParts = dateTimeParts();
const fraction = (micros: number, digits: number): string => (digits === 0 ? "" : `.${String(micros).padStart(6, "0").slice(0, digits)}`);
const date = (p: DateTimeParts): string => `${String(p.year).padStart(4, "0")}-${two(p.month)}-${two(p.day)}`;
const clock = (p: DateTimeParts): string => `${two(p.hours)}:${two(p.minutes)}:${two(p.seconds)}`;

function integer(b: Buffer, start: number, end: number, unsigned: boolean): string {
  const raw = setMask(b, start, end);
  return String(unsigned ? raw : BigInt.asIntN((end - start) * 8, raw));
}
function temporal(c: TableColumn, b: Buffer, start: number): string {
  switch (c.type) {
    case T.DATE:
    case T.NEWDATE:
      readDate(b, start, parts);
      return date(parts);
    case T.TIME:
    case T.TIME2:
      readTime(b, start, c.type, c.length, parts);
      return `${parts.negative ? "-" : ""}${clock(parts)}${fraction(parts.micros, c.length)}`;
    case T.DATETIME:
    case T.DATETIME2:
      readDateTime(b, start, c.type, c.length, parts);
      return `${date(parts)} ${clock(parts)}${fraction(parts.micros, c.length)}`;
    default: {
      const seconds = timestampSeconds(b, start, c.type);
      const text = seconds === 0 ? "0000-00-00 00:00:00" : new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
      return text + fraction(timestampMicros(b, start, c.type, c.length), c.length);
    }
  }
}
const member = (c: TableColumn, i: number): string => Buffer.from(c.members?.[i] ?? []).toString("utf8");
const BINARY_COLLATION = 63;

/** A cell as text; bytes of binary types, geometries and vectors in hexadecimal. null: NULL. */
export function render(c: TableColumn, image: RowImage, i: number, b: Buffer): string | null {
  const start = image.starts[i] ?? CELL_ABSENT,
    end = image.ends[i] ?? 0;
  if (start === CELL_NULL) return null;
  if (start === CELL_ABSENT) return "(absent)";
  switch (c.type) {
    case T.TINY:
    case T.SHORT:
    case T.INT24:
    case T.LONG:
    case T.LONGLONG:
      return integer(b, start, end, c.unsigned === true);
    case T.FLOAT:
      return String(Math.fround(b.readFloatLE(start)));
    case T.DOUBLE:
      return String(b.readDoubleLE(start));
    case T.NEWDECIMAL:
      return decimalText(b, start, end, c.length, c.scale);
    case T.YEAR:
      return String(readYear(b, start)).padStart(4, "0");
    case T.BIT:
      return String(BigInt(`0x${b.toString("hex", start, end)}`));
    case T.ENUM: {
      const index = enumIndex(b, start, end);
      return index === 0 ? "" : member(c, index - 1);
    }
    case T.SET: {
      const mask = setMask(b, start, end);
      return (c.members ?? []).flatMap((_, n) => (((mask >> BigInt(n)) & 1n) === 1n ? [member(c, n)] : [])).join(",");
    }
    case T.JSON:
      return JSON.stringify(JSON.parse(jsonText(b, start, end)));
    case T.BLOB_COMPRESSED:
    case T.VARCHAR_COMPRESSED: {
      const value = Buffer.from(inflateColumn(b, start, end, UNPACKED_MAX));
      return value.toString(c.collation === BINARY_COLLATION ? "hex" : "utf8");
    }
    case T.GEOMETRY:
    case T.VECTOR:
      return b.toString("hex", start, end);
    case T.STRING: {
      const hex = b.toString("hex", start, end);
      return c.collation === BINARY_COLLATION ? hex.padEnd(c.length * 2, "0") : b.toString("utf8", start, end);
    }
    case T.VAR_STRING:
    case T.VARCHAR:
    case T.TINY_BLOB:
    case T.MEDIUM_BLOB:
    case T.LONG_BLOB:
    case T.BLOB:
      return b.toString(c.collation === BINARY_COLLATION || c.collation === null ? "hex" : "utf8", start, end);
    default:
      return temporal(c, b, start);
  }
}
