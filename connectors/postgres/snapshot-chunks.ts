/** How a table is cut for the initial snapshot: by key where it has one, so that chunks mean the same in a later run. */
import type { KeyValues } from "../cdc/incremental-snapshot/port.ts";
import type { Client } from "pg";
import type { CatalogTable } from "./catalog.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";

/** `key`: chunks by ranges of the key. `pages`: by ranges of pages, which hold other rows in a later snapshot. */
export interface Cuts {
  readonly by: "key" | "pages";
  readonly bounds: readonly KeyValues[];
}
export const UNCUT: Cuts = { by: "pages", bounds: [] };

/** A page of 8 KiB holds at most this many rows (a row takes 28 bytes at least). */
const ROWS_PER_PAGE_MAX = 292;
/** Pages that are read to find where the key is to be cut. */
const SAMPLED_PAGES = 2000;
/** More chunks would only make offsets long. */
const CHUNKS_MAX = 256;

const nameOf = (t: CatalogTable): string => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`;
const rowOf = (key: readonly string[]): string => `(${key.map(quoteIdentifier).join(", ")})`;
const literals = (key: KeyValues): string => `(${key.map((k) => (k === null ? "NULL" : quoteLiteral(k))).join(", ")})`;

/** A key whose columns are never null: rows with nulls would be in no range. */
function cuttableKey(table: CatalogTable): readonly string[] {
  return table.key.every((k) => table.columns.some((c) => c.name === k && c.notNull)) ? table.key : [];
}

async function pagesOf(table: CatalogTable, client: Client): Promise<{ readonly pages: number; readonly partitioned: boolean }> {
  const oid = `${quoteLiteral(nameOf(table))}::regclass`;
  const { rows } = await client.query<{ pages: string; kind: string }>(
    `SELECT ceil(CASE WHEN c.relkind = 'p' THEN (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid)) ELSE pg_relation_size(c.oid) END
      / current_setting('block_size')::numeric)::text AS pages, c.relkind AS kind FROM pg_catalog.pg_class c WHERE c.oid = ${oid}`,
  );
  return { pages: Number(rows[0]?.pages ?? 0), partitioned: rows[0]?.kind === "p" };
}

/** About `chunkRows` rows each; a table that surely has no more stays whole. */
export async function cutsOf(table: CatalogTable, client: Client, chunkRows: number): Promise<Cuts> {
  const { pages, partitioned } = await pagesOf(table, client);
  if (pages * ROWS_PER_PAGE_MAX <= chunkRows) return UNCUT;
  const key = cuttableKey(table);
  if (key.length === 0) return partitioned ? UNCUT : byPages(pages, chunkRows);
  const percent = Math.min(100, (100 * SAMPLED_PAGES) / pages);
  const columns = key.map(quoteIdentifier).join(", ");
  const texts = key.map((k) => `s.${quoteIdentifier(k)}::text`).join(", ");
  const step = `greatest(1, ${Math.floor((chunkRows * percent) / 100)}, s.n / ${CHUNKS_MAX})`;
  const { rows } = await client.query<{ bound: KeyValues }>(
    `SELECT ARRAY[${texts}] AS bound FROM (SELECT ${columns}, row_number() OVER (ORDER BY ${columns}) AS rn, count(*) OVER () AS n
      FROM ${nameOf(table)} TABLESAMPLE SYSTEM (${percent}) REPEATABLE (1)) s WHERE s.rn % ${step} = 0 AND s.rn < s.n ORDER BY s.rn`,
  );
  return { by: "key", bounds: rows.map((r) => r.bound) };
}
function byPages(pages: number, chunkRows: number): Cuts {
  // Rows of usual width: it only decides how even the chunks are.
  const chunkPages = Math.max(Math.ceil(chunkRows / 60), Math.ceil(pages / CHUNKS_MAX));
  const bounds: KeyValues[] = [];
  for (let page = chunkPages; page < pages; page += chunkPages) bounds.push([`(${page},0)`]);
  return { by: "pages", bounds };
}

/** The rows of chunk `i`: every row is in exactly one. "": all rows. */
export function chunkCondition(table: CatalogTable, cuts: Cuts, i: number): string {
  const after = cuts.bounds[i - 1],
    upTo = cuts.bounds[i];
  const key = cuttableKey(table);
  const conditions =
    cuts.by === "key"
      ? [
          ...(after === undefined ? [] : [`${rowOf(key)} > ${literals(after)}`]),
          ...(upTo === undefined ? [] : [`${rowOf(key)} <= ${literals(upTo)}`]),
        ]
      : [
          ...(after === undefined ? [] : [`ctid >= ${quoteLiteral(after[0] ?? "")}::tid`]),
          ...(upTo === undefined ? [] : [`ctid < ${quoteLiteral(upTo[0] ?? "")}::tid`]),
        ];
  return conditions.join(" AND ");
}
