/** What backfills by REST ask of the server. */
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourcePartition } from "#connect/api/record";
import { taskBackfills } from "../cdc/backfill-parts.ts";
import { BackfillRefused, type Backfills, enclosed } from "../cdc/backfills.ts";
import { quoted } from "./catalog.ts";
import { connect } from "./connection.ts";
import type { MysqlServer } from "./server-settings.ts";
import type { SignalDesk } from "./signal-desk.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface OpenStream {
  /** Null: the stream is not open. */
  readonly desk: () => Pick<SignalDesk, "captured" | "refusal"> | null;
  /** Of a table as the stream knows it; null: it does not. */
  readonly key: (database: string, table: string) => readonly string[] | null;
}
/** `database.table`; only the table's own name may hold dots. */
function nameOf(id: string): readonly [database: string, table: string] {
  const at = id.indexOf(".");
  return [id.slice(0, at), id.slice(at + 1)];
}
export const mysqlBackfills = (
  s: TaskSettings,
  server: MysqlServer,
  partition: SourcePartition,
  context: SourceTaskContext,
  { desk, key }: OpenStream,
): Backfills =>
  taskBackfills(s, partition, context, {
    refusal: () => desk()?.refusal ?? null,
    captured() {
      const open = desk();
      if (open === null) throw new BackfillRefused("The stream is not open at the moment; ask again");
      return Promise.resolve(open.captured());
    },
    key: (table) => Promise.resolve(key(...nameOf(table))),
    async tried(table, where) {
      const sql = await connect(server);
      try {
        // Prepared: one statement and no more, which is not run.
        await sql.prepare(`SELECT 1 FROM ${nameOf(table).map(quoted).join(".")} WHERE ${enclosed(where)} LIMIT 0`);
      } finally {
        sql.destroy();
      }
    },
  });
