/**
 * F16, F19 and F21 for SQL Server as far as the simulator goes: the process is killed (SIGKILL) in the snapshot and in the stream, the
 * connection is cut in mid-result, the server goes and comes, the capture job is stopped and started, a large transaction is cut into, the
 * table gets columns (with and without a capture instance for them), while rows change, also while we are down. In the end the topics'
 * last values are the table. MILLRACE_CHAOS_SEED repeats a run, MILLRACE_MSSQL_ROUNDS changes the number of faults. With
 * MSSQL_URL a real server is used and is not taken away.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lsnText } from "#connectors/sqlserver/change-tables/lsn";
import { freePorts } from "../peers/ports.ts";
import { type SqlServerPeer, startSqlServer } from "../peers/sqlserver.ts";
import { type CutProxy, cutProxy } from "./cut-proxy.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { difference, endsOf, readTopics, type Topics } from "./snapshot-topics.ts";

const ROUNDS = Number(process.env["MILLRACE_MSSQL_ROUNDS"] ?? 52);
/** Of the rounds; the others are faults of the server, which take no new process of ours. */
const KILL_EVERY = 13;
/** Kills while the snapshot is not complete, before the rounds. */
const SNAPSHOT_KILLS = 2;
const ROWS = 800;
const LARGE_ROWS = 600;
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
  for (let from = 0; from < ROWS; from += 400) {
    const values = Array.from({ length: 400 }, (_, i) => `(${from + i + 1}, 0, 'x${i}')`);
    await peer.run(NAME, `INSERT INTO item VALUES ${values.join(", ")}`);
  }
  await peer.run(NAME, "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'item', @role_name = NULL");
}
async function change(peer: SqlServerPeer, random: () => number, turn: number): Promise<void> {
  const from = 1 + Math.floor(random() * ROWS);
  const statements = [
    `INSERT INTO item (id, n, txt) VALUES (${ROWS + turn + 1}, 1, 'new')`,
    `UPDATE item SET n = n + 1 WHERE id BETWEEN ${from} AND ${from + 9}`,
    `DELETE FROM item WHERE id BETWEEN ${from} AND ${from + 3}`,
    `UPDATE item SET id = 1000000 - id WHERE id BETWEEN ${from} AND ${from + 2}`,
    `BEGIN TRAN; UPDATE item SET n = n + 1 WHERE id % 40 = ${turn % 40}; INSERT INTO item (id, n, txt) VALUES (${2_000_000 + turn}, 2, 't'); COMMIT`,
  ];
  await peer.run(NAME, statements[turn % statements.length] ?? "");
}
const connector = (process: MillraceProcess, peer: SqlServerPeer, proxy: CutProxy): Promise<void> =>
  putConnector(process.rest, NAME, {
    "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
    "database.hostname": "127.0.0.1",
    "database.port": String(proxy.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.names": NAME,
    "driver.trustServerCertificate": "true",
    "topic.prefix": NAME,
    "poll.interval.ms": "20",
    "retriable.restart.connector.wait.ms": "200",
    "streaming.fetch.size": "250",
    "max.iteration.transactions": "25",
    "millrace.snapshot.chunk.rows": "150",
    "max.batch.size": "100",
    "schema.history.internal.kafka.bootstrap.servers": process.bootstrap,
    "schema.history.internal.kafka.topic": `${NAME}-history`,
    "key.converter": J,
    "value.converter": J,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });

interface Bench {
  readonly peer: SqlServerPeer;
  readonly proxy: CutProxy;
  readonly random: () => number;
  readonly counts: Record<"kills" | "cuts" | "servers" | "agent" | "large" | "columns", number>;
}
/** Faults of the server and of the connection; those of the process stand in the test. */
async function fault({ peer, proxy, random, counts }: Bench, round: number): Promise<void> {
  const kind = round % 4;
  if (kind === 0 && peer.simulator) {
    counts.servers++;
    return peer.crash();
  }
  if (kind === 1) {
    counts.agent++;
    await peer.run(NAME, "EXEC sys.sp_cdc_stop_job @job_type = N'capture'");
    for (let i = 5; i < 8; i++) await change(peer, random, round * 8 + i);
    return peer.run(NAME, "EXEC sys.sp_cdc_start_job @job_type = N'capture'");
  }
  if (round % 10 === 3) {
    counts.large++;
    await peer.run(
      NAME,
      `BEGIN TRAN; UPDATE item SET n = n + 1 WHERE id <= ${LARGE_ROWS}; UPDATE item SET n = n + 1 WHERE id <= ${LARGE_ROWS}; COMMIT`,
    );
  }
  counts.cuts++;
  proxy.cutAfter(Math.floor(random() * 30_000));
}
/** A column that no instance has, later a second instance; then the first one goes. */
async function alter({ peer, counts }: Bench, round: number, passed: () => Promise<void>): Promise<void> {
  if (round === 10) await peer.run(NAME, "ALTER TABLE item ADD more int NULL");
  else if (round === 20)
    await peer.run(
      NAME,
      "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'item', @role_name = NULL, @capture_instance = N'item_v2'; UPDATE item SET more = 1, n = n + 1 WHERE id % 3 = 0",
    );
  else if (round === 40) {
    await passed();
    await peer.run(NAME, "EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'item', @capture_instance = N'dbo_item'");
  } else return;
  counts.columns++;
}
/** Resolves when the stored position has passed the start of the second instance. */
async function newest(millrace: MillraceProcess, peer: SqlServerPeer): Promise<void> {
  const [row] = await peer.rows(NAME, "SELECT start_lsn FROM cdc.change_tables WHERE capture_instance = N'item_v2'");
  const start = lsnText(row?.["start_lsn"] as Buffer);
  const commit = async (): Promise<string> => /"commit_lsn":"([^"]+)"/.exec(await stored(millrace))?.[1] ?? "";
  for (const end = Date.now() + 60_000; (await commit()) <= start && Date.now() < end; ) await sleep(100);
}
const stored = async (process: MillraceProcess): Promise<string> => (await fetch(`${process.rest}/connectors/${NAME}/offsets`)).text();

