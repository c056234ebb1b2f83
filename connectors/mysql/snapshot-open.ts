/** Opens a snapshot: locks, sessions that all see the log's one position, the tables' definitions at it. */
import type { Connection } from "mysql2/promise";
import type { Logger } from "#connect/api/connector";
import {
  databaseCharset,
  listDatabases,
  listTables,
  literal,
  type LogPosition,
  quoted,
  readLogPosition,
  type Server,
  showCreateTable,
  type TableName,
} from "./catalog.ts";
import { byName } from "../cdc/filters.ts";
import { inGatheredOrder } from "../cdc/java-hash.ts";
import { sessionZone } from "./config.ts";
import { connect } from "./connection.ts";
import { errorNumber } from "./failures.ts";
import type { MysqlServer } from "./server-settings.ts";
import type { TaskSettings } from "./task-settings.ts";
import { textConnection, TextSession } from "./text-session.ts";

/** A statement from which a table, or what it depends on, is known. */
export interface SnapshotStatement {
  readonly database: string;
  readonly table: string | null;
  readonly ddl: string;
  /** Of a database with the server's own character set: its tables are the same without it. */
  readonly implied?: boolean;
}
export interface OpenSnapshot {
  readonly at: LogPosition;
  readonly statements: readonly SnapshotStatement[];
  /** Whose rows are read, in this order. */
  readonly tables: readonly TableName[];
  /** What notifications of a table's end list: with the signal table, whose rows no snapshot reads. */
  readonly captured: readonly TableName[];
  readonly sessions: readonly TextSession[];
  /** For looking things up; it sees tables as they are now. */
  readonly sql: Connection;
  /** Locks that `snapshot.locking.mode=extended` keeps; called when all rows are read. */
  close(): Promise<void>;
}
export interface SnapshotRequest {
  readonly settings: TaskSettings;
  readonly server: MysqlServer;
  readonly info: Server;
  readonly log: Logger;
  /** Whether rows are read, and by how many sessions. */
  readonly sessions: number;
  /** Only these tables, next to the stream: the log's position does not matter. */
  readonly only?: readonly TableName[];
  /** Told when the lock of all tables is taken and let go of. */
  readonly holding: (held: boolean) => void;
}

const nameOf = (database: string, table: string | null): string => `${quoted(database)}.${quoted(table ?? "")}`;
const idOf = (t: TableName): string => `${t.database}.${t.table}`;
const DENIED = new Set([1044, 1045, 1142, 1227]);
const ISOLATION: Readonly<Record<string, string>> = {
  serializable: "SERIALIZABLE",
  repeatable_read: "REPEATABLE READ",
  read_committed: "READ COMMITTED",
  read_uncommitted: "READ UNCOMMITTED",
};

