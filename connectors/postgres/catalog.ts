/** What a relation message does not say: the key, defaults, and which columns must not be null. */
import type { Client } from "pg";
import { quoteIdentifier } from "./slot.ts";

export interface CatalogColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  readonly notNull: boolean;
  /** Expression as pg_get_expr prints it; null where there is none or the column is generated. */
  readonly defaultExpression: string | null;
  readonly generated: boolean;
}
export interface CatalogTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly CatalogColumn[];
  /** Names in the order of the key: primary key, else the first unique index that qualifies; empty if none. */
  readonly key: readonly string[];
}

const COLUMNS = `SELECT n.nspname, c.relname, a.attname, a.atttypid::int8::text AS typeoid, a.atttypmod, a.attgenerated <> '' AS generated,
 (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS notnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS dflt
 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v') AND $1::text IS NOT DISTINCT FROM $1 `;

/** Primary keys come first, then unique indexes by name, with their INCLUDE columns as in the reference; an index over an expression is no key. */
const KEYS = `SELECT n.nspname, c.relname, i.indisprimary, ic.relname AS indexname,
 (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, ord)
   LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE i.indnkeyatts >= k.ord OR NOT i.indisprimary) AS columns
 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisunique AND i.indisvalid AND (i.indisprimary OR NOT (0 = ANY (i.indkey::int2[]))) AND $1::text IS NOT DISTINCT FROM $1 `;
const KEY_ORDER = ` ORDER BY i.indisprimary DESC, ic.relname`;

interface ColumnRow {
  nspname: string;
  relname: string;
  attname: string;
  typeoid: string;
  atttypmod: number;
  generated: boolean;
  notnull: boolean;
  dflt: string | null;
}
interface KeyRow {
  nspname: string;
  relname: string;
  indisprimary: boolean;
  columns: (string | null)[] | null;
}

function tablesOf(columns: readonly ColumnRow[], keys: readonly KeyRow[]): Map<string, CatalogTable> {
  const keyOf = new Map<string, readonly string[]>();
  for (const k of keys) {
    const id = `${k.nspname}.${k.relname}`;
    const names = (k.columns ?? []).filter((n) => n !== null);
    if (!keyOf.has(id) && names.length > 0) keyOf.set(id, names);
  }
  const tables = new Map<string, CatalogTable & { columns: CatalogColumn[] }>();
  for (const r of columns) {
    const id = `${r.nspname}.${r.relname}`;
    let table = tables.get(id);
    if (table === undefined) tables.set(id, (table = { schema: r.nspname, table: r.relname, columns: [], key: keyOf.get(id) ?? [] }));
    table.columns.push({
      name: r.attname,
      typeOid: Number(r.typeoid),
      typmod: r.atttypmod,
      notNull: r.notnull,
      defaultExpression: r.generated ? null : r.dflt,
      generated: r.generated,
    });
  }
  return tables;
}

/** Null: the table is not there (any more). */
export async function readTable(client: Pick<Client, "query">, schema: string, table: string): Promise<CatalogTable | null> {
  const columns = await client.query<ColumnRow>(`${COLUMNS} AND n.nspname = $2 AND c.relname = $3 ORDER BY a.attnum`, ["", schema, table]);
  const keys = await client.query<KeyRow>(`${KEYS} AND n.nspname = $2 AND c.relname = $3 ${KEY_ORDER}`, ["", schema, table]);
  return tablesOf(columns.rows, keys.rows).get(`${schema}.${table}`) ?? null;
}

/** Nobody alters the table, nor its partitions, until the transaction ends; reading and writing go on. */
export async function holdDefinition(client: Pick<Client, "query">, schema: string, table: string): Promise<void> {
  await client.query(`SELECT FROM ${quoteIdentifier(schema)}.${quoteIdentifier(table)} LIMIT 0`);
}
/** Whether the rows of the table, or of one of its partitions, are in other files now than where the transaction's snapshot has them. */
export async function rewritten(client: Pick<Client, "query">, schema: string, table: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_class p
     WHERE n.nspname = $1 AND c.relname = $2 AND (p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)))
     AND p.relfilenode <> 0 AND pg_catalog.pg_relation_filenode(p.oid) IS DISTINCT FROM p.relfilenode LIMIT 1`,
    [schema, table],
  );
  return rows.length > 0;
}

/** Names of all tables that can hold rows, partitioned ones included, sorted as Debezium sorts them. */
export async function listTables(client: Pick<Client, "query">): Promise<readonly { readonly schema: string; readonly table: string }[]> {
  const { rows } = await client.query<{ schema: string; table: string }>(
    `SELECT n.nspname AS schema, c.relname AS "table" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_temp%' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  const id = (t: { schema: string; table: string }): string => `${t.schema}.${t.table}`;
  return rows.sort((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0));
}

/** Id of the first transaction that is not over yet in the client's snapshot. */
export async function nextTransaction(client: Pick<Client, "query">): Promise<number> {
  const { rows } = await client.query<{ xid: string }>("SELECT txid_snapshot_xmax(txid_current_snapshot())::text AS xid");
  return Number(rows[0]?.xid ?? 0);
}
/** `server_version_num`: 150004 is 15.4. */
export async function serverVersion(client: Pick<Client, "query">): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
  return Number(rows[0]?.server_version_num ?? 0);
}
