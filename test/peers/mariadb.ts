/** A throwaway MariaDB with its binary log on: the one that MARIADB_URL names, or `mariadbd` of this machine, not run as root. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { givenServer, type MysqlOrReason, type MysqlPeerOptions, runServer } from "./mysql-server.ts";

const run = promisify(execFile);
/** Of the user `nobody`, which owns no files of value. */
const UNPRIVILEGED = 65534;

const program = (name: string): string | null =>
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/bin"].map((f) => join(f, name)).find((f) => existsSync(f)) ?? null;

export async function startMariadb(options: MysqlPeerOptions): Promise<MysqlOrReason> {
  const url = process.env["MARIADB_URL"];
  if (url !== undefined) return givenServer(url);
  const server = program("mariadbd");
  const install = program("mariadb-install-db");
  if (server === null || install === null) return { reason: "no MariaDB: set MARIADB_URL or install it (apt install mariadb-server)" };
  const uid = process.getuid?.() === 0 ? UNPRIVILEGED : null;
  const as = uid === null ? {} : { uid, gid: uid };
  const folder = await mkdtemp(join(tmpdir(), "millrace-mariadb-"));
  if (uid !== null) await chown(folder, uid, uid);
  const data = `--datadir=${folder}/data`;
  const args = [
    "--no-defaults",
    data,
    `--port=${options.port}`,
    "--bind-address=127.0.0.1",
    `--socket=${folder}/s.sock`,
    `--pid-file=${folder}/pid`,
    // A server that starts removes what it takes for its leftovers: in a shared folder these are others' tables.
    `--tmpdir=${folder}`,
    `--log-error=${folder}/server.err`,
    "--server-id=1",
    `--log-bin=${folder}/data/binlog`,
    "--binlog-format=ROW",
    "--default-time-zone=+00:00",
    "--character-set-server=utf8mb4",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    ...(options.arguments ?? []),
  ];
  try {
    const made = ["--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
    await run(install, made, { ...as, cwd: "/", env: { ...process.env, TMPDIR: folder }, timeout: 120_000 });
    return await runServer({ command: server, arguments: args, folder, uid }, options.port);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { reason: `MariaDB did not start on port ${options.port}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
