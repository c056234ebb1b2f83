/**
 * F21, scaled: one transaction of many rows goes through the whole product in bounded memory, sent at its commit or while it is in
 * progress. MILLRACE_BIG_ROWS=10000000 is the full size.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { type SamplePostgres, startSamplePostgres } from "../../demo/sample-postgres.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, putConnector, sleep, startMillrace } from "./millrace-process.ts";

const [PG_PORT = 0, BROKER_PORT = 0, REST_PORT = 0] = await freePorts(3);
const ROWS = Number(process.env["MILLRACE_BIG_ROWS"] ?? 300_000);
/** Above what the process has without any work, in the broker and the connector together. */
const GROWTH_MIB_MAX = 160;

let folder = "";
let postgres: SamplePostgres | null = null;
const connect = async (database: string): Promise<Client> => {
  const client = new Client({ host: "127.0.0.1", port: PG_PORT, user: "postgres", database });
  client.on("error", () => {});
  await client.connect();
  return client;
};
/** Of the process that listens: resident memory now and at its highest, in MiB. */
function memory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-big-"));
  postgres = await startSamplePostgres(join(folder, "postgres"), PG_PORT);
});
afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

test.skipIf(process.platform !== "linux").each([false, true])(
  `a transaction of ${ROWS} rows in bounded memory (in progress: %s; needs Linux's /proc)`,
  async (streaming) => {
    const name = streaming ? "big_streamed" : "big_plain";
    const admin = await connect("postgres");
    await admin.query("alter system set logical_decoding_work_mem = '4MB'");
    await admin.query("select pg_reload_conf()");
    await admin.query(`create database ${name}`);
    await admin.end();
    const db = await connect(name);
    await db.query("create table t (id int primary key, v text)");
    const millrace = await startMillrace(join(folder, name), BROKER_PORT, REST_PORT, {
      "key.converter.schemas.enable": "false",
      "value.converter.schemas.enable": "false",
    });
    try {
      await putConnector(millrace.rest, name, {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1",
        "database.port": String(PG_PORT),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": name,
        "topic.prefix": name,
        "plugin.name": "pgoutput",
        "slot.name": name,
        "snapshot.mode": "no_data",
        "millrace.streaming": String(streaming),
      });
      for (let i = 0; i < 300; i++) {
        const { rows } = await db.query("select 1 from pg_replication_slots where slot_name = $1 and active", [name]);
        if (rows.length > 0) break;
        await sleep(100);
      }
      const before = memory(millrace.pid).now;
      await db.query("begin");
      for (let from = 0; from < ROWS; from += 100_000)
        await db.query("insert into t select i, repeat('v', 90) from generate_series($1::int, $2::int) i", [
          from + 1,
          Math.min(ROWS, from + 100_000),
        ]);
      await db.query("commit");
      const clients = await createKafkaClients().admin({ "bootstrap.servers": millrace.bootstrap });
      let end = 0;
      for (const limit = Date.now() + 60_000 + ROWS / 10; end < ROWS && Date.now() < limit; await sleep(100))
        end = await clients.endOffsets([{ topic: `${name}.public.t`, partition: 0 }]).then(
          ([e]) => e ?? 0,
          () => 0,
        );
      await clients.close();
      expect(end, await connectorStates(millrace.rest)).toBe(ROWS);
      const { rows } = await db.query<{ n: string }>(
        "select coalesce(max(stream_txns), 0)::text as n from pg_stat_replication_slots where slot_name = $1",
        [name],
      );
      expect(Number(rows[0]?.n ?? 0) > 0).toBe(streaming);
      const { peak } = memory(millrace.pid);
      console.log(`${name}: ${Math.round(before)} MiB before, ${Math.round(peak)} MiB at most`);
      expect(peak - before).toBeLessThan(GROWTH_MIB_MAX);
    } finally {
      await millrace.stop();
      await db.end();
    }
  },
);
