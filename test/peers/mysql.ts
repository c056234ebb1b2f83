/**
 * A throwaway MySQL with its binary log on: the one that MYSQL_URL names; `mysqld` on PATH; the one in a chroot of Debian
 * unstable ($MYSQL_CHROOT, or `sid` in the peers' folder; test/peers/mysql-chroot.sh makes it). Servers are not run as root.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdtemp, realpath, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { givenServer, type MysqlOrReason, type MysqlPeerOptions, runServer } from "./mysql-server.ts";

const run = promisify(execFile);
/** Of the user `nobody`, which owns no files of value. */
const UNPRIVILEGED = 65534;

interface Found {
  readonly mysqld: string;
  /** null: on this machine; else everything runs with this root. */
  readonly root: string | null;
}

/** The folder of the chroot with a MySQL, or null. */
export function mysqlChroot(): string | null {
  const peers = process.env["PEERS"] ?? join(homedir(), ".cache/anchors");
  const folders = [process.env["MYSQL_CHROOT"], join(peers, "sid")];
  return folders.find((f) => f !== undefined && existsSync(join(f, "usr/sbin/mysqld"))) ?? null;
}
async function onPath(): Promise<string | null> {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]) {
    const file = join(folder, "mysqld");
    // MariaDB installs itself under this name too.
    if (existsSync(file) && !(await realpath(file)).includes("mariadbd")) return file;
  }
  return null;
}
async function find(): Promise<Found | string> {
  const mysqld = await onPath();
  if (mysqld !== null) return { mysqld, root: null };
  const root = mysqlChroot();
  if (root === null) return "no MySQL: set MYSQL_URL, install mysqld, or run test/peers/mysql-chroot.sh as root and set MYSQL_CHROOT";
  if (process.getuid?.() !== 0) return `the MySQL in ${root} needs root for chroot; set MYSQL_URL instead`;
  return { mysqld: "/usr/sbin/mysqld", root };
}

export async function startMysql(options: MysqlPeerOptions): Promise<MysqlOrReason> {
  const url = process.env["MYSQL_URL"];
  if (url !== undefined) return givenServer(url);
  const found = await find();
  if (typeof found === "string") return { reason: found };
  const { root } = found;
  const uid = process.getuid?.() === 0 ? UNPRIVILEGED : null;
  const folder = await mkdtemp(root === null ? join(tmpdir(), "millrace-mysql-") : join(root, "tmp", "millrace-mysql-"));
  if (uid !== null) await chown(folder, uid, uid);
  const inside = root === null ? folder : folder.slice(root.length);
  const command = root === null ? found.mysqld : "chroot";
  const before = root === null ? [] : [`--userspec=${UNPRIVILEGED}:${UNPRIVILEGED}`, root, found.mysqld];
  const gtid =
    options.gtid === false ? ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"] : ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"];
  const base = [
    ...before,
    "--no-defaults",
    `--datadir=${inside}/data`,
    `--tmpdir=${inside}`,
    `--log-error=${inside}/server.err`,
    "--mysqlx=OFF",
  ];
  const small = ["--innodb-buffer-pool-size=32M", "--innodb-redo-log-capacity=16M", "--innodb-flush-log-at-trx-commit=0"];
  const args = [
    ...base,
    ...small,
    `--port=${options.port}`,
    "--bind-address=127.0.0.1",
    `--socket=${inside}/s.sock`,
    `--pid-file=${inside}/pid`,
    "--server-id=1",
    "--log-bin=binlog",
    "--sync-binlog=0",
    "--default-time-zone=+00:00",
    "--performance-schema=OFF",
    ...gtid,
    ...(options.arguments ?? []),
  ];
  const as = root === null && uid !== null ? { uid, gid: uid } : {};
  // Names are stored by it from the beginning on.
  const initial = (options.arguments ?? []).filter((each) => each.startsWith("--lower-case-table-names="));
  try {
    await run(command, [...base, ...small, ...initial, "--initialize-insecure"], { ...as, cwd: "/", timeout: 120_000 });
    return await runServer({ command, arguments: args, folder, uid: root === null ? uid : null }, options.port);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { reason: `MySQL did not start on port ${options.port}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
