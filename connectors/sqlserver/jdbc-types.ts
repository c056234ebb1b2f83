/** How a JDBC driver sees the server's types: number, size and scale, which schema history and schema change events carry. */
export interface JdbcType {
  /** `java.sql.Types`, and the driver's own numbers. */
  readonly type: number;
  readonly length: number | null;
  readonly scale: number | null;
}
export interface DeclaredSize {
  /** Bytes; -1: max. */
  readonly maxLength: number;
  readonly precision: number;
  readonly scale: number;
}
const UNLIMITED = 2_147_483_647;

const FIXED: Readonly<Record<string, readonly [type: number, length: number, scale: number | null]>> = {
  bit: [-7, 1, null],
  tinyint: [-6, 3, 0],
  smallint: [5, 5, 0],
  int: [4, 10, 0],
  bigint: [-5, 19, 0],
  money: [3, 19, 4],
  smallmoney: [3, 10, 4],
  real: [7, 24, null],
  float: [8, 53, null],
  date: [91, 10, 0],
  datetime: [93, 23, 3],
  smalldatetime: [93, 16, 0],
  text: [-1, UNLIMITED, null],
  ntext: [-16, 1_073_741_823, null],
  image: [-4, UNLIMITED, null],
  xml: [-16, UNLIMITED, null],
  uniqueidentifier: [1, 36, null],
  timestamp: [-2, 8, null],
  sql_variant: [-150, 8000, 0],
  geometry: [-157, UNLIMITED, null],
  geography: [-158, UNLIMITED, null],
  hierarchyid: [-3, 892, null],
};
/** Characters of types that have a length; bytes of one character. */
const SIZED: Readonly<Record<string, readonly [type: number, bytes: number]>> = {
  char: [1, 1],
  varchar: [12, 1],
  nchar: [-15, 2],
  nvarchar: [-9, 2],
  sysname: [-9, 2],
  binary: [-2, 1],
  varbinary: [-3, 1],
};
/** Size of the text without fraction. */
const FRACTIONAL: Readonly<Record<string, readonly [type: number, length: number]>> = {
  time: [92, 8],
  datetime2: [93, 19],
  datetimeoffset: [-155, 26],
};

export function jdbcOf(name: string, size: DeclaredSize): JdbcType {
  const fixed = FIXED[name];
  if (fixed !== undefined) return { type: fixed[0], length: fixed[1], scale: fixed[2] };
  const sized = SIZED[name];
  if (sized !== undefined) return { type: sized[0], length: size.maxLength < 0 ? UNLIMITED : size.maxLength / sized[1], scale: null };
  const fractional = FRACTIONAL[name];
  if (fractional !== undefined)
    return { type: fractional[0], length: fractional[1] + (size.scale > 0 ? size.scale + 1 : 0), scale: size.scale };
  if (name === "decimal" || name === "numeric") return { type: name === "decimal" ? 3 : 2, length: size.precision, scale: size.scale };
  // Other: columns of it are left out.
  return { type: 1111, length: null, scale: null };
}
