/**
 * F15: the process is killed (SIGKILL) just after it was seen to produce, to store offsets, to move the slot, or at any moment,
 * while transactions of all shapes are written: bulk loads that share one WAL position, transactions open across several kills,
 * logical messages inside and outside, savepoints and rollbacks; now and then its connection is cut first. The oracle is another slot
 * with test_decoding, made at the same start: at least once, each change of the WAL is in the topic, first times in the order of the WAL;
 * exactly once, topic and WAL are equal. And the slot is never beyond the stored offset. MILLRACE_CHAOS_SEED repeats a run.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { freePorts } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { readToEnd } from "./topic-end.ts";

const [PG_PORT = 0, BROKER_PORT = 0, REST_PORT = 0] = await freePorts(3);
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260601);
const OVERRIDES = { "offset.flush.interval.ms": "60", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
/** Two readers of the same table: one has large transactions sent in progress. */
const NAMES = ["plain", "parts"] as const;

let folder = "";
let server: ThrowawayPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-kill-"));
  const started = await startPostgres(PG_PORT, ["logical_decoding_work_mem=64kB"]);
  if ("reason" in started) throw new Error(started.reason);
  server = started;
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});
const connect = async (database: string): Promise<pg.Client> => {
  const client = new pg.Client({ host: server.host, port: server.port, user: server.user, database });
  client.on("error", () => {});
  await client.connect();
  return client;
};