/** Locks what the settings ask for. Only the lock of all tables makes the log's position stand still. */
async function lockAll(connection: Connection, { settings, log, holding }: SnapshotRequest): Promise<void> {
  const mode = settings.all.choice("snapshot.locking.mode");
  if (mode === "none") return;
  const seconds = Math.max(1, Math.ceil(settings.all.int("snapshot.lock.timeout.ms") / 1000));
  await connection.query(`SET SESSION lock_wait_timeout = ${seconds}`);
  if (mode.startsWith("minimal_percona")) {
    // Keeps definitions as they are; rows may change, so the log goes on.
    await connection.query("LOCK TABLES FOR BACKUP");
    return;
  }
  try {
    await connection.query("FLUSH TABLES WITH READ LOCK");
    holding(true);
  } catch (error) {
    if (!DENIED.has(errorNumber(error))) throw error;
    // Managed servers do not give this right; locks on each table do the same for these tables.
    log.warn("the user may not lock all tables (RELOAD); the captured tables are locked one by one");
    await lockEach(connection, settings);
  }
}
const LOCK_TRIES = 5;
/** Tables may be dropped between the list and the lock. */
async function lockEach(connection: Connection, settings: TaskSettings): Promise<void> {
  for (let left = LOCK_TRIES; ; left--) {
    const tables = (await allTables(connection)).filter((t) => settings.filters.table(t.database, t.table));
    try {
      if (tables.length > 0)
        await connection.query(`LOCK TABLES ${tables.map((t) => `${quoted(t.database)}.${quoted(t.table)} READ`).join(", ")}`);
      return;
    } catch (error) {
      if (errorNumber(error) !== UNKNOWN_TABLE || left === 0) throw error;
    }
  }
}
const UNKNOWN_TABLE = 1146;
const allTables = async (connection: Connection): Promise<readonly TableName[]> => listTables(connection, await listDatabases(connection));
async function sessionAt(request: SnapshotRequest): Promise<Connection> {
  const { settings, server } = request;
  const connection = await textConnection(server);
  const isolation = ISOLATION[settings.all.choice("snapshot.isolation.mode")] ?? "REPEATABLE READ";
  await connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`);
  await setZone(connection, settings);
  await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
  return connection;
}

async function setZone(connection: Connection, { flavor, all }: TaskSettings): Promise<void> {
  const zone = sessionZone(flavor, all);
  if (zone !== null) await connection.query(`SET time_zone = ${literal(zone)}`);
}

/** SET, then DROP TABLE of all tables, then each database and its tables. */
async function statementsOf(connection: Connection, request: SnapshotRequest, tables: readonly TableName[]): Promise<SnapshotStatement[]> {
  const { info } = request;
  const out: SnapshotStatement[] = [
    { database: "", table: null, ddl: `SET character_set_server=${info.charset}, collation_server=${info.collation}` },
  ];
  for (const { database, table } of tables) out.push({ database, table, ddl: `DROP TABLE IF EXISTS ${quoted(database)}.${quoted(table)}` });
  for (const database of new Set(tables.map((t) => t.database))) {
    const { charset, collation } = await databaseCharset(connection, database);
    const implied = charset === info.charset && collation === info.collation;
    out.push({ database, table: null, ddl: `DROP DATABASE IF EXISTS ${quoted(database)}`, implied });
    out.push({ database, table: null, ddl: `CREATE DATABASE ${quoted(database)} CHARSET ${charset} COLLATE ${collation}`, implied });
    out.push({ database, table: null, ddl: `USE ${quoted(database)}`, implied });
    out.push(
      ...(await created(
        connection,
        request,
        tables.filter((t) => t.database === database),
      )),
    );
  }
  return out;
}
/** The tables of one database. */
async function created(connection: Connection, { settings }: SnapshotRequest, tables: readonly TableName[]): Promise<SnapshotStatement[]> {
  const out: SnapshotStatement[] = [];
  for (const name of tables) {
    const ddl = await showCreateTable(connection, name);
    if (ddl !== null) out.push({ ...name, ddl });
  }
  if (settings.all.choice("snapshot.locking.mode") !== "none") return out;
  // Without locks the reference gathers them from several threads.
  const places = new Map(inGatheredOrder(out.map((each) => idOf({ ...each, table: each.table ?? "" }))).map((id, i) => [id, i]));
  const placeOf = (each: SnapshotStatement): number => places.get(idOf({ ...each, table: each.table ?? "" })) ?? 0;
  return out.toSorted((a, b) => placeOf(a) - placeOf(b));
}

async function definitionsOf(connection: Connection, request: SnapshotRequest, tables: readonly TableName[]): Promise<SnapshotStatement[]> {
  const out: SnapshotStatement[] = [];
  for (const { database, table } of tables) out.push({ database, table, ddl: `DROP TABLE IF EXISTS ${quoted(database)}.${quoted(table)}` });
  for (const database of new Set(tables.map((t) => t.database)))
    out.push(
      ...(await created(
        connection,
        request,
        tables.filter((t) => t.database === database),
      )),
    );
  return out;
}

/** Those whose definitions are kept. */
function keptOf(settings: TaskSettings, all: readonly TableName[]): readonly TableName[] {
  const kept = all.filter((t) => settings.filters.table(t.database, t.table) || settings.keepsDdl(t.database, t.table));
  return settings.onlyTables ? settings.filters.inSnapshotOrder(kept, idOf) : byName(kept, idOf);
}

/** The caller closes what this resolves with. */
export async function openSnapshot(request: SnapshotRequest): Promise<OpenSnapshot> {
  const { settings, server, info } = request;
  const opened: Connection[] = [];
  try {
    const locker = await connect(server);
    opened.push(locker);
    // Its driver tells the server a zone, in which the defaults of TIMESTAMP columns are shown; MySQL's does not.
    if (settings.flavor === "mariadb") await setZone(locker, settings);
    if (request.only === undefined) await lockAll(locker, request);
    // Before the list, and without a lock of all tables before the rows: changes in between come twice, but come.
    const at = await readLogPosition(locker, info);
    const all = await allTables(locker);
    for (let i = 0; i < request.sessions; i++) opened.push(await sessionAt(request));
    const { filters } = settings;
    const only = request.only === undefined ? null : new Set(request.only.map(idOf));
    const chosen = filters.inSnapshotOrder(
      all.filter((t) => (only === null ? filters.snapshot(t.database, t.table) : only.has(idOf(t)))),
      idOf,
    );
    const statements = await (only === null
      ? statementsOf(locker, request, keptOf(settings, all))
      : definitionsOf(locker, request, chosen));
    const defined = new Set(
      statements.filter((each) => each.ddl.startsWith("CREATE TABLE")).map((each) => nameOf(each.database, each.table)),
    );
    const captured = chosen.filter((t) => defined.has(nameOf(t.database, t.table)));
    // Signals are for what comes after them.
    const signals = settings.all.optional("signal.data.collection");
    const extended = settings.all.choice("snapshot.locking.mode") === "extended";
    if (!extended) {
      await locker.query("UNLOCK TABLES");
      request.holding(false);
    }
    const sessions = opened.slice(1).map((c) => new TextSession(c));
    return {
      at,
      statements,
      tables: captured.filter((t) => idOf(t) !== signals),
      captured,
      sessions,
      sql: locker,
      async close() {
        await Promise.all(sessions.map((session) => session.close()));
        locker.destroy();
        request.holding(false);
      },
    };
  } catch (error) {
    for (const connection of opened) connection.destroy();
    request.holding(false);
    throw error;
  }
}
