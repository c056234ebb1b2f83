/** Makes table plans: columns, types, keys and defaults from the table's definition, cells from the log's table map or the snapshot. */
import { DataError } from "#connect/api/errors";
import type { RawColumn } from "#connect/api/raw-row";
import type { Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import type { Filters } from "../cdc/filters.ts";
import { sourceTypeParameters } from "../cdc/source-type.ts";
import { type Column, dottedTableId, type Table } from "../cdc/table-model.ts";
import {
  constantColumn,
  documented,
  type PlannedColumn,
  plannedKey,
  type PlannedType,
  schemaParameters,
  TablePlan,
} from "../cdc/table-plan.ts";
import type { CommonPlanSettings } from "../cdc/task-settings.ts";
import type { TopicNaming } from "../cdc/topic-naming.ts";
import type { TableColumn } from "./binlog/types.ts";
import type { Codecs, ColumnType, TypeModes } from "./column-type.ts";
import type { ColumnConverters } from "./converters.ts";
import { columnType } from "./types.ts";

export interface PlanSettings extends CommonPlanSettings {
  readonly filters: Filters;
  readonly naming: TopicNaming;
  readonly modes: TypeModes;
  readonly converters: ColumnConverters;
  /** `include.schema.comments` */
  readonly comments: boolean;
  /** Schema of the `source` block. */
  readonly source: Schema;
}
/** Where cells come from: the columns of a query, by name, or those of a table map, by position. */
export type Wire =
  | { readonly kind: "text"; readonly columns: readonly string[] }
  | { readonly kind: "binlog"; readonly columns: readonly TableColumn[] };

const ZERO_DATE = /^0{1,4}-0{1,2}-0{1,2}/;
/** Of a TIMESTAMP, also what CURRENT_TIMESTAMP leaves (`ddl/default-value.ts`): the reference shows it only where a value is required. */
const EPOCH = "1970-01-01 00:00:00";

function defaultOf(column: Column, type: ColumnType): ConnectValue | undefined {
  const text = column.defaultValueExpression;
  if (!column.hasDefaultValue || text === null) return undefined;
  if (text === EPOCH && column.optional && column.typeName === "TIMESTAMP") return undefined;
  if (ZERO_DATE.test(text) && typeof type.neutral !== "string") return column.optional ? undefined : type.neutral;
  const value = type.defaultOf(text);
  if (value === undefined && ZERO_DATE.test(text) && !column.optional) return type.neutral;
  return value;
}
/** In a required field a value that cannot be shown (a date with zeros) is the default, or the neutral value. */
function required(raw: RawColumn, instead: ConnectValue): RawColumn {
  if (raw.form !== "writer" && raw.form !== "decode") return raw;
  return { ...raw, decode: (b, start, end) => raw.decode(b, start, end) ?? instead };
}

/** A required field without a default: nothing stands for a value that cannot be shown. Throws DataError, as the reference words it. */
function refusing(raw: RawColumn, field: string, schemaType: string, why: string): RawColumn {
  return {
    form: "decode",
    decode(b, start, end) {
      const value = raw.decode(b, start, end);
      if (value !== null) return value;
      throw new DataError(`Invalid value: null used for required field: "${field}", schema type: ${schemaType} (${why})`);
    },
  };
}
/** A column whose values may be refused. */
export interface Refusal {
  /** Position in the wire's row. */
  readonly wire: number;
  /** Its `decode` throws DataError. */
  readonly column: RawColumn;
}

export class TablePlans {
  readonly #settings: PlanSettings;
  readonly #refusals = new WeakMap<TablePlan, readonly Refusal[]>();
  constructor(settings: PlanSettings) {
    this.#settings = settings;
  }
  captures(database: string, table: string): boolean {
    return this.#settings.filters.table(database, table);
  }
  /** Columns of the plan's rows whose values may be refused; undefined: there are none. */
  refusals(plan: TablePlan): readonly Refusal[] | undefined {
    return this.#refusals.get(plan);
  }
  /** Columns of a table that the snapshot reads. */
  selected(table: Table): readonly string[] {
    const key = new Set(this.#keyOf(table));
    const { filters } = this.#settings;
    return table.columns
      .filter((c) => key.has(c.name) || filters.column(table.id.catalog ?? "", table.id.table, c.name))
      .map((c) => c.name);
  }
  keyOf(table: Table): readonly string[] {
    return this.#keyOf(table);
  }
  plan(table: Table, wire: Wire): TablePlan {
    const s = this.#settings;
    const database = table.id.catalog ?? "",
      name = table.id.table;
    const planned = new Map<string, PlannedColumn>();
    const values: PlannedColumn[] = [];
    const refusals: Refusal[] = [];
    table.columns.forEach((column, position) => {
      const at = wire.kind === "text" ? wire.columns.indexOf(column.name) : position;
      const p = this.#column(database, name, column, at, wire);
      if (p === null) return;
      planned.set(column.name, p);
      if (!s.filters.column(database, name, column.name)) return;
      values.push(p);
      if (p.refuses) refusals.push({ wire: p.wire, column: p.type.raw });
    });
    const key = [...plannedKey(this.#keyOf(table), (column) => planned.get(column))];
    const origin = s.naming.keyField(database, name);
    if (origin !== null) key.push(constantColumn(origin.name, origin.value));
    const topic = s.naming.data(database, name);
    const plan = new TablePlan({ schema: database, table: name, topic, schemaName: s.adjustSchema(topic) }, s.source, values, key);
    if (refusals.length > 0) this.#refusals.set(plan, refusals);
    return plan;
  }
  #keyOf(table: Table): readonly string[] {
    const names = table.columns.map((c) => c.name);
    return this.#settings.keys(table.id.catalog ?? "", table.id.table, names) ?? table.primaryKeyColumnNames;
  }
  #sourceType(database: string, table: string, column: Column): Readonly<Record<string, string>> | null {
    const wanted = this.#settings.propagate(`${database}.${table}.${column.name}`, `${database}.${table}.${column.typeName}`);
    return wanted ? sourceTypeParameters(column) : null;
  }
  #column(database: string, table: string, column: Column, at: number, wire: Wire): (PlannedColumn & { readonly refuses: boolean }) | null {
    const s = this.#settings;
    const id = dottedTableId({ catalog: database, schema: null, table });
    const type = s.converters(id, column) ?? columnType(column, s.modes);
    if (type === null) return null;
    const found = s.mask(database, table, column.name);
    const cutsTo = found?.cutsTo ?? null;
    // A column that is never longer is not cut.
    const rule = cutsTo !== null && column.length !== null && column.length <= cutsTo ? null : found;
    // Other values stay as they are, but the schema says what was asked for. What is text or bytes in the event is cut, whatever the column's type.
    const mask = type.textual === true || (cutsTo !== null && type.bind === undefined) ? rule : null;
    const parameters = { ...rule?.parameters, ...this.#sourceType(database, table, column) };
    const value = defaultOf(column, type);
    const cell = wire.kind === "binlog" ? wire.columns[at] : undefined;
    const refuses = type.refuses !== undefined && !column.optional && value === undefined;
    const field = s.adjustField(column.name);
    const planned = plannedType(
      type,
      cell ?? null,
      column.optional || refuses ? undefined : (value ?? type.neutral),
      s.comments ? column.comment : null,
    );
    const schemaType = refuses ? planned.shape({ optional: false, default: undefined, parameters: null }).type : "";
    const why = `${id}.${column.name}: ${type.refuses ?? ""}`;
    return {
      refuses,
      field,
      wire: wire.kind === "binlog" && cell === undefined ? -1 : at,
      type: refuses ? { ...planned, raw: refusing(planned.raw, field, schemaType, why) } : planned,
      optional: column.optional,
      default: value,
      parameters: schemaParameters(parameters),
      mask,
      length: column.length,
    };
  }
}
/** `cell` null: cells of the text protocol. `instead`: of values that cannot be shown; undefined: null. */
function plannedType(type: ColumnType, cell: TableColumn | null, instead: ConnectValue | undefined, doc: string | null): PlannedType {
  const pick = (codecs: Codecs): RawColumn => {
    const raw = cell === null ? codecs.text : codecs.binlog(cell);
    return instead === undefined ? raw : required(raw, instead);
  };
  const bind = type.bind;
  return {
    shape: documented(type.shape, doc),
    raw: pick(type),
    neutral: type.neutral,
    unavailable: null,
    ...(bind && { bind: (schema: Schema) => ({ raw: pick(bind(schema)), neutral: type.neutral }) }),
  };
}
