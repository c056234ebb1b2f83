/** What backfills by REST ask of the server. Over connections of their own: the task's may be inside a snapshot. */
import type { BackfillTable } from "#connect/api/backfill";
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourcePartition } from "#connect/api/record";
import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { type BackfillDatabase, BackfillRefused, Backfills } from "../cdc/backfills.ts";
import { messageOf } from "../cdc/source-error.ts";
import { streamsAfterSnapshot } from "../cdc/start-decision.ts";
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
async function tableOf(client: Client, id: string): Promise<CatalogTable> {
  const at = id.indexOf(".");
  const catalog = await readTable(client, id.slice(0, at), id.slice(at + 1));
  if (catalog === null) throw new BackfillRefused(`There is no table ${id}`);
  return catalog;
}
const ENDS = "The connector ends with its snapshot (snapshot.mode): there is no stream beside which tables could be read";
const database = (s: TaskSettings, plans: TablePlans): BackfillDatabase => ({
  refusal: null,
  tables: () => {
    if (!streamsAfterSnapshot(s.all, s.snapshotMode)) throw new BackfillRefused(ENDS);
    return asked(s, async (client) => {
      const signals = s.all.optional("signal.data.collection");
      return (await capturedTables(client, plans)).filter((t) => t !== signals);
    });
  },
  check: ({ table, where }, kind) =>
    asked(s, async (client) => {
      const catalog = await tableOf(client, table);
      if (kind === "incremental" && catalog.key.length === 0)
        throw new BackfillRefused(`${table} has no primary key to read it in chunks by; ask with "kind": "blocking"`);
      if (where === null) return;
      try {
        // Prepared: one statement and no more.
        await client.query({ name: "condition", text: `SELECT 1 FROM ${nameOf(catalog)} WHERE (${where}) LIMIT 0` });
      } catch (error) {
        throw new BackfillRefused(`The condition for ${table} is refused by the database: ${messageOf(error)}`, error);
      }
    }),
});
export const postgresBackfills = (s: TaskSettings, plans: TablePlans, partition: SourcePartition, context: SourceTaskContext): Backfills =>
  new Backfills({
    partition,
    offsets: context.offsets,
    database: database(s, plans),
    newId: randomUUID,
    nowMs: Date.now,
    log: context.log,
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
    const columns = plans.selected(catalog).map((c) => quoteIdentifier(c.name));
    selects.set(table, `SELECT ${columns.join(", ")} FROM ${nameOf(catalog)} WHERE (${where})`);
  }
  return selects;
}
/** Whether the connection is to blame, and not the statement. */
export const endsStream = (error: unknown): boolean => sqlState(error) === "" || isTransient(error);
