/** Makes table plans: columns, types, keys and defaults from the table's definition; cells from the columns of a query. */
import { sourceTypeParameters } from "../cdc/source-type.ts";
import type { Column, Table } from "../cdc/table-model.ts";
import { documented, type PlannedColumn, plannedKey, schemaParameters, TablePlan } from "../cdc/table-plan.ts";
import type { CommonPlanSettings } from "../cdc/task-settings.ts";
import { type TableName, idOf } from "./catalog.ts";
import { quoted } from "./change-tables/statements.ts";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { ColumnType } from "./column-type.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";
import { columnType } from "./types.ts";

export interface PlanSettings extends CommonPlanSettings {
  /** Whether a column is captured; the id is schema.table.column. */
  readonly column: (schema: string, table: string, column: string) => boolean;
  readonly topic: (table: TableName) => string;
  readonly modes: HandlingModes;
  /** `include.schema.comments` */
  readonly comments: boolean;
}
/** A table as rows of one query give it. */
export interface PlannedTable {
  /** database.schema.table */
  readonly id: string;
  readonly name: TableName;
  readonly plan: TablePlan;
  /** Of the query's columns; null: the column is not used. */
  readonly types: readonly (ColumnType | null)[];
  /** Expressions to select. */
  readonly select: readonly string[];
}
const nameOf = (table: Table): TableName => ({
  database: table.id.catalog ?? "",
  schema: table.id.schema ?? "",
  table: table.id.table,
});

export class TablePlans {
  readonly #s: PlanSettings;
  constructor(settings: PlanSettings) {
    this.#s = settings;
  }
  keyOf(table: Table): readonly string[] {
    const { schema, table: name } = nameOf(table);
    const names = table.columns.map((c) => c.name);
    return this.#s.keys(schema, name, names) ?? table.primaryKeyColumnNames;
  }
  /** Columns of a table that are read: those that are captured, and the key's. */
  selected(table: Table): readonly string[] {
    const key = new Set(this.keyOf(table));
    const { schema, table: name } = nameOf(table);
    return table.columns
      .filter((c) => (key.has(c.name) || this.#s.column(schema, name, c.name)) && columnType(c, this.#s.modes) !== null)
      .map((c) => c.name);
  }
  /** `columns`: names in the order of the query. Columns of the table that it lacks are null. */
  plan(table: Table, columns: readonly string[]): PlannedTable {
    const s = this.#s;
    const name = nameOf(table);
    const planned = new Map<string, PlannedColumn>();
    const types = new Map<string, ColumnType>();
    const values: PlannedColumn[] = [];
    for (const column of table.columns) {
      const type = columnType(column, s.modes);
      if (type === null) continue;
      types.set(column.name, type);
      const p = this.#column(name, column, type, columns.indexOf(column.name));
      planned.set(column.name, p);
      if (s.column(name.schema, name.table, column.name)) values.push(p);
    }
    const key = plannedKey(this.keyOf(table), (column) => planned.get(column));
    const topic = s.topic(name);
    const names = { schema: `${name.database}.${name.schema}`, table: name.table, topic, schemaName: s.adjustSchema(topic) };
    return {
      id: idOf(name),
      name,
      plan: new TablePlan(names, SOURCE_SCHEMA, values, key),
      types: columns.map((c) => types.get(c) ?? null),
      select: columns.map((c) => types.get(c)?.select?.(quoted(c)) ?? quoted(c)),
    };
  }
  #column(name: TableName, column: Column, type: ColumnType, wire: number): PlannedColumn {
    const s = this.#s;
    const id = `${name.schema}.${name.table}`;
    const rule = s.mask(name.schema, name.table, column.name);
    // Other values stay as they are, but the schema says what was asked for.
    const mask = type.textual === true ? rule : null;
    const wanted = s.propagate(`${id}.${column.name}`, `${id}.${column.typeName}`);
    // The first rule for a column counts: a masked one does not tell its type.
    const parameters =
      rule?.parameters ?? (wanted ? sourceTypeParameters({ ...column, typeName: column.typeName.toUpperCase(), comment: null }) : {});
    const value = column.defaultValueExpression === null ? undefined : type.defaultOf(column.defaultValueExpression);
    return {
      field: s.adjustField(column.name),
      wire,
      type: {
        shape: documented(type.shape, s.comments ? column.comment : null),
        raw: type.raw,
        neutral: type.neutral,
        unavailable: null,
      },
      optional: column.optional,
      default: value,
      parameters: schemaParameters(parameters),
      mask,
      length: column.length,
    };
  }
}
