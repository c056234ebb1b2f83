/** What the target's tables look like, from the catalogue, and how they come to fit the records (schema.evolution). */
import { ConnectError } from "#connect/api/errors";
import type { RowShape } from "./change.ts";
import type { JdbcSinkSettings } from "./config.ts";
import { quoteTable, type Session, type Table } from "./dialect.ts";
import type { TableId } from "./naming.ts";

export interface Tables {
  exists(id: TableId): Promise<boolean>;
  /** The table, made to have the shape's columns if evolution allows it. Throws ConnectError (config) when it may not. */
  fitting(id: TableId, shape: RowShape): Promise<Table>;
  forget(): void;
}

export function tables(session: Session, settings: JdbcSinkSettings): Tables {
  const { dialect } = settings;
  const known = new Map<string, Table>();
  /** Shapes that a table was found to fit. */
  let fits = new WeakMap<RowShape, Set<string>>();

  const load = async (id: TableId): Promise<Table | null> => {
    const columns = await session.columns(id);
    return columns.length === 0 ? null : { id, columns: new Map(columns.map((c) => [dialect.columnKey(c.name), c] as const)) };
  };
  const altered = async (id: TableId, text: string): Promise<Table> => {
    await session.run({ text, values: [] });
    const table = await load(id);
    if (table === null)
      throw new ConnectError(`Table ${quoteTable(dialect, id)} has vanished while it was being altered`, { causeClass: "transient" });
    return table;
  };

  return {
    exists: async (id) => known.has(quoteTable(dialect, id)) || (await load(id)) !== null,
    async fitting(id, shape) {
      const name = quoteTable(dialect, id);
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
        table = await altered(id, dialect.createTable(id, shape));
      }
      const present = table.columns;
      const missing = shape.columns.filter((c) => !present.has(dialect.columnKey(c.name)));
      if (missing.length > 0) {
        const names = missing.map((c) => c.name).join(", ");
        if (!settings.evolve) {
          throw new ConnectError(`Table ${name} lacks the columns ${names}. Add them, or set schema.evolution=basic to have them added.`, {
            causeClass: "config",
          });
        }
        // Added columns are nullable: rows that are there already have no value for them.
        table = await altered(id, dialect.addColumns(id, missing));
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
