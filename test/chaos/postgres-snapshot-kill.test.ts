/**
 * F16: the process is killed (SIGKILL) in the midst of chunks and at the hand-over from snapshot to stream, while rows are inserted,
 * changed, deleted and get other keys, also while it is down. In the end the topic's last values are the tables, and no more
 * than the chunks that were open was read again. MILLRACE_CHAOS_SEED repeats a run, MILLRACE_SNAPSHOT_ROUNDS changes the number of kills.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SamplePostgres, startSamplePostgres } from "../../demo/sample-postgres.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { difference, endsOf, readTopics, type Row, type Topics } from "./snapshot-topics.ts";

const [PG_PORT = 0, BROKER_PORT = 0, REST_PORT = 0] = await freePorts(3);
const ROUNDS = Number(process.env["MILLRACE_SNAPSHOT_ROUNDS"] ?? 50);
/** Of one snapshot; then another connector takes the next one. */
const KILLS_EACH = 5;
const ROWS = 24_000;
const CHUNK_ROWS = 1000;
const THREADS = 2;
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260301);
const TABLES = ["item", "pair"] as const;
const OVERRIDES = { "offset.flush.interval.ms": "40", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };

let folder = "";
let postgres: SamplePostgres | null = null;

const connect = async (database: string): Promise<Client> => {
  const client = new Client({ host: "127.0.0.1", port: PG_PORT, user: "postgres", database });
  client.on("error", () => {});
  await client.connect();
  return client;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-snapshot-"));
  postgres = await startSamplePostgres(join(folder, "postgres"), PG_PORT);
});
afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function prepare(name: string): Promise<Client> {
  const admin = await connect("postgres");
  await admin.query(`create database ${name}`);
  await admin.end();
  const db = await connect(name);
  await db.query("create table item (id int primary key, n int not null, txt text)");
  await db.query("create table pair (a int, b varchar(10), n int not null, primary key (a, b))");
  await db.query("insert into item select i, 0, repeat('x', 200 + i % 80) from generate_series(1, $1) i", [ROWS]);
  await db.query("insert into pair select i % 100, 'b' || i, 0 from generate_series(1, $1) i", [ROWS / 2]);
  return db;
}
async function change(db: Client, random: () => number, turn: number): Promise<void> {
  const from = 1 + Math.floor(random() * ROWS);
  switch (Math.floor(random() * 5)) {
    case 0:
      await db.query("insert into item values ($1, 1, 'new')", [ROWS + turn + 1]);
      return;
    case 1:
      await db.query("update item set n = n + 1 where id between $1 and $1 + 50", [from]);
      return;
    case 2:
      await db.query("delete from item where id between $1 and $1 + 9", [from]);
      return;
    case 3:
      // Into a chunk that may be done already, or out of one.
      await db.query("update item set id = 1000000 - id where id between $1 and $1 + 5", [from]);
      if (turn % 3 === 0) await db.query("update item set id = 1000000 - id where id > 990000 and id % 2 = 0");
      return;
    default:
      await db.query("begin");
      await db.query("delete from pair where a = $1 and n % 7 = 3", [turn % 100]);
      await db.query("update pair set n = n + 1 where a = $1", [turn % 100]);
      await db.query("insert into pair values ($1, $2, 0) on conflict do nothing", [turn % 100, `t${turn}`]);
      await db.query("commit");
  }
}
const connector = (process: MillraceProcess, name: string): Promise<void> =>
  putConnector(process.rest, name, {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.port": String(PG_PORT),
    "database.user": "postgres",
    "database.password": "postgres",
    "database.dbname": name,
    "topic.prefix": name,
    "plugin.name": "pgoutput",
    "slot.name": name,
    "table.include.list": "public.item,public.pair",
    "snapshot.max.threads": String(THREADS),
    "millrace.snapshot.chunk.rows": String(CHUNK_ROWS),
    "max.batch.size": "250",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });

const topicsOf = (name: string): readonly string[] => TABLES.map((table) => `${name}.public.${table}`);

async function differs(db: Client, seen: Topics, name: string): Promise<string | null> {
  for (const table of TABLES) {
    const { rows } = await db.query<Row>(`select * from ${table}`);
    const found = difference(rows, seen.last.get(`${name}.public.${table}`));
    if (found !== null) return `${table}: ${found}`;
  }
  return null;
}

async function snapshotWithKills(run: number, kills: number, random: () => number): Promise<void> {
  const name = `snap${run}`;
  const db = await prepare(name);
  const writer = await connect(name);
  const data = join(folder, `data-${run}`);
  let writing = true,
    turn = 0;
  const writes = (async () => {
    const mine = seeded(seed + 1000 + run);
    while (writing) {
      await change(writer, mine, turn++);
      await sleep(3);
    }
  })();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const process = await startMillrace(data, BROKER_PORT, REST_PORT, OVERRIDES);
      if (kill === 0) await connector(process, name);
      const before = await endsOf(process.bootstrap, topicsOf(name));
      // The last kill of a run comes around the hand-over.
      const more = kill === kills - 1 ? ROWS : random() * ((1.5 * ROWS) / kills);
      for (const end = Date.now() + 5_000; Date.now() < end && (await endsOf(process.bootstrap, topicsOf(name))) - before < more; )
        await sleep(5);
      await sleep(random() * 30);
      await process.kill();
    }
  } finally {
    writing = false;
    await writes;
    await writer.end();
  }
  const process = await startMillrace(data, BROKER_PORT, REST_PORT, OVERRIDES);
  try {
    let found: string | null = "";
    let seen: Topics = { last: new Map(), reads: 0 };
    for (const end = Date.now() + 60_000; found !== null && Date.now() < end; await sleep(100)) {
      seen = await readTopics(process.bootstrap, topicsOf(name));
      found = await differs(db, seen, name);
    }
    expect(found, `run ${run}: ${await connectorStates(process.rest)}\n${process.output().slice(-2000)}`).toBeNull();
    // What an interruption repeats: one chunk for each thread, and what was sent since offsets were committed last.
    const rows = ROWS * 1.5 + turn;
    expect(seen.reads).toBeGreaterThan(ROWS);
    expect(seen.reads, `run ${run}: rows read`).toBeLessThan(rows + kills * (THREADS * CHUNK_ROWS * 2 + 6000));
  } finally {
    await process.stop();
    // The server has ten, and a killed process's temporary one may be there for a while.
    await db.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active", [name]);
    await db.end();
  }
}

test(`${ROUNDS} kills in snapshots and at their ends lose nothing and leave nothing behind (seed ${seed})`, async () => {
  const random = seeded(seed);
  for (let done = 0, run = 0; done < ROUNDS; done += KILLS_EACH, run++)
    await snapshotWithKills(run, Math.min(KILLS_EACH, ROUNDS - done), random);
});
