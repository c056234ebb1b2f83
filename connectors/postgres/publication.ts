/** The publication that says which tables' changes the server sends (`publication.autocreate.mode`). */
import type { Client } from "pg";
import { SourceError } from "../cdc/source-error.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";

export interface TableName {
  readonly schema: string;
  readonly table: string;
}
export type AutocreateMode = "all_tables" | "disabled" | "filtered" | "no_tables";

const list = (tables: readonly TableName[]): string =>
  tables.map((t) => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`).join(", ");

/** `tables`: the captured ones, asked for only in filtered mode. */
export async function preparePublication(
  client: Pick<Client, "query">,
  name: string,
  mode: AutocreateMode,
  viaRoot: boolean,
  tables: () => Promise<readonly TableName[]>,
): Promise<void> {
  const { rowCount } = await client.query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1", [name]);
  const exists = (rowCount ?? 0) > 0;
  const id = quoteIdentifier(name);
  const options = viaRoot ? " WITH (publish_via_partition_root = true)" : "";
  if (!exists && mode === "disabled")
    throw new SourceError("Publication autocreation is disabled, please create one and restart the connector.");
  if (mode === "filtered") {
    const captured = list(await tables());
    if (captured === "") {
      const cause = new SourceError(`No table filters found for filtered publication ${name}`, {
        javaClass: "io.debezium.DebeziumException",
      });
      throw new SourceError(`Unable to create filtered publication ${name} for \n${cause.message}`, { cause });
    }
    await client.query(
      exists ? `ALTER PUBLICATION ${id} SET TABLE ${captured}` : `CREATE PUBLICATION ${id} FOR TABLE ${captured}${options}`,
    );
    return;
  }
  if (exists) return;
  await client.query(mode === "all_tables" ? `CREATE PUBLICATION ${id} FOR ALL TABLES${options}` : `CREATE PUBLICATION ${id}${options}`);
}

const IDENTITY: Readonly<Record<string, string>> = { d: "DEFAULT", f: "FULL", n: "NOTHING", i: "INDEX" };

/** `replica.identity.autoset.values`: `schema.table:FULL,…`; tables that have it already are left alone. */
export async function setReplicaIdentities(
  client: Pick<Client, "query">,
  rules: readonly { readonly matches: (id: string) => boolean; readonly identity: string }[],
  tables: readonly TableName[],
): Promise<void> {
  for (const t of tables) {
    const rule = rules.find((r) => r.matches(`${t.schema}.${t.table}`));
    if (rule === undefined) continue;
    const name = `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`;
    const { rows } = await client.query<{ relreplident: string }>(
      `SELECT relreplident FROM pg_catalog.pg_class WHERE oid = ${quoteLiteral(name)}::regclass`,
    );
    const [kind = "", ...index] = rule.identity.trim().split(/\s+/);
    if (IDENTITY[rows[0]?.relreplident ?? ""] === kind.toUpperCase() && index.length === 0) continue;
    const using = index.length > 0 ? `USING INDEX ${quoteIdentifier(index[index.length - 1] ?? "")}` : kind.toUpperCase();
    await client.query(`ALTER TABLE ${name} REPLICA IDENTITY ${using}`);
  }
}
