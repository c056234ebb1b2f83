/**
 * F16, F19 and F21 for SQL Server as far as the simulator goes: the process is killed (SIGKILL) in the snapshot and in the stream, the
 * server is taken away in mid-result, the capture job is stopped and started, while rows change, also while we are down. In the end the
 * topics' last values are the table. MILLRACE_CHAOS_SEED repeats a run, MILLRACE_MSSQL_ROUNDS changes the number of faults. With
 * MSSQL_URL a real server is used and is not taken away.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type SqlServerPeer, startSqlServer } from "../peers/sqlserver.ts";
import { connectorStates, freePorts, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { difference, readTopics, type Topics } from "./snapshot-topics.ts";

const ROUNDS = Number(process.env["MILLRACE_MSSQL_ROUNDS"] ?? 52);
/** Of the rounds; the others are faults of the server, which take no new process of ours. */
const KILL_EVERY = 5;
const ROWS = 2000;
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260611);
const NAME = "mssql_faults";
const TOPIC = `${NAME}.${NAME}.dbo.item`;
const OVERRIDES = { "offset.flush.interval.ms": "60", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
const J = "org.apache.kafka.connect.json.JsonConverter";

const folders: string[] = [];
const peers: SqlServerPeer[] = [];
afterAll(async () => {
  for (const peer of peers) await peer.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function prepare(peer: SqlServerPeer): Promise<void> {
  await peer.run("master", `CREATE DATABASE [${NAME}]`);
  await peer.run(NAME, "EXEC sys.sp_cdc_enable_db");
  await peer.run(NAME, "CREATE TABLE item (id int NOT NULL PRIMARY KEY, n int NOT NULL, txt varchar(100))");
  for (let from = 0; from < ROWS; from += 500) {
    const values = Array.from({ length: 500 }, (_, i) => `(${from + i + 1}, 0, 'x${i}')`);
    await peer.run(NAME, `INSERT INTO item VALUES ${values.join(", ")}`);
  }
  await peer.run(NAME, "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'item', @role_name = NULL");
}
async function change(peer: SqlServerPeer, random: () => number, turn: number): Promise<void> {
  const from = 1 + Math.floor(random() * ROWS);
  const statements = [
    `INSERT INTO item VALUES (${ROWS + turn + 1}, 1, 'new')`,
    `UPDATE item SET n = n + 1 WHERE id BETWEEN ${from} AND ${from + 20}`,
    `DELETE FROM item WHERE id BETWEEN ${from} AND ${from + 3}`,
    `UPDATE item SET id = 1000000 - id WHERE id BETWEEN ${from} AND ${from + 2}`,
    `BEGIN TRAN; UPDATE item SET n = n + 1 WHERE id % 40 = ${turn % 40}; INSERT INTO item VALUES (${2_000_000 + turn}, 2, 't'); COMMIT`,
  ];
  await peer.run(NAME, statements[turn % statements.length] ?? "");
}
const connector = (process: MillraceProcess, peer: SqlServerPeer): Promise<void> =>
  putConnector(process.rest, NAME, {
    "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
    "database.hostname": peer.host,
    "database.port": String(peer.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.names": NAME,
    "driver.trustServerCertificate": "true",
    "topic.prefix": NAME,
    "poll.interval.ms": "20",
    "streaming.fetch.size": "50",
    "max.iteration.transactions": "7",
    "millrace.snapshot.chunk.rows": "300",
    "max.batch.size": "100",
    "schema.history.internal.kafka.bootstrap.servers": process.bootstrap,
    "schema.history.internal.kafka.topic": `${NAME}-history`,
    "key.converter": J,
    "value.converter": J,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });

test(`${ROUNDS} faults lose nothing (seed ${seed})`, async (t) => {
  const [port = 0, ...ports] = await freePorts(3);
  const folder = await mkdtemp(join(tmpdir(), "millrace-mssql-"));
  folders.push(folder);
  const peer = await startSqlServer({ port, state: join(folder, "state") });
  if ("reason" in peer) return t.skip(peer.reason);
  peers.push(peer);
  await prepare(peer);
  const random = seeded(seed);
  const start = (): Promise<MillraceProcess> => startMillrace(join(folder, "data"), ports[0] ?? 0, ports[1] ?? 0, OVERRIDES);
  let millrace = await start();
  await connector(millrace, peer);
  const counts = { kills: 0, servers: 0, agent: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 4; i++) await change(peer, random, round * 8 + i);
    await sleep(random() * 200);
    if (round % KILL_EVERY === 0) {
      counts.kills++;
      await millrace.kill();
      await change(peer, random, round * 8 + 4);
      millrace = await start();
    } else if (round % 3 === 0 && peer.simulator) {
      counts.servers++;
      await peer.crash();
    } else {
      counts.agent++;
      await peer.run(NAME, "EXEC sys.sp_cdc_stop_job @job_type = N'capture'");
      for (let i = 5; i < 8; i++) await change(peer, random, round * 8 + i);
      await peer.run(NAME, "EXEC sys.sp_cdc_start_job @job_type = N'capture'");
    }
  }
  try {
    const rows = await peer.rows(NAME, "SELECT id, n, txt FROM item");
    let found: string | null = "";
    let seen: Topics = { last: new Map(), reads: 0 };
    for (const end = Date.now() + 60_000; found !== null && Date.now() < end; await sleep(300)) {
      seen = await readTopics(millrace.bootstrap, [TOPIC]);
      found = difference(rows, seen.last.get(TOPIC));
    }
    expect(found, `${JSON.stringify(counts)} ${await connectorStates(millrace.rest)}\n${millrace.output().slice(-2000)}`).toBeNull();
    expect(seen.reads).toBeGreaterThan(ROWS / 2);
  } finally {
    await millrace.stop();
  }
});
