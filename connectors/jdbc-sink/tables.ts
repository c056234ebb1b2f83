/** What the target's tables look like, from the catalogue, and how they come to fit the records (schema.evolution). */
import { ConnectError } from "#connect/api/errors";
import type { RowShape } from "./change.ts";
import { columnType } from "./column-types.ts";
import type { JdbcSinkSettings } from "./config.ts";
import { quoteName, quoteTable, type TableId } from "./naming.ts";

/** The part of a database connection that is used here. */
export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}
export interface TableColumn {
  readonly type: string;
  /** GENERATED ALWAYS AS (…) STORED: cannot be written. */
  readonly computed: boolean;
  readonly identityAlways: boolean;
}
export interface Table {
  readonly id: TableId;
  readonly columns: ReadonlyMap<string, TableColumn>;
}

/**
 * The type without its length: an explicit cast to varchar(3) would cut the text silently, the assignment to the column refuses
 * it. With -1 (not null) a bare `character` is bpchar, not character(1).
 */
const COLUMNS = `select a.attname as name, format_type(a.atttypid, -1) as type, a.attgenerated <> '' as computed, a.attidentity = 'a' as identity
  from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`;

export interface Tables {
  exists(id: TableId): Promise<boolean>;
  /** The table, made to have the shape's columns if evolution allows it. Throws ConnectError (config) when it may not. */
  fitting(id: TableId, shape: RowShape): Promise<Table>;
  forget(): void;
}

export function tables(sql: Sql, settings: JdbcSinkSettings): Tables {
  const known = new Map<string, Table>();
  /** Shapes that a table was found to fit. */
  let fits = new WeakMap<RowShape, Set<string>>();

  const load = async (id: TableId): Promise<Table | null> => {
    const { rows } = await sql.query(COLUMNS, [quoteTable(id)]);
    if (rows.length === 0) return null;
    const columns = new Map(
      rows.map((r): [string, TableColumn] => [
        String(r["name"]),
        { type: String(r["type"]), computed: r["computed"] === true, identityAlways: r["identity"] === true },
      ]),
    );
    return { id, columns };
  };
  const require = async (id: TableId): Promise<Table> => {
    const table = await load(id);
    if (table === null)
      throw new ConnectError(`Table ${quoteTable(id)} has vanished while it was being altered`, { causeClass: "transient" });
    return table;
  };

  return {
    exists: async (id) => known.has(quoteTable(id)) || (await load(id)) !== null,
    async fitting(id, shape) {
      const name = quoteTable(id);
      const seen = fits.get(shape);
      const cached = known.get(name);
      if (cached !== undefined && seen?.has(name)) return cached;
      let table = cached ?? (await load(id));
      if (table === null) {
        if (!settings.evolve) {
          throw new ConnectError(`Could not find table: ${name}. Create it, or set schema.evolution=basic to have it created.`, {
            causeClass: "config",
          });
        }
        await sql.query(createTable(id, shape));
        table = await require(id);
      }
      const present = table.columns;
      const missing = shape.columns.filter((c) => !present.has(c.name));
      if (missing.length > 0) {
        const names = missing.map((c) => c.name).join(", ");
        if (!settings.evolve) {
          throw new ConnectError(`Table ${name} lacks the columns ${names}. Add them, or set schema.evolution=basic to have them added.`, {
            causeClass: "config",
          });
        }
        // Added columns are nullable: rows that are there already have no value for them.
        await sql.query(
          `alter table ${name} ${missing.map((c) => `add column if not exists ${quoteName(c.name)} ${columnType(c.schema)}`).join(", ")}`,
        );
        table = await require(id);
      }
      known.set(name, table);
      if (seen === undefined) fits.set(shape, new Set([name]));
      else seen.add(name);
      return table;
    },
    forget() {
      known.clear();
      fits = new WeakMap();
    },
  };
}

export function createTable(id: TableId, shape: RowShape): string {
  const columns = shape.columns.map((c) => `${quoteName(c.name)} ${columnType(c.schema)}${c.key || !c.schema.optional ? " not null" : ""}`);
  if (shape.keyCount > 0)
    columns.push(
      `primary key (${shape.columns
        .slice(0, shape.keyCount)
        .map((c) => quoteName(c.name))
        .join(", ")})`,
    );
  return `create table if not exists ${quoteTable(id)} (${columns.join(", ")})`;
}
