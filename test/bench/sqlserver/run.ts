/**
 * `npm run bench -- sqlserver`: this product beside Kafka 4.1 with Debezium 3.4, in one run on one machine. Prints each figure and the
 * ratios, and what either asks the server while nothing happens; asserts nothing.
 *
 * The server is the simulator of test/peers, which gives 20,000 rows a second: so that it is not the simulator that is measured, each
 * side reads the backlog once before it counts, and the simulator keeps its answers and sends them again. All connectors of one side
 * begin at the same position, so that they ask the same. MSSQL_URL names a real server instead; then nothing has to be kept.
 *
 *   BENCH_EVENTS, BENCH_ROWS (default 200,000 each), BENCH_TRANSACTION_ROWS (100), BENCH_REPS (2), BENCH_IDLE_S (10), KAFKA_LIBS,
 *   DBZ_LIBS (folders of jars), BENCH_PORT (29790), BENCH_ONLY=millrace, BENCH_CPU_PROF=folder, BENCH_SCENARIOS=inserts,snapshot,idle
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SqlServerPeer, startSqlServer } from "../../peers/sqlserver.ts";
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
import { cpuSeconds } from "../process-sample.ts";
import { startTargets, type Target } from "../targets.ts";
import { createTables, DATABASE, fillLog, fillTable, IDLE_TABLES, insertRow } from "./load.ts";

const EVENTS = Number(process.env["BENCH_EVENTS"] ?? 200_000);
const ROWS = Number(process.env["BENCH_ROWS"] ?? 200_000);
const TRANSACTION_ROWS = Number(process.env["BENCH_TRANSACTION_ROWS"] ?? 100);
const REPS = Number(process.env["BENCH_REPS"] ?? 2);
const IDLE_S = Number(process.env["BENCH_IDLE_S"] ?? 10);
/** The servers take this port and the next six. */
const PORT = Number(process.env["BENCH_PORT"] ?? 29790);
const POLL_MS = 500;
const wanted = new Set((process.env["BENCH_SCENARIOS"] ?? "inserts,snapshot,idle").split(","));

