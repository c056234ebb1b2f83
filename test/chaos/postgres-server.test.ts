/**
 * F17: the server is killed while it is read, its slot is dropped, dropped and made anew, loses its WAL, moves; the server goes back
 * to a backup, to another timeline, is another cluster. The source goes on without loss, or stops with the gap's two ends and what to
 * do. MILLRACE_CHAOS_SEED repeats a run.
 */
import { chmod, chown, cp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TaskBench } from "../golden/postgres-task.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { seeded, sleep } from "./millrace-process.ts";

const [PORT = 0] = await freePorts(1);
const CRASHES = Number(process.env["MILLRACE_CRASHES"] ?? 12);
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260701);
const GAP = /changes from [0-9A-F]+\/[0-9A-F]+ to [0-9A-F]+\/[0-9A-F]+/i;

let server: ThrowawayPostgres;
let number = 0;
let name = "";
let db: pg.Client;

const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ host: server.host, port: server.port, user: server.user, database: name });
  client.on("error", () => {});
  await client.connect();
  return client;
};
beforeAll(async () => {
  const started = await startPostgres(PORT, ["max_wal_size=64MB", "min_wal_size=32MB"]);
  if ("reason" in started) throw new Error(started.reason);
  server = started;
});
afterAll(async () => {
  await db?.end().catch(() => {});
  await server?.stop();
});
beforeEach(async () => {
  await db?.end().catch(() => {});
  name = `server_${++number}`;
  await (await server.database(name)).end();
  db = await connect();
  await db.query("CREATE TABLE t (id int PRIMARY KEY)");
  await db.query("INSERT INTO t VALUES (1), (2)");
});
const settings = { "status.update.interval.ms": "30", "millrace.slot.progress.interval.ms": "100" };
const ids = (bench: TaskBench): number[] =>
  bench.events("public.t").map((e) => ((e as unknown[])[3] as { id: number } | null)?.id ?? Number.NaN);

/** Streams once, so that an offset is stored and the slot follows it. */
async function streamed(extra: Readonly<Record<string, string>> = {}): Promise<TaskBench> {
  const bench = new TaskBench(server, name, { ...settings, ...extra });
  await bench.start();
  await bench.until(2);
  await db.query("INSERT INTO t VALUES (3)");
  await bench.until(3);
  await sleep(300);
  return bench;
}
/** The message of the failure that stops the task, at its start or at a poll. */
async function stops(bench: TaskBench): Promise<string> {
  await bench.start().catch((error: Error) => {
    bench.failure = error;
  });
  for (const end = Date.now() + 15_000; bench.failure === null && Date.now() < end; ) await sleep(20);
  await bench.stop();
  return bench.failure?.message ?? "it goes on";
}

test(`${CRASHES} crashes of the server while it is written to and read (seed ${seed})`, async () => {
  const random = seeded(seed);
  const bench = await streamed();
  const committed = new Set([1, 2, 3]);
  let writing = true;
  const writer = (async () => {
    let client = await connect();
    for (let id = 10; writing; id += 10) {
      try {
        await client.query("INSERT INTO t SELECT g FROM generate_series($1::int, $2::int) g", [id, id + 4]);
        for (let i = id; i < id + 5; i++) committed.add(i);
        await sleep(random() * 5);
      } catch {
        await client.end().catch(() => {});
        for (let up = false; !up; await sleep(20))
          up = await connect().then(
            (c) => {
              client = c;
              return true;
            },
            () => false,
          );
      }
    }
    await client.end();
  })();
  for (let round = 0; round < CRASHES; round++) {
    await sleep(100 + random() * 300);
    await server.crash();
  }
  writing = false;
  await writer;
  db = await connect();
  const { rows } = await db.query<{ id: number }>("SELECT id FROM t ORDER BY id");
  const found = (): number[] => [...new Set(ids(bench))].sort((a, b) => a - b);
  for (const end = Date.now() + 30_000; found().length < rows.length && Date.now() < end && bench.failure === null; ) await sleep(50);
  await bench.stop();
  expect(bench.failure).toBeNull();
  expect([...committed].filter((id) => !rows.some((r) => r.id === id))).toEqual([]);
  expect(found()).toEqual(rows.map((r) => r.id));
});

test("slot dropped: stops; with when_needed it reads the rows again", async () => {
  const bench = await streamed();
  await bench.stop();
  await db.query("SELECT pg_drop_replication_slot($1)", [name]);
  const message = await stops(bench);
  expect(message).toMatch(GAP);
  expect(message).toMatch(/does not exist any more[\s\S]*snapshot\.mode=when_needed/);
  const healed = new TaskBench(server, name, { ...settings, "snapshot.mode": "when_needed" });
  healed.stored = bench.stored;
  await healed.start();
  await healed.until(3);
  await healed.stop();
  expect(ids(healed)).toEqual([1, 2, 3]);
});

test("slot dropped and made anew: the gap is seen, not skipped", async () => {
  const bench = await streamed();
  await bench.stop();
  await db.query("SELECT pg_drop_replication_slot($1)", [name]);
  await db.query("INSERT INTO t VALUES (4)");
  await db.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  const message = await stops(bench);
  expect(message).toMatch(GAP);
  expect(message).toMatch(/begins after the stored offset[\s\S]*made anew[\s\S]*offset\.mismatch\.strategy=trust_slot/);
  const trusting = new TaskBench(server, name, { ...settings, "offset.mismatch.strategy": "trust_slot" });
  trusting.stored = bench.stored;
  await trusting.start();
  await db.query("INSERT INTO t VALUES (5)");
  await trusting.until(1);
  await trusting.stop();
  expect(ids(trusting)).toEqual([5]);
});