test(`${ROUNDS} faults lose nothing (seed ${seed})`, async (t) => {
  const [port = 0, ...ports] = await freePorts(3);
  const folder = await mkdtemp(join(tmpdir(), "millrace-mssql-"));
  folders.push(folder);
  const peer = await startSqlServer({ port, state: join(folder, "state") });
  if ("reason" in peer) return t.skip(peer.reason);
  peers.push(peer);
  await prepare(peer);
  const proxy = await cutProxy(peer.host, peer.port);
  const random = seeded(seed);
  const counts = { kills: 0, cuts: 0, servers: 0, agent: 0, large: 0, columns: 0 };
  const bench: Bench = { peer, proxy, random, counts };
  const start = (): Promise<MillraceProcess> => startMillrace(join(folder, "data"), ports[0] ?? 0, ports[1] ?? 0, OVERRIDES);
  let millrace = await start();
  await connector(millrace, peer, proxy);
  const killed = async (turn: number): Promise<void> => {
    counts.kills++;
    await millrace.kill();
    await change(peer, random, turn);
    millrace = await start();
  };
  for (let kill = 1; kill <= SNAPSHOT_KILLS; kill++) {
    const mark = Math.floor((ROWS * (kill - random())) / SNAPSHOT_KILLS / 2);
    for (const end = Date.now() + 20_000; (await endsOf(millrace.bootstrap, [TOPIC])) < mark && Date.now() < end; ) await sleep(5);
    await killed(3000 + kill);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 3; i++) await change(peer, random, round * 8 + i);
    await alter(bench, round, () => newest(millrace, peer));
    await sleep(random() * 100);
    if (round % KILL_EVERY === 0) await killed(round * 8 + 4);
    else await fault(bench, round);
  }
  try {
    const rows = await peer.rows(NAME, "SELECT id, n, txt, more FROM item");
    const wanted = rows.map(({ id, n, txt, more }) => ({ id, n, txt, more }));
    let found: string | null = "";
    let seen: Topics = { last: new Map(), reads: 0 };
    for (const end = Date.now() + 120_000; found !== null && Date.now() < end; await sleep(300)) {
      seen = await readTopics(millrace.bootstrap, [TOPIC]);
      // Rows that were not changed since have no such field.
      const last = new Map([...(seen.last.get(TOPIC) ?? [])].map(([key, row]) => [key, { ...row, more: row["more"] ?? null }]));
      found = difference(wanted, last);
    }
    const told = `${JSON.stringify(counts)} ${await connectorStates(millrace.rest)} ${await stored(millrace)}\n${millrace.output().slice(-2000)}`;
    expect(found, told).toBeNull();
    expect(seen.reads).toBeGreaterThan(ROWS / 2);
    for (const [kind, count] of Object.entries(counts)) if (kind !== "servers" || peer.simulator) expect(count, kind).toBeGreaterThan(0);
  } finally {
    await millrace.stop();
    await proxy.close();
  }
});
