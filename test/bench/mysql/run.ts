/**
 * `npm run bench -- mysql`: this product beside Kafka 4.1 with Debezium 3.4 on a real MySQL, in one run on one machine, with what
 * MySQL's own C programs reach (`mysqlbinlog --read-from-remote-server`, a plain SELECT). Prints each figure and the ratios; asserts nothing.
 *
 *   BENCH_EVENTS, BENCH_ROWS (default 500,000 and 1,000,000), BENCH_REPS (2), MYSQL_URL or MYSQL_CHROOT (test/peers/mysql.ts), KAFKA_LIBS,
 *   DBZ_LIBS (folders of jars), BENCH_PORT (29690), BENCH_ONLY=millrace, BENCH_CPU_PROF=folder, BENCH_SCENARIOS=inserts,snapshot
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { mysqlChroot, startMysql } from "../../peers/mysql.ts";
import type { MysqlPeer } from "../../peers/mysql-server.ts";
import {
  add,
  alive,
  backlog,
  call,
  type Figure,
  historyOf,
  PLAIN_JSON,
  report,
  type Run,
  sleep,
  Topic,
  wholeRun,
} from "../connector-run.ts";
import { startTargets, type Target } from "../targets.ts";
import { createTables, DATABASE, fillLog, fillTable, insertRow } from "./load.ts";

const EVENTS = Number(process.env["BENCH_EVENTS"] ?? 500_000);
const ROWS = Number(process.env["BENCH_ROWS"] ?? 1_000_000);
const REPS = Number(process.env["BENCH_REPS"] ?? 2);
/** The servers take this port and the next six. */
const PORT = Number(process.env["BENCH_PORT"] ?? 29690);
const wanted = new Set((process.env["BENCH_SCENARIOS"] ?? "inserts,snapshot").split(","));

let serverId = 7000;
function sourceConfig(peer: MysqlPeer, target: Target, prefix: string, table: string, mode: string): Record<string, string> {
  return {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "tasks.max": "1",
    "database.hostname": peer.host,
    "database.port": String(peer.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.server.id": String(serverId++),
    "topic.prefix": prefix,
    "database.include.list": DATABASE,
    "table.include.list": `${DATABASE}.${table}`,
    "snapshot.mode": mode,
    "snapshot.locking.mode": "none",
    ...historyOf(target, prefix),
    ...PLAIN_JSON,
  };
}
/** A connector that has begun to stream, and then was stopped: the load becomes its backlog. */
async function waiting(target: Target, sql: Connection, peer: MysqlPeer, rep: number, mark: number): Promise<Run> {
  const prefix = `i${target.name}${rep}`;
  const topic = await Topic.create(target, `${prefix}.${DATABASE}.bench_ins`);
  await call(`${target.rest}/connectors/${prefix}/config`, "PUT", sourceConfig(peer, target, prefix, "bench_ins", "no_data"));
  for (let i = 0; (await topic.end()) === 0; i++) {
    await insertRow(sql, -(mark * 1000 + i));
    await sleep(1000);
    await alive(target, prefix);
  }
  await sleep(1000);
  await call(`${target.rest}/connectors/${prefix}/stop`, "PUT");
  await sleep(1500);
  return { target, name: prefix, topic };
}
async function inserts(sql: Connection, peer: MysqlPeer, figures: Map<string, Figure[]>): Promise<readonly string[]> {
  const ready: Run[] = [];
  for (let rep = 0; rep < REPS; rep++) for (const t of targets) ready.push(await waiting(t, sql, peer, rep, ready.length + 1));
  const logs = async (): Promise<string[]> => (await sql.query<RowDataPacket[]>("SHOW BINARY LOGS"))[0].map((r) => String(r["Log_name"]));
  await sql.query("FLUSH BINARY LOGS");
  const before = await logs();
  await fillLog(sql, EVENTS);
  await sql.query("FLUSH BINARY LOGS");
  const files = (await logs()).filter((f) => !before.slice(0, -1).includes(f)).slice(0, -1);
  for (const each of ready) add(figures, each.target, await backlog(each, EVENTS));
  return files;
}
async function snapshot(peer: MysqlPeer, target: Target, rep: number): Promise<Figure> {
  const name = `n${target.name}${rep}`;
  const topic = await Topic.create(target, `${name}.${DATABASE}.bench_snap`);
  return wholeRun({ target, name, topic }, ROWS, sourceConfig(peer, target, name, "bench_snap", "initial_only"));
}

/** Rate of one of MySQL's own programs; null when it is not to be had. */
function limit(peer: MysqlPeer, program: string, args: readonly string[], count: number): Figure | null {
  const root = mysqlChroot();
  const raw = join(root ?? "", "tmp/millrace-bench-raw");
  mkdirSync(raw, { recursive: true });
  const login = ["-h", peer.host, "-P", String(peer.port), "-u", peer.user, ...(peer.password === "" ? [] : [`-p${peer.password}`])];
  const [command, ...rest] = [...(root === null ? [] : ["chroot", root]), program, ...login, ...args];
  const begun = performance.now();
  const { status, stderr } = spawnSync(command ?? program, rest, { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) console.log(`${program}: ${String(stderr).slice(-300)}`);
  return status === 0 ? { perSecond: (count * 1000) / (performance.now() - begun), cpuSeconds: Number.NaN, peakMiB: Number.NaN } : null;
}
const peer = await startMysql({ port: PORT, arguments: ["--innodb-buffer-pool-size=512M", "--max-binlog-size=1G"] });
if ("reason" in peer) {
  console.error(peer.reason);
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
const targets: Target[] = [];
try {
  const sql = await peer.connect();
  await createTables(sql);
  await startTargets(folder, PORT, targets);
  if (wanted.has("inserts")) {
    const figures = new Map<string, Figure[]>();
    const files = await inserts(sql, peer, figures);
    const most = limit(
      peer,
      "mysqlbinlog",
      ["--read-from-remote-server", "--raw", "--result-file=/tmp/millrace-bench-raw/", ...files],
      EVENTS,
    );
    report(`backlog of ${EVENTS.toLocaleString("en")} single-row inserts, plain JSON, MySQL ${peer.version}`, "events", figures, most);
  }
  if (wanted.has("snapshot")) {
    await fillTable(sql, ROWS);
    const figures = new Map<string, Figure[]>();
    for (let rep = 0; rep < REPS; rep++) for (const t of targets) add(figures, t, await snapshot(peer, t, rep));
    const most = limit(peer, "mysql", ["--quick", "-BN", "-e", `SELECT * FROM ${DATABASE}.bench_snap`], ROWS);
    report(`snapshot of ${ROWS.toLocaleString("en")} rows, plain JSON, MySQL ${peer.version}`, "rows", figures, most);
  }
} finally {
  for (const t of targets) await t.stop();
  await peer.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(join(mysqlChroot() ?? "", "tmp/millrace-bench-raw"), { recursive: true, force: true });
}
