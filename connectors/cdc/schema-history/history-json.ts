/** Debezium's JSON of history records, field for field in its order (HistoryRecord, JsonTableChangeSerializer). */
import { type Column, quotedTableId, type Table, type TableChange, type TableId } from "../table-model.ts";
import type { HistoryRecord, JsonObject } from "./history.ts";

export const historyJson = (r: HistoryRecord): string =>
  JSON.stringify({
    source: r.source,
    position: r.position,
    ts_ms: r.tsMs ?? undefined,
    databaseName: r.databaseName ?? undefined,
    schemaName: r.schemaName ?? undefined,
    ddl: r.ddl ?? undefined,
    tableChanges: r.tableChanges.map(changeJson),
  });
export function changeJson(c: TableChange): JsonObject {
  const base = { type: c.type, id: quotedTableId(c.id) };
  if (c.table === null) return base;
  return {
    ...base,
    ...(c.previousId === null ? {} : { previousId: quotedTableId(c.previousId) }),
    table: tableJson(c.table),
    comment: c.table.comment,
  };
}
const tableJson = (t: Table): JsonObject => ({
  defaultCharsetName: t.defaultCharsetName,
  primaryKeyColumnNames: t.primaryKeyColumnNames,
  columns: t.columns.map(columnJson),
  attributes: t.attributes,
});
const columnJson = (c: Column): JsonObject => ({
  name: c.name,
  jdbcType: c.jdbcType,
  nativeType: c.nativeType ?? undefined,
  typeName: c.typeName,
  typeExpression: c.typeExpression,
  charsetName: c.charsetName,
  length: c.length ?? undefined,
  scale: c.scale ?? undefined,
  position: c.position,
  optional: c.optional,
  autoIncremented: c.autoIncremented,
  generated: c.generated,
  comment: c.comment,
  hasDefaultValue: c.hasDefaultValue,
  defaultValueExpression: c.defaultValueExpression ?? undefined,
  enumValues: c.enumValues,
});

/** Null: not a record of a history. */
export function parseHistory(text: string, catalogFirst: boolean): HistoryRecord | null {
  const o = jsonOf(text);
  if (o === null || !isObject(o["source"]) || !isObject(o["position"])) return null;
  return {
    source: o["source"],
    position: o["position"],
    tsMs: typeof o["ts_ms"] === "number" ? o["ts_ms"] : null,
    databaseName: string(o["databaseName"]),
    schemaName: string(o["schemaName"]),
    ddl: string(o["ddl"]),
    tableChanges: objects(o["tableChanges"]).map((c) => parseChange(c, catalogFirst)),
  };
}
function jsonOf(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
const isObject = (v: unknown): v is JsonObject => typeof v === "object" && v !== null && !Array.isArray(v);
const objects = (v: unknown): readonly JsonObject[] => (Array.isArray(v) ? v.filter(isObject) : []);
const strings = (v: unknown): readonly string[] => (Array.isArray(v) ? v.filter((x) => typeof x === "string") : []);
const string = (v: unknown): string | null => (typeof v === "string" ? v : null);
const number = (v: unknown): number | null => (typeof v === "number" ? v : null);

/** `"a"."b"."c"`; two parts are catalog and table when `catalogFirst`, else schema and table. */
export function parseTableId(text: string, catalogFirst: boolean): TableId {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map((m) => (m[1] ?? m[2] ?? "").replaceAll('""', '"'));
  const table = parts.at(-1) ?? "";
  if (parts.length >= 3) return { catalog: parts[0] ?? null, schema: parts[1] ?? null, table };
  const first = parts.length === 2 ? (parts[0] ?? null) : null;
  return catalogFirst ? { catalog: first, schema: null, table } : { catalog: null, schema: first, table };
}
export function parseChange(o: JsonObject, catalogFirst: boolean): TableChange {
  const id = parseTableId(string(o["id"]) ?? "", catalogFirst);
  const previous = string(o["previousId"]);
  const type = o["type"] === "CREATE" ? "CREATE" : o["type"] === "DROP" ? "DROP" : "ALTER";
  const table = isObject(o["table"]) ? parseTable(id, o["table"], string(o["comment"])) : null;
  return { type, id, previousId: previous === null ? null : parseTableId(previous, catalogFirst), table };
}
const parseTable = (id: TableId, o: JsonObject, comment: string | null): Table => ({
  id,
  columns: objects(o["columns"]).map(parseColumn),
  primaryKeyColumnNames: strings(o["primaryKeyColumnNames"]),
  defaultCharsetName: string(o["defaultCharsetName"]),
  comment: comment ?? string(o["comment"]),
  attributes: objects(o["attributes"]).map((a) => ({ name: string(a["name"]) ?? "", value: string(a["value"]) ?? "" })),
});
const parseColumn = (o: JsonObject, at: number): Column => ({
  name: string(o["name"]) ?? "",
  position: number(o["position"]) ?? at + 1,
  jdbcType: number(o["jdbcType"]) ?? 0,
  nativeType: number(o["nativeType"]),
  typeName: string(o["typeName"]) ?? "",
  typeExpression: string(o["typeExpression"]) ?? string(o["typeName"]) ?? "",
  charsetName: string(o["charsetName"]),
  length: number(o["length"]),
  scale: number(o["scale"]),
  optional: o["optional"] === true,
  autoIncremented: o["autoIncremented"] === true,
  generated: o["generated"] === true,
  comment: string(o["comment"]),
  // Records of Debezium before 1.8 do not have the field.
  hasDefaultValue: o["hasDefaultValue"] === true || (o["hasDefaultValue"] === undefined && string(o["defaultValueExpression"]) !== null),
  defaultValueExpression: string(o["defaultValueExpression"]),
  enumValues: strings(o["enumValues"]),
});
