/** What the throwaway MySQL and MariaDB of the tests share: start, wait, kill, start again over the same data. */
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import mysql from "mysql2/promise";

export interface MysqlPeer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As the server says, e.g. 9.3.0 or 10.11.14-MariaDB-log. */
  readonly version: string;
  /** The server's own folder; null when it is somebody else's (MYSQL_URL, MARIADB_URL). */
  readonly dataFolder: string | null;
  /** Statements may be several, separated by semicolons. Closed by `stop`. */
  connect(database?: string): Promise<mysql.Connection>;
  /** SIGKILL. Throws when the server is not ours. */
  kill(): Promise<void>;
  /** Over the same data, after `kill`. */
  start(moreArguments?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}
/** `reason`: why there is none, and how to have one. */
export type MysqlOrReason = MysqlPeer | { readonly reason: string };

export interface MysqlPeerOptions {
  /** Unused. */
  readonly port: number;
  /** Arguments of the server that come after ours, e.g. `--gtid-mode=OFF`. */
  readonly arguments?: readonly string[];
  /** GTIDs on (the default) or off; MariaDB always has them. */
  readonly gtid?: boolean;
}
export interface ServerCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly uid: number | null;
}

const START_ATTEMPTS = 600;

async function versionOnceUp(port: number, exited: () => boolean): Promise<string> {
  let last: unknown = null;
  for (let i = 0; i < START_ATTEMPTS && !exited(); i++) {
    try {
      const c = await mysql.createConnection({ host: "127.0.0.1", port, user: "root" });
      const [rows] = await c.query<mysql.RowDataPacket[]>("SELECT VERSION() v");
      await c.end();
      return String(rows[0]?.["v"]);
    } catch (error) {
      last = error;
      await new Promise((r) => setTimeout(r, 100));
    }
  }
  throw new Error(`the server did not come up: ${last instanceof Error ? last.message : "it exited"}`);
}

/** Runs a server whose data folder is made already. */
export async function runServer(server: ServerCommand, port: number): Promise<MysqlPeer> {
  const connections: mysql.Connection[] = [];
  let child: ChildProcess;
  const spawnIt = (more: readonly string[] = []): void => {
    const as = server.uid === null ? {} : { uid: server.uid, gid: server.uid };
    child = spawn(server.command, [...server.arguments, ...more], { ...as, cwd: "/", stdio: "ignore" });
  };
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (exited()) return;
    const gone = new Promise((r) => child.once("exit", r));
    child.kill(signal);
    await gone;
  };
  const stop = async (): Promise<void> => {
    for (const c of connections.splice(0)) c.destroy();
    await end("SIGKILL");
    await rm(server.folder, { recursive: true, force: true });
  };
  spawnIt();
  let version: string;
  try {
    version = await versionOnceUp(port, exited);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    user: "root",
    password: "",
    version,
    dataFolder: server.folder,
    connect: async (database) => {
      const c = await connectTo({ host: "127.0.0.1", port, user: "root", password: "" }, database);
      connections.push(c);
      return c;
    },
    kill: () => end("SIGKILL"),
    async start(more) {
      spawnIt(more);
      await versionOnceUp(port, exited);
    },
    stop,
  };
}

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}
async function connectTo(login: Login, database: string | undefined): Promise<mysql.Connection> {
  const c = await mysql.createConnection({ ...login, ...(database !== undefined && { database }), multipleStatements: true });
  c.on("error", () => {});
  return c;
}

/** A server that is there already, by `mysql://user:password@host:port`. */
export async function givenServer(url: string): Promise<MysqlPeer> {
  const at = new URL(url);
  const login: Login = {
    host: at.hostname,
    port: Number(at.port || 3306),
    user: decodeURIComponent(at.username || "root"),
    password: decodeURIComponent(at.password),
  };
  const connections: mysql.Connection[] = [];
  const first = await connectTo(login, undefined);
  const [rows] = await first.query<mysql.RowDataPacket[]>("SELECT VERSION() v");
  connections.push(first);
  const notOurs = (): Promise<never> => Promise.reject(new Error(`the server at ${at.host} is not ours to stop`));
  return {
    ...login,
    version: String(rows[0]?.["v"]),
    dataFolder: null,
    connect: async (database) => {
      const c = await connectTo(login, database);
      connections.push(c);
      return c;
    },
    kill: notOurs,
    start: notOurs,
    async stop() {
      await Promise.allSettled(connections.splice(0).map((c) => c.end()));
    },
  };
}
