/** Opens a snapshot: its transaction, locks while the definitions are read, the log's position. */
import type { Table } from "../cdc/table-model.ts";
import { fromOf, idOf, listTables, maxLsn, readInstances, readTables, type TableName } from "./catalog.ts";
import { type CaptureInstance, instancesByTable, newestInstance, tableKey } from "./change-tables/capture-instance.ts";
import type { Lsn } from "./change-tables/lsn.ts";
import { type Isolation, Session } from "./connection.ts";
import { limitedTo } from "./schema-tracker.ts";
import type { SqlServer } from "./server-settings.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface OpenSnapshot {
  readonly session: Session;
  /** Changes up to it are in the rows. Null: nothing was captured yet. */
  readonly lsn: Lsn | null;
  /** The captured tables' definitions, as their newest capture instances have them; in the order in which their rows are read. */
  readonly tables: readonly Table[];
  /** Those, and the ones that go into the history as well. */
  readonly known: readonly Table[];
  /** Ends the transaction. */
  close(): Promise<void>;
}
const ISOLATION: Readonly<Record<string, Isolation>> = {
  exclusive: "REPEATABLE READ",
  repeatable_read: "REPEATABLE READ",
  read_committed: "READ COMMITTED",
  read_uncommitted: "READ UNCOMMITTED",
  snapshot: "SNAPSHOT",
};
const SAVEPOINT = "millrace_schema_snapshot";

/** Nobody may change the tables while their definitions and the position are read. */
async function lock(session: Session, s: TaskSettings, tables: readonly TableName[]): Promise<void> {
  await session.run(`SET LOCK_TIMEOUT ${s.all.int("snapshot.lock.timeout.ms")}`);
  await session.run(`SAVE TRANSACTION ${SAVEPOINT}`);
  for (const table of tables) await session.run(`SELECT TOP (0) * FROM ${fromOf(table)} WITH (TABLOCKX)`);
}
function limitToInstances(tables: readonly Table[], instances: readonly CaptureInstance[]): readonly Table[] {
  const byTable = instancesByTable(instances);
  return tables.map((table) => {
    const newest = newestInstance(byTable.get(tableKey(table.id.schema ?? "", table.id.table)) ?? []);
    return newest === undefined ? table : limitedTo(table, newest.columns);
  });
}

/** `only`: these tables, next to the stream, without locks. The caller closes what this resolves with. */
export async function openSnapshot(
  s: TaskSettings,
  server: SqlServer,
  database: string,
  only: readonly string[] | null,
): Promise<OpenSnapshot> {
  const mode = s.all.choice("snapshot.isolation.mode");
  const session = await Session.open({ ...server, applicationName: `${server.applicationName} snapshot` });
  try {
    const all = await listTables(session, database);
    const byName = all.filter((t) => s.captures(t) && (only === null || only.includes(idOf(t))));
    const captured = s.inSnapshotOrder(byName);
    await session.begin(ISOLATION[mode] ?? "REPEATABLE READ");
    const locks = (mode === "repeatable_read" || mode === "exclusive") && s.all.choice("snapshot.locking.mode") === "exclusive";
    if (locks) await lock(session, s, captured);
    const lsn = await maxLsn(session, database).catch((error: unknown) => {
      // Without change data capture only `initial_only` comes here.
      if (s.snapshotMode === "initial_only") return null;
      throw error;
    });
    const definitions = await readTables(session, database);
    const instances = s.snapshotMode === "initial_only" && lsn === null ? [] : await readInstances(session, database, null);
    const defined = (names: readonly TableName[]): readonly Table[] =>
      limitToInstances(
        names.flatMap((t) => definitions.get(idOf(t)) ?? []),
        instances,
      );
    const onlyCaptured = only !== null || s.all.bool("schema.history.internal.store.only.captured.tables.ddl");
    if (locks && mode === "repeatable_read") await session.run(`ROLLBACK TRANSACTION ${SAVEPOINT}`);
    if (locks) await session.run("SET LOCK_TIMEOUT -1");
    // As in the reference, definitions come in the order of names, but for a snapshot asked for while streaming.
    const known = only === null ? byName : captured;
    return { session, lsn, tables: defined(captured), known: defined(onlyCaptured ? known : all), close: () => session.close() };
  } catch (error) {
    await session.close();
    throw error;
  }
}