function sourceConfig(
  peer: SqlServerPeer,
  target: Target,
  prefix: string,
  tables: readonly string[],
  mode: string,
): Record<string, string> {
  return {
    "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
    "tasks.max": "1",
    "database.hostname": peer.host,
    "database.port": String(peer.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.names": DATABASE,
    ...(peer.simulator ? { "driver.encrypt": "false" } : { "driver.trustServerCertificate": "true" }),
    "topic.prefix": prefix,
    "table.include.list": tables.map((table) => `dbo.${table}`).join(","),
    "snapshot.mode": mode,
    "snapshot.isolation.mode": "read_committed",
    "poll.interval.ms": String(POLL_MS),
    ...historyOf(target, prefix),
    ...PLAIN_JSON,
  };
}
/** The simulator's answers are made in the first run of each side, which does not count. */
const runs = (peer: SqlServerPeer): number => REPS + (peer.simulator ? 1 : 0);
const counts = (peer: SqlServerPeer, run: number): boolean => !peer.simulator || run > 0;

/** Connectors that have streamed the same last row, and then were stopped: the load becomes their backlog. */
async function waiting(peer: SqlServerPeer, targets: readonly Target[]): Promise<readonly Run[]> {
  const ready: Run[] = [];
  for (let run = 0; run < runs(peer); run++)
    for (const target of targets) {
      const name = `i${target.name}${run}`;
      const topic = await Topic.create(target, `${name}.${DATABASE}.dbo.bench_ins`);
      await call(`${target.rest}/connectors/${name}/config`, "PUT", sourceConfig(peer, target, name, ["bench_ins"], "no_data"));
      ready.push({ target, name, topic });
    }
  let last: readonly number[] = [];
  for (let i = 1, still = 0; still < 2; i++) {
    if (last.length === 0 || last.includes(0)) await insertRow(peer, -i);
    await sleep(2000);
    const ends = await Promise.all(ready.map(({ topic }) => topic.end()));
    for (const { target, name } of ready) await alive(target, name);
    still = !ends.includes(0) && ends.every((end, at) => end === last[at]) ? still + 1 : 0;
    last = ends;
  }
  for (const { target, name } of ready) await call(`${target.rest}/connectors/${name}/stop`, "PUT");
  await sleep(3000);
  return ready;
}
async function inserts(peer: SqlServerPeer, targets: readonly Target[]): Promise<ReadonlyMap<string, Figure[]>> {
  const figures = new Map<string, Figure[]>();
  const ready = await waiting(peer, targets);
  await fillLog(peer, EVENTS, TRANSACTION_ROWS);
  for (const [i, each] of ready.entries()) {
    const figure = await backlog(each, EVENTS);
    if (counts(peer, Math.floor(i / targets.length))) add(figures, each.target, figure);
  }
  return figures;
}
async function snapshot(peer: SqlServerPeer, target: Target, run: number): Promise<Figure> {
  const name = `n${target.name}${run}`;
  const topic = await Topic.create(target, `${name}.${DATABASE}.dbo.bench_snap`);
  return wholeRun({ target, name, topic }, ROWS, sourceConfig(peer, target, name, ["bench_snap"], "initial_only"));
}
const lines = async (file: string): Promise<readonly string[]> => (await readFile(file, "utf8")).split("\n");
/** Statements and CPU of a connector for which nothing happens. */
async function idle(peer: SqlServerPeer, target: Target, trace: string): Promise<void> {
  const name = `q${target.name}`;
  await call(`${target.rest}/connectors/${name}/config`, "PUT", sourceConfig(peer, target, name, IDLE_TABLES, "no_data"));
  await sleep(15_000);
  await alive(target, name);
  const before = (await lines(trace)).length;
  const pids = [...new Set([target.pids.broker, target.pids.connect])];
  const cpu = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const cpuBefore = cpu();
  await sleep(IDLE_S * 1000);
  const asked = (await lines(trace)).slice(before - 1).filter((line) => line !== "");
  const intervals = (IDLE_S * 1000) / POLL_MS;
  console.log(
    `  ${target.name.padEnd(9)} ${(asked.length / intervals).toFixed(2)} statements per interval of ${POLL_MS} ms, ${(((cpu() - cpuBefore) * 1000) / IDLE_S).toFixed(1)} ms of CPU a second`,
  );
  await call(`${target.rest}/connectors/${name}`, "DELETE");
  await sleep(2000);
}

const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
const trace = join(folder, "statements");
const peer = await startSqlServer({ port: PORT, arguments: ["--keep-answers", "--trace", trace] });
if ("reason" in peer) {
  console.error(peer.reason);
  process.exit(1);
}
const server = peer.simulator ? "the simulator" : "SQL Server";
const targets: Target[] = [];
try {
  await createTables(peer);
  await startTargets(folder, PORT, targets);
  if (wanted.has("inserts"))
    report(
      `${EVENTS.toLocaleString("en")} inserts in transactions of ${TRANSACTION_ROWS}, plain JSON, ${server}`,
      "events",
      await inserts(peer, targets),
      null,
    );
  if (wanted.has("snapshot")) {
    await fillTable(peer, ROWS);
    const figures = new Map<string, Figure[]>();
    for (let run = 0; run < runs(peer); run++)
      for (const target of targets) {
        const figure = await snapshot(peer, target, run);
        if (counts(peer, run)) add(figures, target, figure);
      }
    report(`snapshot of ${ROWS.toLocaleString("en")} rows, plain JSON, ${server}`, "rows", figures, null);
  }
  if (wanted.has("idle") && peer.simulator) {
    console.log(`\n${IDLE_TABLES.length} captured tables without changes, counted at the simulator`);
    for (const target of targets) await idle(peer, target, trace);
  }
} finally {
  for (const target of targets) await target.stop();
  await peer.stop();
  await rm(folder, { recursive: true, force: true });
}
