/**
 * `gtid_mode` is switched on and off again, by its steps, under a load of inserts, updates and deletes; at each step the connector is
 * killed (SIGKILL) or stopped and started. Every event has to come, twice only after a kill, and none by another order than the log's.
 * MILLRACE_CHAOS_SEED repeats a run.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, expect, test } from "vitest";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { readToEnd } from "./topic-end.ts";

const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260507);
const OVERRIDES = { "offset.flush.interval.ms": "60", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
const J = "org.apache.kafka.connect.json.JsonConverter";
const MODES = ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON", "ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"] as const;
let folder = "";
let peer: MysqlPeer | null = null;
let millrace: MillraceProcess | null = null;
afterAll(async () => {
  await millrace?.stop();
  await peer?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

/** One row is changed again and again: its version says which change an event is. */
class Load {
  readonly #sql: Connection;
  version = 0;
  #running = false;
  #done: Promise<void> = Promise.resolve();
  constructor(sql: Connection) {
    this.#sql = sql;
  }
  async change(): Promise<number> {
    const v = ++this.version;
    if (v % 5 === 0) await this.#sql.query(`DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, ${v})`);
    else await this.#sql.query(`INSERT INTO t VALUES (1, ${v}) ON DUPLICATE KEY UPDATE v = ${v}`);
    return v;
  }
  run(): void {
    this.#running = true;
    this.#done = (async () => {
      while (this.#running) {
        await this.change();
        await sleep(5);
      }
    })();
  }
  async pause(): Promise<number> {
    this.#running = false;
    await this.#done;
    return this.change();
  }
}

/** Versions in the order of the topic, as far as it goes now: the load goes on meanwhile. */
async function versions(bootstrap: string): Promise<readonly number[]> {
  const found: number[] = [];
  await readToEnd(bootstrap, ["sw.sw.t"], ({ value }) => {
    const after = value === null ? null : (JSON.parse(Buffer.from(value).toString()) as { after: { v: number } | null }).after;
    if (after !== null) found.push(after.v);
  });
  return found;
}
async function arrived(process: MillraceProcess, version: number): Promise<readonly number[]> {
  for (const limit = Date.now() + 60_000; Date.now() < limit; await sleep(50)) {
    const seen = await versions(process.bootstrap);
    if (seen.includes(version)) return seen;
    const states = await connectorStates(process.rest);
    if (states.includes('"FAILED"')) throw new Error(states);
  }
  throw new Error(`version ${version} does not come: ${await connectorStates(process.rest)}\n${process.output()}`);
}
async function call(process: MillraceProcess, verb: "stop" | "resume"): Promise<void> {
  const response = await fetch(`${process.rest}/connectors/sw/${verb}`, { method: "PUT" });
  if (!response.ok) throw new Error(`${verb}: ${response.status}`);
  const wanted = verb === "stop" ? '"STOPPED"' : '"RUNNING"';
  for (const limit = Date.now() + 30_000; !(await connectorStates(process.rest)).includes(wanted); await sleep(30))
    if (Date.now() > limit) throw new Error(`${verb} is not done`);
}

test(`gtid_mode from OFF to ON and back, with a restart at each step (seed ${seed})`, async (context) => {
  const [port = 0, broker = 0, rest = 0] = await freePorts(3);
  const server = await startMysql({ port, gtid: false });
  if ("reason" in server) return context.skip(server.reason);
  peer = server;
  if (server.dataFolder === null) return context.skip("the given server's gtid_mode is not ours to switch");
  folder = await mkdtemp(join(tmpdir(), "millrace-gtid-"));
  const random = seeded(seed);
  const sql = await server.connect();
  await sql.query("CREATE DATABASE sw; USE sw; CREATE TABLE t (id int PRIMARY KEY, v int)");
  const start = (): Promise<MillraceProcess> => startMillrace(join(folder, "data"), broker, rest, OVERRIDES);
  let process = (millrace = await start());
  await putConnector(process.rest, "sw", {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "database.hostname": server.host,
    "database.port": String(server.port),
    "database.user": server.user,
    "database.server.id": "7702",
    "topic.prefix": "sw",
    "database.include.list": "sw",
    "schema.history.internal.kafka.bootstrap.servers": process.bootstrap,
    "schema.history.internal.kafka.topic": "sw.history",
    "key.converter": J,
    "value.converter": J,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });
  const load = new Load(sql);
  await arrived(process, await load.change());
  await sql.query("SET GLOBAL enforce_gtid_consistency = ON");
  /** Lengths of the topic at which a process was killed. */
  const kills: number[] = [];
  for (const mode of MODES) {
    // A server in a new mode does not send the old one's transactions: the manual's steps, which wait for the replicas, hold here, too.
    await arrived(process, await load.pause());
    const admin = await server.connect();
    await admin.query(`SET GLOBAL gtid_mode = ${mode}`);
    admin.destroy();
    load.run();
    await sleep(random() * 300);
    const killed = random() < 0.5;
    if (killed) {
      await process.kill();
      await sleep(random() * 200);
      process = millrace = await start();
      kills.push((await versions(process.bootstrap)).length);
    } else {
      await call(process, "stop");
      await sleep(random() * 200);
      await call(process, "resume");
    }
    const states = await connectorStates(process.rest);
    expect(states, `after the switch to ${mode}`).not.toContain('"FAILED"');
    await arrived(process, await load.pause());
    const [rows] = await sql.query<RowDataPacket[]>("SELECT @@gtid_mode AS m");
    expect(rows[0]?.["m"]).toBe(mode);
    load.run();
  }
  const last = await load.pause();
  const seen = await arrived(process, last);
  expect([...new Set(seen)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  // Going back is for a process that was killed alone.
  const back = seen.filter((v, i) => i > 0 && v <= (seen[i - 1] ?? 0)).length;
  console.log(`${last} changes, ${seen.length - last} events again, after ${kills.length} kills`);
  expect(back).toBeLessThanOrEqual(kills.length);
}, 300_000);
