/**
 * A SQL Server for tests: MSSQL_URL names one that is there (a real one); else the simulator in `sqlserver-sim/` is started, for
 * which Python 3.11 is enough.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import sql from "mssql";

export interface SqlServerPeer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly simulator: boolean;
  /** Runs one batch; autocommit. */
  run(database: string, batch: string): Promise<void>;
  rows(database: string, query: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Removes a database if it is there, whoever uses it. */
  drop(database: string): Promise<void>;
  /** Ends the server without warning and starts it again over the same state. Throws for a server that is not ours. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}
export type SqlServerOrReason = SqlServerPeer | { readonly reason: string };

const START_MS = 90_000;

export interface SqlServerOptions {
  /** Unused. */
  readonly port: number;
  /** A file that keeps the simulator's databases over a crash. */
  readonly state?: string;
  /** Further ones of the simulator, see its README. */
  readonly arguments?: readonly string[];
}
async function startSimulator(options: SqlServerOptions): Promise<ChildProcess | string> {
  const script = join(import.meta.dirname, "sqlserver-sim/sqlserver_sim.py");
  const state = options.state === undefined ? [] : ["--state", options.state];
  const args = [script, "--port", String(options.port), ...state, ...(options.arguments ?? [])];
  const child = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve("the simulator did not come up within 90 s"), START_MS);
    child.once("error", (error) => resolve(`python3 cannot be run: ${error.message}`));
    child.once("exit", (code) => resolve(`the simulator ended with ${code}`));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!chunk.toString("utf8").includes("listening on")) return;
      clearTimeout(limit);
      resolve(child);
    });
  });
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}
/** `own`: ends the server and, where it can be, starts it again; null: it is not ours. */
export interface OwnServer {
  restart(): Promise<void>;
  end(): Promise<void>;
}
/** A server that is there. */
export function sqlServerAt(server: Address, simulator: boolean, own: OwnServer | null): SqlServerPeer {
  const pools = new Map<string, sql.ConnectionPool>();
  const pool = async (database: string): Promise<sql.ConnectionPool> => {
    const known = pools.get(database);
    if (known?.connected === true) return known;
    const made = new sql.ConnectionPool({
      ...server,
      server: server.host,
      database,
      options: { encrypt: !simulator, trustServerCertificate: true },
      pool: { max: 1, min: 0 },
    });
    made.on("error", () => {});
    await made.connect();
    pools.set(database, made);
    return made;
  };
  const closePools = async (): Promise<void> => {
    for (const each of pools.values()) await each.close().catch(() => {});
    pools.clear();
  };
  return {
    ...server,
    simulator,
    async run(database, batch) {
      await (await pool(database)).request().batch(batch);
    },
    async rows(database, query) {
      const result = await (await pool(database)).request().query<Readonly<Record<string, unknown>>>(query);
      return result.recordset;
    },
    async drop(database) {
      await pools
        .get(database)
        ?.close()
        .catch(() => {});
      pools.delete(database);
      // A real server refuses it as long as somebody is in the database.
      const alone = simulator ? "" : `ALTER DATABASE [${database}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; `;
      await (await pool("master")).request().batch(`IF DB_ID(N'${database}') IS NOT NULL BEGIN ${alone}DROP DATABASE [${database}]; END`);
    },
    async crash() {
      if (own === null) throw new Error("the server is not ours");
      await closePools();
      await own.restart();
    },
    async stop() {
      await closePools();
      await own?.end();
    },
  };
}
/** The server of MSSQL_URL; null: it is not set. */
export function givenSqlServer(): SqlServerPeer | null {
  const given = process.env["MSSQL_URL"];
  if (given === undefined) return null;
  const url = new URL(given);
  const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  return sqlServerAt({ host: url.hostname, port: Number(url.port || 1433), ...login }, false, null);
}
export async function startSqlServer(options: SqlServerOptions): Promise<SqlServerOrReason> {
  const given = givenSqlServer();
  if (given !== null) return given;
  const started = await startSimulator(options);
  if (typeof started === "string") return { reason: `${started}; set MSSQL_URL to use another server` };
  let child = started;
  const end = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // Its state is written at the end.
    child.kill("SIGTERM");
    await gone;
  };
  return sqlServerAt({ host: "127.0.0.1", port: options.port, user: "sa", password: "Password!" }, true, {
    end,
    async restart() {
      await end();
      const again = await startSimulator(options);
      if (typeof again === "string") throw new Error(again);
      child = again;
    },
  });
}