test("slot dropped and made anew while the connection is cut", async () => {
  const bench = await streamed();
  await db.query("INSERT INTO t VALUES (4)");
  await bench.until(4);
  await server.crash();
  db = await connect();
  for (let dropped = false; !dropped; )
    dropped = await db
      .query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL", [name])
      .then(() => db.query("SELECT pg_drop_replication_slot($1)", [name]))
      .then(
        () => true,
        () => false,
      );
  await db.query("INSERT INTO t VALUES (5)");
  await db.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]).catch(() => {});
  for (const end = Date.now() + 15_000; bench.failure === null && Date.now() < end; ) await sleep(20);
  await bench.stop();
  expect(bench.failure?.message).toMatch(GAP);
});

test("WAL of the slot is gone (wal_status=lost): stops; with when_needed the slot is made anew", async () => {
  const bench = await streamed();
  await bench.stop();
  await db.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
  await db.query("SELECT pg_reload_conf()");
  for (let lost = false; !lost; ) {
    await db.query("CREATE TABLE IF NOT EXISTS filler (v text)");
    await db.query("INSERT INTO filler VALUES ('x')");
    await db.query("SELECT pg_switch_wal()");
    await db.query("CHECKPOINT");
    const { rows } = await db.query<{ lost: boolean }>(
      "SELECT wal_status = 'lost' AS lost FROM pg_replication_slots WHERE slot_name = $1",
      [name],
    );
    lost = rows[0]?.lost === true;
  }
  await db.query("ALTER SYSTEM SET max_slot_wal_keep_size = -1");
  await db.query("SELECT pg_reload_conf()");
  const message = await stops(bench);
  expect(message).toMatch(GAP);
  expect(message).toMatch(/wal_status=lost[\s\S]*max_slot_wal_keep_size/);
  const healed = new TaskBench(server, name, { ...settings, "snapshot.mode": "when_needed", "table.include.list": "public.t" });
  healed.stored = bench.stored;
  await healed.start();
  await healed.until(3);
  await db.query("INSERT INTO t VALUES (4)");
  await healed.until(4);
  await healed.stop();
  expect(ids(healed)).toEqual([1, 2, 3, 4]);
});

test("another timeline with the same history: goes on", async () => {
  const bench = await streamed();
  const timeline = async (): Promise<number> => {
    const { rows } = await db.query<{ timeline: number }>("SELECT timeline_id AS timeline FROM pg_control_checkpoint()");
    return rows[0]?.timeline ?? 0;
  };
  const before = await timeline();
  const promote = async (data: string): Promise<void> => {
    await writeFile(join(data, "recovery.signal"), "", { mode: 0o666 });
  };
  await db.query("ALTER SYSTEM SET restore_command = 'false'");
  await server.crash(promote);
  db = await connect();
  await promoted();
  await db.query("CHECKPOINT");
  expect(await timeline()).toBe(before + 1);
  await db.query("INSERT INTO t VALUES (4)");
  await bench.until(4);
  await bench.stop();
  expect(bench.failure).toBeNull();
  expect(ids(bench)).toEqual([1, 2, 3, 4]);
});
test("a server that comes back as a standby and is promoted later: waited for", async () => {
  const bench = await streamed();
  await server.crash(async (data) => {
    await writeFile(join(data, "standby.signal"), "", { mode: 0o666 });
  });
  db = await connect();
  await sleep(1500);
  const { rows } = await db.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby");
  expect(rows[0]?.standby).toBe(true);
  expect(bench.failure).toBeNull();
  await db.query("SELECT pg_promote()");
  await promoted();
  await db.query("INSERT INTO t VALUES (4)");
  await bench.until(4);
  await bench.stop();
  expect(bench.failure).toBeNull();
  expect(ids(bench)).toEqual([1, 2, 3, 4]);
});
/** Recovery has ended: the server takes writes. */
async function promoted(): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const { rows } = await db.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby");
    if (rows[0]?.standby === false) return;
  }
  throw new Error("still in recovery");
}

test("the server goes back to an older state of its files: stops with what the database has lost", async () => {
  const bench = await streamed();
  await bench.stop();
  let copy = "";
  await server.crash(async (data) => {
    copy = `${data}-copy`;
    await cp(data, copy, { recursive: true, preserveTimestamps: true });
  });
  db = await connect();
  await bench.start();
  await db.query("INSERT INTO t SELECT generate_series(10, 3000)");
  await bench.until(3 + 2991);
  await bench.stop();
  await db.end();
  await server.crash(async (data) => {
    const { uid, gid } = await stat(data);
    await rm(data, { recursive: true });
    await cp(copy, data, { recursive: true });
    await rm(copy, { recursive: true });
    await chown(data, uid, gid);
    await chmod(data, 0o700);
    for (const entry of await readdir(data, { recursive: true })) await chown(join(data, entry), uid, gid);
  });
  db = await connect();
  const message = await stops(bench);
  expect(message).toMatch(/before the stored offset[\s\S]*restored from a backup/);
  expect(message).toMatch(GAP);
});
