/** The database's types by OID, and what a column's type comes down to once domains and arrays are looked through. */
import type { Client } from "pg";

export interface PgType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_type.typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  readonly kind: string;
  /** Element type of an array, else 0. */
  readonly element: number;
  /** Base type of a domain, else 0. */
  readonly base: number;
  readonly typmod: number;
  readonly notNull: boolean;
  /** Labels of an enum in order. */
  readonly labels: readonly string[];
}

const TYPES = `SELECT t.oid::int8::text, n.nspname, t.typname, t.typtype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END::int8::text AS element,
 t.typbasetype::int8::text AS base, t.typtypmod, t.typnotnull,
 (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS labels
 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname <> 'pg_toast' AND NOT (t.typtype = 'c' AND n.nspname IN ('pg_catalog', 'information_schema'))`;

export class TypeRegistry {
  readonly #types = new Map<number, PgType>();

  get(oid: number): PgType | null {
    return this.#types.get(oid) ?? null;
  }
  async load(client: Pick<Client, "query">): Promise<void> {
    const { rows } = await client.query<{
      oid: string;
      nspname: string;
      typname: string;
      typtype: string;
      element: string;
      base: string;
      typtypmod: number;
      typnotnull: boolean;
      labels: string[] | null;
    }>(TYPES);
    for (const r of rows)
      this.#types.set(Number(r.oid), {
        oid: Number(r.oid),
        schema: r.nspname,
        name: r.typname,
        kind: r.typtype,
        element: Number(r.element),
        base: Number(r.base),
        typmod: r.typtypmod,
        notNull: r.typnotnull,
        labels: r.labels ?? [],
      });
  }
  /** Looks through domains: the type that values really have, with the innermost type modifier that is given. */
  resolve(oid: number, typmod: number): { readonly type: PgType; readonly typmod: number } | null {
    let type = this.get(oid),
      mod = typmod;
    for (let depth = 0; type !== null && type.kind === "d" && depth < 32; depth++) {
      if (mod === -1) mod = type.typmod;
      type = this.get(type.base);
    }
    return type === null ? null : { type, typmod: mod };
  }
}