/** Every change is one of a kind: no row comes again after it was deleted, and each version has its number. */
class Writer {
  readonly #db: pg.Client;
  readonly #long: pg.Client;
  readonly #random: () => number;
  #id = 0;
  #version = 0;
  #open = 0;
  #running = true;
  #done: Promise<void> = Promise.resolve();
  constructor(db: pg.Client, long: pg.Client, random: () => number) {
    this.#db = db;
    this.#long = long;
    this.#random = random;
  }
  start(): void {
    this.#done = this.#run();
  }
  /**
   * Closes what is open. A last commit writes the WAL to disk: a message outside of a transaction does not, and decoding goes only as
   * far as the disk does, so that the oracle would lack a message which the connector sends a moment later.
   */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    if (this.#open > 0) await this.#long.query("COMMIT");
    await this.#db.query("INSERT INTO t VALUES ($1, $2)", [++this.#id, `v${++this.#version}`]);
  }
  async #run(): Promise<void> {
    while (this.#running) {
      await this.#step(this.#random());
      await sleep(this.#random() * 6);
    }
  }
  #some(): number {
    return 1 + Math.floor(this.#random() * this.#id);
  }
  async #step(kind: number): Promise<void> {
    const db = this.#db;
    const v = `v${++this.#version}`;
    if (kind < 0.25) await db.query("INSERT INTO t VALUES ($1, $2)", [++this.#id, v]);
    else if (kind < 0.45) {
      // Rows of one COPY share WAL records, and positions.
      await db.query(`COPY t FROM PROGRAM 'seq ${this.#id + 1} ${this.#id + 30} | sed s/$/,${v}/' (DELIMITER ',')`);
      this.#id += 30;
    } else if (kind < 0.6) await db.query("UPDATE t SET v = $1 WHERE id = $2", [v, this.#some()]);
    else if (kind < 0.66) await db.query("DELETE FROM t WHERE id = $1", [this.#some()]);
    else if (kind < 0.72) await db.query("SELECT pg_logical_emit_message(false, 'm', $1)", [v]);
    else if (kind < 0.8) {
      await db.query("BEGIN");
      await db.query("SELECT pg_logical_emit_message(true, 'm', $1)", [v]);
      await db.query("INSERT INTO t VALUES ($1, $2)", [++this.#id, v]);
      await db.query(this.#random() < 0.2 ? "ROLLBACK" : "COMMIT");
    } else if (kind < 0.86) {
      // Larger than logical_decoding_work_mem: sent while it is in progress.
      await db.query("BEGIN");
      await db.query("INSERT INTO t SELECT g, $3 FROM generate_series($1::int, $2::int) g", [this.#id + 1, this.#id + 400, v]);
      await db.query("SAVEPOINT s");
      await db.query("UPDATE t SET v = $1 WHERE id > $2", [`${v}x`, this.#id]);
      if (this.#random() < 0.5) await db.query("ROLLBACK TO s");
      await db.query("COMMIT");
      this.#id += 400;
    } else await this.#longStep(v);
  }
  /** A transaction that others overtake, and that outlives processes. */
  async #longStep(v: string): Promise<void> {
    if (this.#open === 0) await this.#long.query("BEGIN");
    this.#open++;
    await this.#long.query("INSERT INTO t SELECT g, $3 FROM generate_series($1::int, $2::int) g", [this.#id + 1, this.#id + 3, v]);
    this.#id += 3;
    if (this.#random() < 0.75) return;
    await this.#long.query("COMMIT");
    this.#open = 0;
  }
}

const connector = (process: MillraceProcess, name: string, database: string): Promise<void> =>
  putConnector(process.rest, name, {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.port": String(PG_PORT),
    "database.user": "postgres",
    "database.dbname": database,
    "topic.prefix": `${database}_${name}`,
    "plugin.name": "pgoutput",
    "slot.name": `${database}_${name}`,
    "publication.autocreate.mode": "filtered",
    "publication.name": `${database}_${name}`,
    "table.include.list": "public.t",
    "snapshot.mode": "no_data",
    "skipped.operations": "none",
    "status.update.interval.ms": "30",
    "millrace.slot.progress.interval.ms": "150",
    "slot.retry.delay.ms": "200",
    "slot.max.retries": "100",
    "max.batch.size": "97",
    "max.queue.size": "300",
    "millrace.streaming": String(name === "parts"),
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  });

interface Event {
  readonly op: string;
  readonly before: { readonly id: number } | null;
  readonly after: { readonly id: number; readonly v: string } | null;
  readonly message?: { readonly content: string };
}
const eventText = (e: Event): string =>
  e.op === "m"
    ? `m ${Buffer.from(e.message?.content ?? "", "base64").toString()}`
    : e.op === "d"
      ? `d ${e.before?.id}`
      : `${e.op} ${e.after?.id} ${e.after?.v}`;

async function readTopic(bootstrap: string, topic: string): Promise<string[]> {
  const found: string[] = [];
  await readToEnd(bootstrap, [topic], ({ value }) => {
    if (value !== null) found.push(eventText(JSON.parse(Buffer.from(value).toString()) as Event));
  });
  return found;
}
/** What test_decoding says of the same WAL, in its order. */
async function oracle(db: pg.Client, slot: string): Promise<{ readonly rows: string[]; readonly messages: string[] }> {
  const { rows: changes } = await db.query<{ data: string }>("SELECT data FROM pg_logical_slot_peek_changes($1, NULL, NULL)", [slot]);
  const rows: string[] = [],
    messages: string[] = [];
  for (const { data } of changes) {
    const row = /^table public\.t: (INSERT|UPDATE|DELETE): id\[integer\]:(\d+)(?: v\[text\]:'([^']*)')?/.exec(data);
    if (row !== null) rows.push(row[1] === "DELETE" ? `d ${row[2]}` : `${row[1] === "INSERT" ? "c" : "u"} ${row[2]} ${row[3]}`);
    const message = /^message: .*content:(.*)$/.exec(data);
    if (message !== null) messages.push(`m ${message[1]}`);
  }
  return { rows, messages };
}

/** Waits for a sign of life of a kind, at most a second: kills are then aimed at what comes after it. */
async function mark(db: pg.Client, process: MillraceProcess, name: string, kind: number): Promise<void> {
  const slot = async (): Promise<string> => {
    const { rows } = await db.query<{ lsn: string }>(
      "SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1",
      [name],
    );
    return rows[0]?.lsn ?? "";
  };
  const admin = await createKafkaClients().admin({ "bootstrap.servers": process.bootstrap });
  const produced = async (): Promise<string> =>
    String(await admin.endOffsets([{ topic: `${name}.public.t`, partition: 0 }]).catch(() => [null]));
  const look = kind === 0 ? slot : produced;
  const before = await look();
  for (const end = Date.now() + 1000; Date.now() < end && (await look()) === before; ) await sleep(1);
  await admin.close();
}
/** The slot was read before the offset, so that the offset may only be further on. */
async function slotIsBehind(db: pg.Client, rest: string, connectorName: string, slot: string): Promise<string | null> {
  const { rows } = await db.query<{ lsn: string }>(
    "SELECT (confirmed_flush_lsn - '0/0')::text AS lsn FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  const answer = await fetch(`${rest}/connectors/${connectorName}/offsets`).catch(() => null);
  if (answer?.ok !== true) return null;
  const body = (await answer.json()) as { offsets: { offset: { lsn: number; lsn_commit?: number } }[] };
  const offset = body.offsets[0]?.offset;
  if (offset === undefined || rows[0] === undefined) return null;
  const stored = Math.max(offset.lsn, offset.lsn_commit ?? 0);
  return Number(rows[0].lsn) > stored ? `${slot} confirmed ${rows[0].lsn}, stored ${stored}` : null;
}

interface Run {
  readonly database: string;
  readonly kills: number;
  readonly overrides: Readonly<Record<string, string>>;
}
async function runWithKills({ database, kills, overrides }: Run): Promise<{ readonly checks: number; readonly beyond: readonly string[] }> {
  const random = seeded(seed + database.length);
  const db = await server.database(database);
  await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
  const data = join(folder, database);
  const writer = new Writer(await connect(database), await connect(database), seeded(seed + 7));
  const beyond: string[] = [];
  let checks = 0;
  for (let round = 0; round < kills; round++) {
    const process = await startMillrace(data, BROKER_PORT, REST_PORT, overrides);
    if (round === 0) {
      for (const name of NAMES) await connector(process, name, database);
      for (const name of NAMES) await running(db, `${database}_${name}`);
      await db.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [`${database}_oracle`]);
      writer.start();
    }
    const kind = Math.floor(random() * 4);
    if (random() < 0.3)
      await db.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND database = $1", [database]);
    if (kind < 2) await mark(db, process, `${database}_${NAMES[round % 2]}`, kind);
    await sleep(kind < 2 ? random() * 40 : random() * 500);
    for (const name of NAMES) {
      const wrong = await slotIsBehind(db, process.rest, name, `${database}_${name}`);
      checks++;
      if (wrong !== null) beyond.push(wrong);
    }
    await process.kill();
  }
  await writer.stop();
  return { checks, beyond };
}
/** A slot that is made only after writing began would begin later than the oracle. */
async function running(db: pg.Client, slot: string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const { rows } = await db.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND active", [slot]);
    if (rows.length === 1) return;
  }
  throw new Error(`${slot} is not read`);
}
const firstTimes = (events: readonly string[]): string[] => [...new Set(events)];
function difference(found: readonly string[], wanted: readonly string[]): string | null {
  const at = wanted.findIndex((w, i) => found[i] !== w);
  if (at >= 0) return `${found.length} found, ${wanted.length} wanted; number ${at} is "${found[at] ?? "missing"}", not "${wanted[at]}"`;
  return found.length > wanted.length ? `${found.length - wanted.length} too many: "${found[wanted.length]}"` : null;
}

test.each([
  { database: "once", kills: Number(process.env["MILLRACE_KILLS"] ?? 40), exactly: false },
  { database: "exact", kills: Number(process.env["MILLRACE_KILLS"] ?? 30), exactly: true },
])(`$kills kills, exactly once: $exactly (seed ${seed})`, async ({ database, kills, exactly }) => {
  const overrides = { ...OVERRIDES, ...(exactly && { "exactly.once.source.support": "enabled" }) };
  const { checks, beyond } = await runWithKills({ database, kills, overrides });
  expect(checks).toBe(kills * 2);
  expect(beyond).toEqual([]);
  const db = await connect(database);
  const wanted = await oracle(db, `${database}_oracle`);
  expect(wanted.rows.length).toBeGreaterThan(1000);
  const millrace = await startMillrace(join(folder, database), BROKER_PORT, REST_PORT, overrides);
  try {
    for (const name of NAMES) {
      let found: string | null = "";
      for (const end = Date.now() + 60_000; found !== null && Date.now() < end; await sleep(300)) {
        const rows = await readTopic(millrace.bootstrap, `${database}_${name}.public.t`);
        const messages = await readTopic(millrace.bootstrap, `${database}_${name}.message`);
        found =
          difference(exactly ? rows : firstTimes(rows), wanted.rows) ??
          difference(exactly ? messages : firstTimes(messages), wanted.messages);
      }
      expect(found, `${name}: ${await connectorStates(millrace.rest)}\n${millrace.output().slice(-2000)}`).toBeNull();
    }
  } finally {
    await millrace.stop();
    await db.end();
  }
});
