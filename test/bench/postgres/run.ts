/**
 * `npm run bench -- postgres`: this product beside Kafka 4.1 with Debezium 3.4, in one run on one machine. Prints each figure with the
 * machine's load, and the ratios; asserts nothing.
 *
 *   BENCH_EVENTS, BENCH_ROWS (default 1,000,000 and 2,000,000), BENCH_REPS (2), PG_URL (default: the embedded PostgreSQL),
 *   KAFKA_LIBS, DBZ_LIBS (folders of jars), BENCH_PORT (29590), BENCH_ONLY=millrace, BENCH_CPU_PROF=folder, BENCH_SCENARIOS=inserts,snapshot,schemas,updates,tpcb,latency
 *   (default: all), BENCH_SNAPSHOT_THREADS (2), BENCH_LATENCY_RATE (1,000 transactions/s), BENCH_LATENCY_S (15), PYTHON (with
 *   confluent-kafka, for the latency)
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKafkaClients } from "#broker/client/index";
import { startSamplePostgres } from "../../../demo/sample-postgres.ts";
import { COLUMNS, connect, dropSlot, fill, type Server, sourceConfig } from "./load.ts";
import { cpuSeconds, machine, parentOf, residentMiB, sample } from "../process-sample.ts";
import { LATENCY_TABLE, type Latency, measureLatency, prepareLatency } from "./latency.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { call, sleep } from "../connector-run.ts";
import { findPython } from "../python.ts";
import { startTargets, type Target } from "../targets.ts";

const EVENTS = Number(process.env["BENCH_EVENTS"] ?? 1_000_000);
const ROWS = Number(process.env["BENCH_ROWS"] ?? 2_000_000);
const REPS = Number(process.env["BENCH_REPS"] ?? 2);
const LATENCY_RATE = Number(process.env["BENCH_LATENCY_RATE"] ?? 1000);
const LATENCY_S = Number(process.env["BENCH_LATENCY_S"] ?? 15);
/** The servers take this port and the next five. */
const PORT = Number(process.env["BENCH_PORT"] ?? 29590);

interface Figure {
  readonly perSecond: number;
  readonly connectCpuPerMillion: number;
  readonly brokerCpuPerMillion: number;
  /** Null: the server's processes cannot be seen. */
  readonly databaseCpuPerMillion: number | null;
  readonly peakMiB: number;
}
/** Posts the connector and times from the first to the last event, as they become readable in the topic. */
async function drain(
  target: Target,
  name: string,
  config: Record<string, string>,
  topics: readonly string[],
  count: number,
): Promise<Figure> {
  const admin = await createKafkaClients().admin({ "bootstrap.servers": target.bootstrap });
  await admin.createTopics(topics.map((topic) => ({ name: topic, partitions: 1, replicationFactor: 1 })));
  const partitions = topics.map((topic) => ({ topic, partition: 0 }));
  const connectUsed = sample(target.pids.connect);
  const brokerBefore = cpuSeconds(target.pids.broker);
  const databaseBefore = postmaster === null ? 0 : cpuSeconds(postmaster);
  await call(`${target.rest}/connectors/${name}/config`, "PUT", config);
  let first: { at: number; end: number } | null = null;
  for (let end = 0; end < count; await sleep(20)) {
    end = (await admin.endOffsets(partitions)).reduce((sum: number, each) => sum + (each ?? 0), 0);
    if (first === null && end > 0) first = { at: performance.now(), end };
    const status =
      first === null || performance.now() - first.at > 600_000
        ? await (await fetch(`${target.rest}/connectors/${name}/status`)).text()
        : "";
    if (status.includes("FAILED")) throw new Error(status);
  }
  const seconds = (performance.now() - (first?.at ?? 0)) / 1000;
  const used = connectUsed();
  const databaseCpu = postmaster === null ? null : cpuSeconds(postmaster) - databaseBefore;
  const brokerCpu = target.pids.broker === target.pids.connect ? 0 : cpuSeconds(target.pids.broker) - brokerBefore;
  const brokerMiB = target.pids.broker === target.pids.connect ? 0 : residentMiB(target.pids.broker);
  await call(`${target.rest}/connectors/${name}`, "DELETE");
  await admin.deleteTopics([...topics]);
  await admin.close();
  return {
    perSecond: (count - (first?.end ?? 0)) / seconds,
    connectCpuPerMillion: (used.cpuSeconds * 1e6) / count,
    brokerCpuPerMillion: (brokerCpu * 1e6) / count,
    databaseCpuPerMillion: databaseCpu === null ? null : (databaseCpu * 1e6) / count,
    peakMiB: used.peakMiB + brokerMiB,
  };
}

