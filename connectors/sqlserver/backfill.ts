/** What backfills by REST ask of the server, for one database. */
import type { Backfill, BackfillCommand } from "#connect/api/backfill";
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourcePartition } from "#connect/api/record";
import { taskBackfills } from "../cdc/backfill-parts.ts";
import { BackfillRefused, type Backfills, enclosed } from "../cdc/backfills.ts";
import { fromOf } from "./catalog.ts";
import { Session } from "./connection.ts";
import type { DatabaseTask } from "./database-task.ts";
import { nameOf } from "./incremental.ts";
import type { SqlServer } from "./server-settings.ts";
import type { TaskSettings } from "./task-settings.ts";

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\]|--[^\n]*|['"[();]|\/\*|\*\//g;
/**
 * A batch may hold several statements, and nothing of the server's prepares exactly one: what neither closes the parenthesis around it
 * nor leaves anything open is an expression, or is refused by the server. Comments in `/*` are left to those who need them elsewhere.
 */
function refuseStatements(where: string): void {
  let depth = 0;
  for (const [token] of where.matchAll(TOKEN)) {
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (token.length === 1 || token === "/*" || token === "*/") depth = -1;
    if (depth < 0) break;
  }
  if (depth !== 0) throw new BackfillRefused(`"${where}" is not one whole condition`);
}

/** `task`: of now; null: it is not there yet. */
export const databaseBackfills = (
  s: TaskSettings,
  server: SqlServer,
  partition: SourcePartition,
  context: SourceTaskContext,
  task: () => DatabaseTask | null,
): Backfills =>
  taskBackfills(s, partition, context, {
    refusal: () => task()?.desk?.refusal ?? null,
    captured() {
      const desk = task()?.desk ?? null;
      if (desk === null) throw new BackfillRefused("The stream is not open at the moment; ask again");
      return Promise.resolve(desk.captured());
    },
    key(table) {
      const { tracker, plans } = task()?.context ?? {};
      const known = tracker?.table(nameOf(table));
      return Promise.resolve(known === undefined || plans === undefined ? null : plans.keyOf(known));
    },
    async tried(table, where) {
      refuseStatements(where);
      const session = await Session.open(server);
      try {
        await session.rows(`SELECT TOP (0) 1 AS one FROM ${fromOf(nameOf(table))} WHERE ${enclosed(where)}`);
      } finally {
        await session.close();
      }
    },
  });

/** Each database has a list of its own; a request is for tables of one. No answer to `start`: none of them is in a database of this task. */
export async function asked(databases: ReadonlyMap<string, Backfills>, command: BackfillCommand): Promise<readonly Backfill[]> {
  if (command.do === "list") {
    const all = await Promise.all([...databases.values()].map((b) => b.command(command)));
    return all.flat();
  }
  const id = command.do === "start" ? command.request.id : command.id;
  for (const backfills of databases.values()) {
    if (id === null) break;
    const known = await backfills.command(command.do === "start" ? { do: "show", id } : command);
    if (known.length > 0) return known;
  }
  if (command.do !== "start") return [];
  const wanted = new Set(command.request.tables.map((t) => nameOf(t.table).database));
  const [database = ""] = wanted;
  const backfills = databases.get(database);
  if (backfills === undefined) return [];
  if (wanted.size > 1) throw new BackfillRefused(`A backfill is for tables of one database, not of ${[...wanted].join(" and ")}`);
  return backfills.command(command);
}
