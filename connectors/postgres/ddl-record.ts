/** Records of the schema change topic, of the messages that the event triggers of `ddl-trigger.ts` write. */
import type { SourcePartition } from "#connect/api/record";
import { schemaChangeRecords } from "../cdc/table-change.ts";
import type { Column, TableChange } from "../cdc/table-model.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { TaskSettings } from "./task-settings.ts";

const schemaChangeRecord = schemaChangeRecords("postgresql", SOURCE_SCHEMA);

export interface DdlMessage {
  readonly ddl: string;
  readonly change: TableChange;
}
interface ColumnText {
  readonly name: string;
  readonly type: string;
  readonly oid: number;
  /** `pg_type.typtype`: b, c, d (domain), e (enumeration), r. */
  readonly kind: string;
  readonly expression: string;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly serial: boolean;
  readonly default: string | null;
  readonly comment: string | null;
}
interface MessageText {
  readonly type: "CREATE" | "ALTER" | "DROP";
  readonly schema: string;
  readonly table: string;
  readonly ddl: string;
  readonly comment?: string | null;
  readonly key?: readonly string[] | null;
  readonly columns?: readonly ColumnText[] | null;
}

/** `java.sql.Types` by the names of `pg_type`, as PostgreSQL's JDBC driver has them. */
const JDBC_TYPES: Readonly<Record<string, number>> = {
  bool: -7,
  bit: -7,
  int2: 5,
  int4: 4,
  int8: -5,
  oid: -5,
  float4: 7,
  float8: 8,
  numeric: 2,
  money: 8,
  char: 1,
  bpchar: 1,
  varchar: 12,
  text: 12,
  name: 12,
  bytea: -2,
  date: 91,
  time: 92,
  timetz: 92,
  timestamp: 93,
  timestamptz: 93,
  xml: 2009,
};
const OTHER = 1111,
  ARRAY = 2003,
  DISTINCT = 2001,
  VARCHAR = 12;
/** The header that `typmod` counts for texts and numbers. */
const HEADER = 4;

function jdbcType({ type, kind }: ColumnText): number {
  if (type.startsWith("_")) return ARRAY;
  return kind === "d" ? DISTINCT : kind === "e" ? VARCHAR : (JDBC_TYPES[type] ?? OTHER);
}
function lengthOf({ type, typmod }: ColumnText): readonly [length: number | null, scale: number | null] {
  if (typmod < 0) return [null, null];
  if (type === "numeric") return [((typmod - HEADER) >> 16) & 0xffff, (((typmod - HEADER) & 0x7ff) ^ 1024) - 1024];
  if (type === "varchar" || type === "bpchar") return [typmod - HEADER, null];
  return [typmod, null];
}
function columnOf(c: ColumnText, i: number): Column {
  const [length, scale] = lengthOf(c);
  return {
    name: c.name,
    position: i + 1,
    jdbcType: jdbcType(c),
    nativeType: c.oid,
    typeName: c.type.toUpperCase(),
    typeExpression: c.expression.toUpperCase(),
    charsetName: null,
    length,
    scale,
    optional: !c.notNull,
    autoIncremented: c.serial,
    generated: c.generated,
    comment: c.comment,
    hasDefaultValue: c.default !== null,
    defaultValueExpression: c.default,
    enumValues: [],
  };
}
/** Null: somebody else wrote a message with this prefix. */
export function readDdlMessage(content: Buffer, database: string): DdlMessage | null {
  let m: MessageText;
  try {
    m = JSON.parse(content.toString("utf8"));
  } catch {
    // Not of our triggers, which write JSON.
    return null;
  }
  if (typeof m !== "object" || m === null || typeof m.schema !== "string" || typeof m.table !== "string") return null;
  const id = { catalog: database, schema: m.schema, table: m.table };
  if (m.type === "DROP") return { ddl: m.ddl, change: { type: "DROP", id, previousId: null, table: null } };
  const columns = (m.columns ?? []).map(columnOf);
  const table = { id, columns, primaryKeyColumnNames: m.key ?? [], defaultCharsetName: null, comment: m.comment ?? null, attributes: [] };
  return { ddl: m.ddl, change: { type: m.type, id, previousId: null, table } };
}

/** For `StreamSettings.ddl`: captured tables alone are told of, and only when `millrace.ddl.events` is on. */
export function ddlRecords(s: TaskSettings, partition: SourcePartition): StreamSettings["ddl"] {
  if (!s.all.bool("millrace.ddl.events")) return () => null;
  return (content, source, tsMs, offset) => {
    const message = readDdlMessage(content, s.server.database);
    if (message === null || !s.plans.filters.table(message.change.id.schema ?? "", message.change.id.table)) return null;
    const { ddl, change } = message;
    return schemaChangeRecord({
      topic: s.naming.prefix,
      partition,
      headers: s.headers,
      source,
      tsMs,
      databaseName: change.id.catalog,
      schemaName: change.id.schema,
      ddl,
      changes: [change],
      offset: offset(),
    });
  };
}
