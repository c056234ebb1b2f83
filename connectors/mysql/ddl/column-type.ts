/** Types of columns, as Debezium's model names and numbers them (https://dev.mysql.com/doc/refman/9.1/en/data-types.html). */
import type { Flavor, TypeNames } from "./ddl.ts";
import type { Cursor } from "./cursor.ts";

/** java.sql.Types. */
const JDBC = {
  BIT: -7,
  SMALLINT: 5,
  INTEGER: 4,
  BIGINT: -5,
  FLOAT: 6,
  REAL: 7,
  DOUBLE: 8,
  NUMERIC: 2,
  DECIMAL: 3,
  CHAR: 1,
  VARCHAR: 12,
} as const;
const MORE = {
  DATE: 91,
  TIME: 92,
  TIMESTAMP: 93,
  TIMESTAMP_TZ: 2014,
  BINARY: -2,
  VARBINARY: -3,
  BLOB: 2004,
  OTHER: 1111,
  BOOLEAN: 16,
  NCHAR: -15,
  NVARCHAR: -9,
} as const;

export type TypeKind = "number" | "text" | "enum" | "national" | "bytes" | "other";
interface TypeEntry {
  readonly jdbcType: number;
  readonly kind: TypeKind;
  readonly length?: number;
  readonly scale?: number;
}
const number = (jdbcType: number): TypeEntry => ({ jdbcType, kind: "number" });
const decimal = (jdbcType: number): TypeEntry => ({ jdbcType, kind: "number", length: 10, scale: 0 });
const text = (jdbcType: number): TypeEntry => ({ jdbcType, kind: "text" });
const bytes = (jdbcType: number): TypeEntry => ({ jdbcType, kind: "bytes" });
const other = (jdbcType: number): TypeEntry => ({ jdbcType, kind: "other" });
const national = (jdbcType: number, length?: number): TypeEntry => ({
  jdbcType,
  kind: "national",
  ...(length !== undefined && { length }),
});
const entries = (names: string, entry: TypeEntry): [string, TypeEntry][] => names.split(",").map((n) => [n, entry]);

const TYPES: ReadonlyMap<string, TypeEntry> = new Map([
  ...entries("TINYINT,SMALLINT,INT1,INT2", number(JDBC.SMALLINT)),
  ...entries("MEDIUMINT,MIDDLEINT,INT,INTEGER,INT3,INT4,YEAR", number(JDBC.INTEGER)),
  ...entries("BIGINT,INT8", number(JDBC.BIGINT)),
  ...entries("BOOL,BOOLEAN", number(MORE.BOOLEAN)),
  ...entries("FLOAT,FLOAT4", number(JDBC.FLOAT)),
  ...entries("REAL", number(JDBC.REAL)),
  ...entries("DOUBLE PRECISION,DOUBLE,FLOAT8", number(JDBC.DOUBLE)),
  ...entries("DECIMAL,DEC,FIXED", decimal(JDBC.DECIMAL)),
  ...entries("NUMERIC", decimal(JDBC.NUMERIC)),
  ...entries("BIT", { jdbcType: JDBC.BIT, kind: "number", length: 1 }),
  ...entries("CHAR,CHARACTER", text(JDBC.CHAR)),
  ...entries("CHARACTER VARYING,CHAR VARYING,VARCHAR,VARCHARACTER", text(JDBC.VARCHAR)),
  ...entries(
    "TINYTEXT,TEXT,MEDIUMTEXT,LONGTEXT,LONG VARCHARACTER,LONG CHARACTER VARYING,LONG CHAR VARYING,LONG VARCHAR,LONG",
    text(JDBC.VARCHAR),
  ),
  ...entries("NATIONAL CHARACTER,NATIONAL CHAR,NCHAR", national(MORE.NCHAR, 1)),
  ...entries(
    "NATIONAL CHARACTER VARYING,NATIONAL CHAR VARYING,NATIONAL VARCHARACTER,NATIONAL VARCHAR,NCHAR VARYING,NCHAR VARCHARACTER,NCHAR VARCHAR,NVARCHAR",
    national(MORE.NVARCHAR),
  ),
  ...entries("ENUM,SET", { jdbcType: JDBC.CHAR, kind: "enum" }),
  ...entries("BINARY", bytes(MORE.BINARY)),
  ...entries("VARBINARY", bytes(MORE.VARBINARY)),
  ...entries("TINYBLOB,BLOB,MEDIUMBLOB,LONGBLOB,LONG VARBINARY", bytes(MORE.BLOB)),
  ...entries("DATE", other(MORE.DATE)),
  ...entries("TIME", other(MORE.TIME)),
  ...entries("DATETIME", other(MORE.TIMESTAMP)),
  ...entries("TIMESTAMP", other(MORE.TIMESTAMP_TZ)),
  ...entries(
    "JSON,GEOMETRY,POINT,LINESTRING,POLYGON,MULTIPOINT,MULTILINESTRING,MULTIPOLYGON,GEOMETRYCOLLECTION,GEOMCOLLECTION",
    other(MORE.OTHER),
  ),
  ...entries("VECTOR,UUID,INET4,INET6,XMLTYPE", other(MORE.OTHER)),
]);
/** MariaDB's names for Oracle's users. */
const ORACLE: Readonly<Record<string, string>> = { NUMBER: "DECIMAL", VARCHAR2: "VARCHAR", CLOB: "LONGTEXT", RAW: "VARBINARY" };
/** Names by their first word, longest first: the first whose words all follow is it. */
const FIRST_WORDS = new Map<string, readonly (readonly string[])[]>();
for (const name of TYPES.keys()) {
  const words = name.split(" ");
  const first = words[0] ?? "";
  FIRST_WORDS.set(
    first,
    [...(FIRST_WORDS.get(first) ?? []), words].sort((a, b) => b.length - a.length),
  );
}