async function streaming(target: Target, server: Server, rep: number): Promise<Figure> {
  const sql = await connect(server);
  const slot = `run_${target.name}_${rep}`;
  await dropSlot(sql, slot);
  await sql.query("select pg_copy_logical_replication_slot('bench_base', $1)", [slot]);
  const prefix = `s${target.name}${rep}`;
  const figure = await drain(
    target,
    `stream-${rep}`,
    sourceConfig(server, prefix, "bench_ins", slot, { "snapshot.mode": "no_data" }),
    [`${prefix}.public.bench_ins`],
    EVENTS,
  );
  await dropSlot(sql, slot);
  await sql.end();
  return figure;
}
async function snapshot(target: Target, server: Server, rep: number): Promise<Figure> {
  const sql = await connect(server);
  const slot = `snap_${target.name}_${rep}`;
  await dropSlot(sql, slot);
  const prefix = `n${target.name}${rep}`;
  const figure = await drain(
    target,
    `snap-${rep}`,
    sourceConfig(server, prefix, "bench_snap", slot, {
      "snapshot.mode": "initial_only",
      "snapshot.max.threads": process.env["BENCH_SNAPSHOT_THREADS"] ?? "2",
    }),
    [`${prefix}.public.bench_snap`],
    ROWS,
  );
  await dropSlot(sql, slot);
  await sql.end();
  return figure;
}

async function scenarioRun(s: Scenario, target: Target, server: Server, rep: number, count: number): Promise<Figure> {
  const sql = await connect(server);
  const slot = `${s.name}_${target.name}_${rep}`;
  await dropSlot(sql, slot);
  await sql.query("select pg_copy_logical_replication_slot($1, $2)", [`base_${s.name}`, slot]);
  const prefix = `${s.name}${target.name}${rep}`;
  const config = sourceConfig(server, prefix, s.tables[0] ?? "", slot, {
    ...s.config,
    "snapshot.mode": "no_data",
    "publication.name": `pub_${s.name}`,
    "table.include.list": s.tables.map((t) => `public.${t}`).join(","),
  });
  const topics = s.tables.map((t) => `${prefix}.public.${t}`);
  const figure = await drain(target, `${s.name}-${rep}`, config, topics, count);
  await dropSlot(sql, slot);
  await sql.end();
  return figure;
}
/** Measured one after the other, so that no backlog lies in the WAL of the next. */
async function scenario(s: Scenario, server: Server): Promise<void> {
  const sql = await connect(server);
  await s.prepare(sql, EVENTS);
  await sql.query(`create publication pub_${s.name} for table ${s.tables.join(", ")}`);
  await dropSlot(sql, `base_${s.name}`);
  await sql.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [`base_${s.name}`]);
  const count = await s.load(sql, EVENTS);
  const figures = new Map<string, Figure[]>();
  const title = `${s.title} (${count.toLocaleString("en")} events)`;
  for (let rep = 0; rep < REPS; rep++)
    for (const t of targets) await noted(figures, title, "events", t, () => scenarioRun(s, t, server, rep, count));
  await dropSlot(sql, `base_${s.name}`);
  await sql.end();
  ratio(title, "events", figures);
}

