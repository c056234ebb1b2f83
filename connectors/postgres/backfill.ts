/** What backfills by REST ask of the server. Over connections of their own: the task's may be inside a snapshot. */
import type { BackfillTable } from "#connect/api/backfill";
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourcePartition } from "#connect/api/record";
import type { Client } from "pg";
import { taskBackfills } from "../cdc/backfill-parts.ts";
import { BackfillRefused, type Backfills, enclosed } from "../cdc/backfills.ts";
import { type CatalogTable, readTable } from "./catalog.ts";
import { connect } from "./connection.ts";
import { isTransient, sqlState } from "./failures.ts";
import { capturedTables } from "./incremental.ts";
import type { TablePlans } from "./plans.ts";
import { quoteIdentifier } from "./slot.ts";
import type { TaskSettings } from "./task-settings.ts";

const nameOf = ({ schema, table }: CatalogTable): string => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

async function asked<T>(s: TaskSettings, ask: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(s.server);
  try {
    return await ask(client);
  } finally {
    await client.end();
  }
}
function tableOf(client: Client, id: string): Promise<CatalogTable | null> {
  const at = id.indexOf(".");
  return readTable(client, id.slice(0, at), id.slice(at + 1));
}
const TRIED = "condition";
export const postgresBackfills = (s: TaskSettings, plans: TablePlans, partition: SourcePartition, context: SourceTaskContext): Backfills =>
  taskBackfills(s, partition, context, {
    refusal: () => null,
    captured: () => asked(s, (client) => capturedTables(client, plans)),
    key: (table) => asked(s, async (client) => (await tableOf(client, table))?.key ?? null),
    tried: (table, where) =>
      asked(s, async (client) => {
        const catalog = await tableOf(client, table);
        // Prepared: one statement and no more.
        if (catalog !== null)
          await client.query({ name: TRIED, text: `SELECT 1 FROM ${nameOf(catalog)} WHERE ${enclosed(where)} LIMIT 0` });
      }),
  });
/** For tables with a condition, the statement that reads them. */
export async function backfillSelects(
  client: Client,
  plans: TablePlans,
  tables: readonly BackfillTable[],
): Promise<ReadonlyMap<string, string>> {
  const selects = new Map<string, string>();
  for (const { table, where } of tables) {
    if (where === null) continue;
    const catalog = await tableOf(client, table);
    if (catalog === null) throw new BackfillRefused(`There is no table ${table}`);
    const columns = plans.selected(catalog).map((c) => quoteIdentifier(c.name));
    selects.set(table, `SELECT ${columns.join(", ")} FROM ${nameOf(catalog)} WHERE ${enclosed(where)}`);
  }
  return selects;
}
/** Whether the connection is to blame, and not the statement. */
export const endsStream = (error: unknown): boolean => sqlState(error) === "" || isTransient(error);