export interface ColumnType {
  readonly jdbcType: number;
  readonly typeName: string;
  readonly kind: TypeKind;
  readonly length: number | null;
  readonly scale: number | null;
  readonly enumValues: readonly string[];
  /** Of `ASCII` and `UNICODE`. */
  readonly charset: string | null;
  readonly serial: boolean;
}

function enumValues(c: Cursor): string[] {
  const values: string[] = [];
  c.expectSymbol("(");
  do {
    // Introducer of a character set, or N: the server stores the text without it.
    if (c.token.kind === "word" && (c.token.text === "N" || c.token.text.startsWith("_"))) c.next();
    if (c.token.kind !== "single" && c.token.kind !== "double") c.fail("a text expected");
    values.push(c.next().text);
  } while (c.symbol(","));
  c.expectSymbol(")");
  return values;
}
function sizes(c: Cursor): readonly [number | null, number | null] {
  if (!c.symbol("(")) return [null, null];
  const found: number[] = [];
  do {
    if (c.token.kind !== "number") c.fail("a number expected");
    // FLOAT(10.3) is FLOAT(10), as the servers read it.
    found.push(Math.trunc(Number(c.next().text)));
  } while (c.symbol(","));
  c.expectSymbol(")");
  return [found[0] ?? null, found[1] ?? null];
}
/** Whose types are meant: MariaDB prints it where the session's sql_mode gives a name another meaning. */
const SCHEMAS: Readonly<Record<string, TypeNames>> = { MARIADB_SCHEMA: "own", ORACLE_SCHEMA: "oracle", MAXDB_SCHEMA: "maxdb" };
const MEANINGS: Readonly<Record<TypeNames, Readonly<Record<string, string>>>> = {
  own: {},
  oracle: { DATE: "DATETIME", BLOB: "LONGBLOB" },
  maxdb: { TIMESTAMP: "DATETIME" },
};
function nameAndEntry(c: Cursor): readonly [string, TypeEntry] {
  const schema = c.token.kind === "word" && c.ahead(1).text === "." ? SCHEMAS[c.token.text] : undefined;
  if (schema !== undefined) c.at += 2;
  const meaning = c.token.kind === "word" ? MEANINGS[schema ?? c.typeNames][c.token.text] : undefined;
  const unsized = c.isWord("NUMBER") && c.ahead(1).text !== "(" ? "DOUBLE" : undefined;
  const meant = TYPES.get(meaning ?? unsized ?? "");
  if (meant !== undefined) {
    c.next();
    return [meaning ?? unsized ?? "", meant];
  }
  const word = c.token.kind === "word" ? c.token.text : "";
  const alias = ORACLE[word];
  if (alias !== undefined) c.next();
  const name = alias ?? (FIRST_WORDS.get(word) ?? []).find((words) => c.accept(...words))?.join(" ") ?? "";
  return [name, TYPES.get(name) ?? c.fail("a type expected")];
}
/** UNSIGNED, SIGNED, ZEROFILL in the order that Debezium prints. */
function signs(c: Cursor): string {
  let sign = "";
  let zerofill = false;
  for (let word = c.acceptAny("UNSIGNED", "SIGNED", "ZEROFILL"); word !== null; word = c.acceptAny("UNSIGNED", "SIGNED", "ZEROFILL")) {
    if (word === "ZEROFILL") zerofill = true;
    else if (sign === "") sign = ` ${word}`;
  }
  return zerofill ? " UNSIGNED ZEROFILL" : sign;
}
export function columnType(c: Cursor, flavor: Flavor): ColumnType {
  if (c.accept("SERIAL"))
    return {
      jdbcType: JDBC.BIGINT,
      typeName: "BIGINT UNSIGNED",
      kind: "number",
      length: null,
      scale: null,
      enumValues: [],
      charset: null,
      serial: true,
    };
  const [name, entry] = nameAndEntry(c);
  const base = { ...entry, typeName: name, enumValues: [] as readonly string[], charset: null, serial: false };
  if (entry.kind === "enum") {
    const values = enumValues(c);
    return { ...base, length: name === "ENUM" ? 1 : Math.max(0, 2 * values.length - 1), scale: null, enumValues: values };
  }
  const [length, scale] = sizes(c);
  const size = {
    length: length ?? entry.length ?? (name === "VECTOR" && flavor === "mysql" ? 2048 : null),
    scale: scale ?? entry.scale ?? null,
  };
  if (entry.kind === "number") return { ...base, ...size, typeName: name + signs(c) };
  if (entry.kind !== "text") return { ...base, ...size };
  if (c.accept("BYTE")) return { ...base, ...size, jdbcType: MORE.BINARY, typeName: "BINARY", kind: "bytes" };
  const word = c.acceptAny("ASCII", "UNICODE");
  return { ...base, ...size, charset: word === "ASCII" ? "latin1" : word === "UNICODE" ? "ucs2" : null };
}