/** Debezium is tuned for it: by default it looks for new events every 500 ms. */
async function latencyOf(target: Target, server: Server, python: string, rep: number): Promise<Latency> {
  const sql = await connect(server);
  const prefix = `latency${target.name}${rep}`;
  const [slot, topic] = [prefix, `${prefix}.public.${LATENCY_TABLE}`];
  await dropSlot(sql, slot);
  await sql.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  const admin = await createKafkaClients().admin({ "bootstrap.servers": target.bootstrap });
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
  const tuned: Record<string, string> = target.name === "debezium" ? { "poll.interval.ms": "10" } : {};
  const config = sourceConfig(server, prefix, LATENCY_TABLE, slot, { ...tuned, "snapshot.mode": "no_data", "skipped.operations": "t" });
  await call(`${target.rest}/connectors/${prefix}/config`, "PUT", config);
  for (let streams = false; !streams; await sleep(100))
    streams = (await sql.query("select active from pg_replication_slots where slot_name = $1 and active", [slot])).rows.length > 0;
  await sleep(3000);
  const found = await measureLatency(sql, python, target.bootstrap, topic, LATENCY_RATE, LATENCY_S);
  await call(`${target.rest}/connectors/${prefix}`, "DELETE");
  await admin.close();
  await dropSlot(sql, slot);
  await sql.end();
  return found;
}
async function latency(server: Server): Promise<void> {
  const python = findPython();
  if (python === undefined) return console.log("\nlatency: skipped, no Python with confluent-kafka (PYTHON names one)");
  const sql = await connect(server);
  await prepareLatency(sql);
  await sql.end();
  const best = new Map<string, Latency>();
  console.log(`\nfrom insert to consumer at ${LATENCY_RATE} transactions/s   (${machine()})`);
  for (let rep = 0; rep < REPS; rep++) {
    for (const t of targets) {
      const found = await latencyOf(t, server, python, rep);
      console.log(
        `  ${t.name.padEnd(9)} p50 ${found.p50} ms   p99 ${found.p99} ms   p99.9 ${found.p999} ms   load ${machine().split("load ")[1]}`,
      );
      const before = best.get(t.name);
      if (before === undefined || found.p99 < before.p99) best.set(t.name, found);
    }
  }
  const [ours, theirs] = [best.get("millrace"), best.get("debezium")];
  if (ours !== undefined && theirs !== undefined)
    console.log(`  ratio     p50 ${(ours.p50 / theirs.p50).toFixed(2)}×   p99 ${(ours.p99 / theirs.p99).toFixed(2)}×`);
}

/** Of the server, if it runs on this machine: its sessions are children of it. */
async function postmasterOf(server: Server): Promise<number | null> {
  const sql = await connect(server, "postgres");
  const { rows } = await sql.query<{ pid: number }>("select pg_backend_pid() as pid");
  const pid = parentOf(rows[0]?.pid ?? 0);
  await sql.end();
  return pid;
}
async function prepare(server: Server): Promise<void> {
  const admin = await connect(server, "postgres");
  await admin.query(`drop database if exists ${server.database}`);
  await admin.query(`create database ${server.database}`);
  await admin.end();
  const sql = await connect(server);
  for (const table of ["bench_ins", "bench_snap"]) {
    await sql.query(`create table ${table} (${COLUMNS})`);
    await sql.query(`create publication pub_${table} for table ${table}`);
  }
  await fill(sql, "bench_snap", ROWS);
  await sql.query("vacuum analyze bench_snap");
  await dropSlot(sql, "bench_base");
  await sql.query("select pg_create_logical_replication_slot('bench_base', 'pgoutput')");
  await fill(sql, "bench_ins", EVENTS);
  await sql.end();
}

