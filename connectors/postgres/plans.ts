/** Makes table plans: columns and their types from the wire (or the catalogue), keys and defaults from the catalogue. */
import type { Filters } from "../cdc/filters.ts";
import { sourceTypeParameters } from "../cdc/source-type.ts";
import { constantColumn, type PlannedColumn, plannedKey, schemaParameters, TablePlan } from "../cdc/table-plan.ts";
import type { CommonPlanSettings } from "../cdc/task-settings.ts";
import type { TopicNaming } from "../cdc/topic-naming.ts";
import type { CatalogTable } from "./catalog.ts";
import type { TypeModes } from "./column-type.ts";
import { defaultOf } from "./defaults.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";
import { sourceTypeOf } from "./source-type.ts";
import type { TypeRegistry } from "./type-registry.ts";
import { columnType } from "./types.ts";

export interface PlanSettings extends CommonPlanSettings {
  readonly filters: Filters;
  readonly naming: TopicNaming;
  readonly modes: Omit<TypeModes, "snapshot">;
}
export interface WireColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  /** Part of the replica identity: the key of tables that have no other. */
  readonly identity?: boolean;
}

/** Length of character columns; null: none that counts. */
const declaredLength = (typmod: number): number | null => (typmod > 4 ? typmod - 4 : null);

export class TablePlans {
  readonly #settings: PlanSettings;
  readonly #types: TypeRegistry;
  constructor(settings: PlanSettings, types: TypeRegistry) {
    this.#settings = settings;
    this.#types = types;
  }
  captures(schema: string, table: string): boolean {
    return this.#settings.filters.table(schema, table);
  }
  /** Columns of a table that the snapshot reads. */
  selected(table: CatalogTable): readonly WireColumn[] {
    return table.columns.filter((c) => this.#settings.filters.column(table.schema, table.table, c.name));
  }
  /** `catalog` null: the table was dropped in the meantime; it then has no key and no defaults. */
  plan(schema: string, table: string, wire: readonly WireColumn[], catalog: CatalogTable | null, snapshot: boolean): TablePlan {
    const s = this.#settings;
    const modes: TypeModes = { ...s.modes, snapshot };
    const known = new Map(catalog?.columns.map((c) => [c.name, c]) ?? []);
    const planned = new Map<string, PlannedColumn>();
    const values: PlannedColumn[] = [];
    wire.forEach((column, at) => {
      const included = s.filters.column(schema, table, column.name);
      const meta = known.get(column.name);
      const p = this.#column(schema, table, column, at, meta?.notNull ?? false, meta?.defaultExpression ?? null, modes, included);
      if (p === null) return;
      planned.set(column.name, p);
      if (included) values.push(p);
    });
    const named = this.#keyOf(schema, table, wire, catalog);
    const key = [...plannedKey(named, (name) => planned.get(name) ?? this.#absent(name, catalog, modes))];
    const origin = s.naming.keyField(schema, table);
    if (origin !== null) key.push(constantColumn(origin.name, origin.value));
    const topic = s.naming.data(schema, table);
    return new TablePlan({ schema, table, topic, schemaName: s.adjustSchema(topic) }, SOURCE_SCHEMA, values, key);
  }
  #keyOf(schema: string, table: string, wire: readonly WireColumn[], catalog: CatalogTable | null): readonly string[] {
    const names = (catalog?.columns ?? wire).map((c) => c.name);
    return this.#settings.keys(schema, table, names) ?? catalog?.key ?? wire.filter((c) => c.identity === true).map((c) => c.name);
  }
  #column(
    schema: string,
    table: string,
    column: WireColumn,
    wire: number,
    notNull: boolean,
    expression: string | null,
    modes: TypeModes,
    included: boolean,
  ): PlannedColumn | null {
    const s = this.#settings;
    const type = columnType(column.typeOid, column.typmod, modes, this.#types);
    if (type === null) return null;
    // A column that is filtered out keeps its place in the key, but nothing is known of it there.
    const value = included ? defaultOf(expression, type) : undefined;
    const schemaName = type.shape({}).name;
    const textual = type.raw.form === "text" && schemaName === null;
    const mask = s.mask(schema, table, column.name);
    const source = this.#types.resolve(column.typeOid, column.typmod);
    const typeName = this.#types.get(column.typeOid)?.name ?? "";
    const parameters = {
      ...mask?.parameters,
      ...(source !== null && s.propagate(`${schema}.${table}.${column.name}`, `${schema}.${table}.${typeName}`)
        ? sourceTypeParameters(sourceTypeOf(column.name, typeName, source, this.#types))
        : {}),
    };
    return {
      field: s.adjustField(column.name),
      wire,
      type,
      optional: !notNull || !included,
      default: value,
      parameters: schemaParameters(parameters),
      mask: textual ? mask : null,
      length: source?.type.name === "varchar" || source?.type.name === "bpchar" ? declaredLength(source.typmod) : null,
    };
  }
  /** A key column that the snapshot does not read, as it is filtered out: its neutral value. */
  #absent(name: string, catalog: CatalogTable | null, modes: TypeModes): PlannedColumn | null {
    const meta = catalog?.columns.find((c) => c.name === name);
    const type = meta === undefined ? null : columnType(meta.typeOid, meta.typmod, modes, this.#types);
    if (meta === undefined || type === null) return null;
    const field = this.#settings.adjustField(name);
    return { field, wire: -1, type, optional: !meta.notNull, default: undefined, parameters: null, mask: null, length: null };
  }
}
