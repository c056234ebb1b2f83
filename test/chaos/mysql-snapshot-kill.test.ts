/**
 * F16 for MySQL and MariaDB: the process is killed (SIGKILL) in the midst of chunks and at the hand-over from snapshot to stream, while
 * rows are inserted, changed, deleted and get other keys, also while it is down, and while a table gets another column. In the end
 * the topics' last values are the tables, and no more than the chunks that were open was read again.
 * MILLRACE_CHAOS_SEED repeats a run, MILLRACE_SNAPSHOT_ROUNDS changes the number of kills of each flavor.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { difference, endsOf, readTopics, type Row, type Topics } from "./snapshot-topics.ts";

/** Of each flavor; 10 in all. */
const ROUNDS = Number(process.env["MILLRACE_SNAPSHOT_ROUNDS"] ?? 5);
/** Of one snapshot; then another connector takes the next one. */
const KILLS_EACH = 5;
const ROWS = 24_000;
const CHUNK_ROWS = 1000;
const THREADS = 2;
/** A slow machine must not delete the tables away. */
const CHANGES_MAX = 1200;
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260511);
const TABLES = ["item", "pair"] as const;
const OVERRIDES = { "offset.flush.interval.ms": "40", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
const J = "org.apache.kafka.connect.json.JsonConverter";
const FLAVORS = { mysql: "mysql.MySqlConnector", mariadb: "mariadb.MariaDbConnector" } as const;
type Flavor = keyof typeof FLAVORS;

const folders: string[] = [];
const peers: MysqlPeer[] = [];
afterAll(async () => {
  for (const peer of peers) await peer.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
const NUMBERS = `SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d + 1 AS i FROM
  (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a`;
const digits = NUMBERS.slice(NUMBERS.indexOf("(SELECT"), NUMBERS.lastIndexOf(")") + 1);

async function prepare(peer: MysqlPeer, name: string): Promise<Connection> {
  const admin = await peer.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const db = await peer.connect(name);
  const numbers = `SELECT i FROM (${NUMBERS} CROSS JOIN ${digits} b CROSS JOIN ${digits} c CROSS JOIN ${digits} e CROSS JOIN (SELECT 0 d UNION SELECT 1 UNION SELECT 2) f) s`;
  await db.query("CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL, txt varchar(300))");
  await db.query("CREATE TABLE pair (a int, b varchar(10) CHARACTER SET latin1, n int NOT NULL, PRIMARY KEY (a, b))");
  await db.query(`INSERT INTO item SELECT i, 0, REPEAT('x', 200 + i % 80) FROM (${numbers}) t WHERE i <= ${ROWS}`);
  await db.query(`INSERT INTO pair SELECT i % 100, CONCAT('b', i), 0 FROM (${numbers}) t WHERE i <= ${ROWS / 2}`);
  return db;
}
async function change(db: Connection, random: () => number, turn: number): Promise<void> {
  const from = 1 + Math.floor(random() * ROWS);
  switch (Math.floor(random() * 5)) {
    case 0:
      await db.query("INSERT INTO item VALUES (?, 1, 'new')", [ROWS + turn + 1]);
      return;
    case 1:
      await db.query("UPDATE item SET n = n + 1 WHERE id BETWEEN ? AND ?", [from, from + 50]);
      return;
    case 2:
      await db.query("DELETE FROM item WHERE id BETWEEN ? AND ?", [from, from + 9]);
      return;
    case 3:
      // Into a chunk that may be done already, or out of one.
      await db.query("UPDATE item SET id = 1000000 - id WHERE id BETWEEN ? AND ?", [from, from + 5]);
      if (turn % 3 === 0) await db.query("UPDATE item SET id = 1000000 - id WHERE id > 990000 AND id % 2 = 0");
      return;
    default:
      await db.beginTransaction();
      await db.query("DELETE FROM pair WHERE a = ? AND n % 7 = 3", [turn % 100]);
      await db.query("UPDATE pair SET n = n + 1 WHERE a = ?", [turn % 100]);
      await db.query("INSERT IGNORE INTO pair (a, b, n) VALUES (?, ?, 0)", [turn % 100, `t${turn}`]);
      await db.commit();
  }
}
const connector = (process: MillraceProcess, peer: MysqlPeer, flavor: Flavor, name: string): Promise<void> =>
  putConnector(process.rest, name, {
    "connector.class": `io.debezium.connector.${FLAVORS[flavor]}`,
    "database.hostname": peer.host,
    "database.port": String(peer.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.server.id": "6201",
    "topic.prefix": name,
    "database.include.list": name,
    "schema.history.internal.kafka.bootstrap.servers": process.bootstrap,
    "schema.history.internal.kafka.topic": `${name}-history`,
    "snapshot.max.threads": String(THREADS),
    "snapshot.tables.order.by.row.count": "descending",
    "millrace.snapshot.chunk.rows": String(CHUNK_ROWS),
    "max.batch.size": "250",
    "key.converter": J,
    "value.converter": J,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });
const topicsOf = (name: string): readonly string[] => TABLES.map((table) => `${name}.${name}.${table}`);
/** Rows of before the column `extra` came are not changed by it. */
const common = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([column]) => column !== "extra"));

async function differs(db: Connection, seen: Topics, name: string): Promise<string | null> {
  for (const table of TABLES) {
    const [rows] = await db.query<RowDataPacket[]>(`SELECT * FROM ${table}`);
    const last = new Map([...(seen.last.get(`${name}.${name}.${table}`) ?? [])].map(([key, row]) => [key, common(row)]));
    const found = difference(
      rows.map((r) => common({ ...r })),
      last,
    );
    if (found !== null) return `${table}: ${found}`;
  }
  return null;
}
interface Run {
  readonly peer: MysqlPeer;
  readonly flavor: Flavor;
  readonly data: string;
  readonly name: string;
  readonly ports: readonly number[];
  readonly kills: number;
  readonly random: () => number;
}
/** Kills the process again and again while rows change; resolves with the number of changes. */
async function kills(run: Run, db: Connection): Promise<number> {
  const { peer, name, data, ports, random } = run;
  const writer = await peer.connect(name);
  let writing = true,
    turn = 0;
  const writes = (async () => {
    const mine = seeded(seed + 1000);
    for (; writing; await sleep(5)) if (turn < CHANGES_MAX) await change(writer, mine, turn++);
  })();
  try {
    for (let kill = 0; kill < run.kills; kill++) {
      const process = await startMillrace(data, ports[0] ?? 0, ports[1] ?? 0, OVERRIDES);
      if (kill === 0) await connector(process, peer, run.flavor, name);
      const before = await endsOf(process.bootstrap, topicsOf(name));
      // The last kill of a run comes around the hand-over.
      const more = kill === run.kills - 1 ? ROWS : random() * ((1.5 * ROWS) / run.kills);
      for (const end = Date.now() + 3000; Date.now() < end && (await endsOf(process.bootstrap, topicsOf(name))) - before < more; )
        await sleep(5);
      await sleep(random() * 30);
      await process.kill();
      if (kill === 1) await db.query("ALTER TABLE pair ADD COLUMN extra int DEFAULT 5");
    }
  } finally {
    writing = false;
    await writes;
    writer.destroy();
  }
  return turn;
}
async function snapshotWithKills(run: Run): Promise<void> {
  const { peer, name } = run;
  const db = await prepare(peer, name);
  const turns = await kills(run, db);
  const process = await startMillrace(run.data, run.ports[0] ?? 0, run.ports[1] ?? 0, OVERRIDES);
  try {
    let found: string | null = "";
    let seen: Topics = { last: new Map(), reads: 0 };
    for (const end = Date.now() + 60_000; found !== null && Date.now() < end; await sleep(100)) {
      seen = await readTopics(process.bootstrap, topicsOf(name));
      found = await differs(db, seen, name);
    }
    expect(found, `${name}: ${await connectorStates(process.rest)}\n${process.output().slice(-2000)}`).toBeNull();
    // What an interruption repeats: one chunk for each thread, and what was sent since offsets were committed last; the altered table.
    const rows = ROWS * 2 + turns;
    expect(seen.reads).toBeGreaterThan(ROWS / 2);
    expect(seen.reads, `${name}: rows read`).toBeLessThan(rows + run.kills * (THREADS * CHUNK_ROWS * 2 + 6000));
  } finally {
    await process.stop();
    db.destroy();
  }
}

describe.each(Object.keys(FLAVORS) as Flavor[])("%s", (flavor) => {
  test(`${ROUNDS} kills in snapshots and at their ends lose nothing and leave nothing behind (seed ${seed})`, async (t) => {
    const [port = 0, ...ports] = await freePorts(3);
    const started = await (flavor === "mysql" ? startMysql({ port }) : startMariadb({ port }));
    if ("reason" in started) return t.skip(started.reason);
    peers.push(started);
    const folder = await mkdtemp(join(tmpdir(), "millrace-snapshot-"));
    folders.push(folder);
    const random = seeded(seed);
    for (let done = 0, i = 0; done < ROUNDS; done += KILLS_EACH, i++) {
      const count = Math.min(KILLS_EACH, ROUNDS - done);
      await snapshotWithKills({
        peer: started,
        flavor,
        data: join(folder, `${i}`),
        name: `snap_${flavor}_${i}`,
        ports,
        kills: count,
        random,
      });
    }
  });
});