const cpuPerMillion = (f: Figure): number => f.connectCpuPerMillion + f.brokerCpuPerMillion;
/** Measures once, prints it at once (a run takes minutes), and keeps it for the ratio. */
async function noted(
  figures: Map<string, Figure[]>,
  title: string,
  unit: string,
  t: Target,
  measure: () => Promise<Figure>,
): Promise<void> {
  const f = await measure();
  figures.set(t.name, [...(figures.get(t.name) ?? []), f]);
  const database = f.databaseCpuPerMillion?.toFixed(1) ?? "?";
  console.log(`${title}: ${t.name}   (${machine()})`);
  console.log(
    `  ${Math.round(f.perSecond).toLocaleString("en")} ${unit}/s   ${cpuPerMillion(f).toFixed(1)} CPU s per million (connector ${f.connectCpuPerMillion.toFixed(1)}, broker ${f.brokerCpuPerMillion.toFixed(1)}; database ${database})   peak ${Math.round(f.peakMiB)} MiB`,
  );
}
function ratio(title: string, unit: string, figures: ReadonlyMap<string, readonly Figure[]>): void {
  const best = (name: string): Figure | undefined => [...(figures.get(name) ?? [])].sort((a, b) => b.perSecond - a.perSecond)[0];
  const [ours, theirs] = [best("millrace"), best("debezium")];
  if (ours === undefined || theirs === undefined) return;
  console.log(
    `${title}: ${(ours.perSecond / theirs.perSecond).toFixed(2)}× the ${unit}/s, ${(cpuPerMillion(ours) / cpuPerMillion(theirs)).toFixed(3)}× the CPU per ${unit.slice(0, -1)}, ${(ours.peakMiB / theirs.peakMiB).toFixed(3)}× the memory\n`,
  );
}

const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
const url = process.env["PG_URL"];
const embedded = url === undefined ? await startSamplePostgres(join(folder, "postgres"), PORT) : null;
const parsed = url === undefined ? null : new URL(url);
const server: Server = {
  host: parsed?.hostname ?? "127.0.0.1",
  port: Number(parsed?.port || PORT),
  user: decodeURIComponent(parsed?.username || "postgres"),
  database: "millrace_bench",
};
const wanted = new Set((process.env["BENCH_SCENARIOS"] ?? "inserts,snapshot,schemas,updates,tpcb,latency").split(","));
const stream = new Map<string, Figure[]>();
const snap = new Map<string, Figure[]>();
const targets: Target[] = [];
let postmaster: number | null = null;
try {
  console.log(`preparing ${EVENTS.toLocaleString("en")} events and ${ROWS.toLocaleString("en")} rows …`);
  postmaster = await postmasterOf(server);
  await prepare(server);
  await startTargets(folder, PORT, targets);
  for (const t of targets)
    console.log(
      `${t.name}: ready after ${t.startSeconds.toFixed(2)} s, idle ${Math.round(residentMiB(t.pids.connect) + (t.pids.broker === t.pids.connect ? 0 : residentMiB(t.pids.broker)))} MiB`,
    );
  const inserts = `backlog of ${EVENTS.toLocaleString("en")} single-row inserts, plain JSON`;
  const rows = `snapshot of ${ROWS.toLocaleString("en")} rows, plain JSON`;
  // Interleaved, so that the machine's mood meets both.
  for (let rep = 0; rep < REPS; rep++) {
    for (const t of wanted.has("inserts") ? targets : []) await noted(stream, inserts, "events", t, () => streaming(t, server, rep));
    for (const t of wanted.has("snapshot") ? targets : []) await noted(snap, rows, "rows", t, () => snapshot(t, server, rep));
  }
  ratio(inserts, "events", stream);
  ratio(rows, "rows", snap);
  const base = await connect(server);
  await dropSlot(base, "bench_base");
  await base.end();
  for (const each of SCENARIOS) if (wanted.has(each.name)) await scenario(each, server);
  if (wanted.has("latency")) await latency(server);
} finally {
  for (const t of targets) await t.stop();
  if (embedded !== null) await embedded.stop();
  await rm(folder, { recursive: true, force: true });
}
