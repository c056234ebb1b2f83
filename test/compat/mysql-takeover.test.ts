/**
 * MySQL and MariaDB connectors go from a worker of the JVM to ours and back while their tables are altered: offsets and schema
 * history are read across, nothing is lost and nothing comes twice.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted, recordsOf, statusOf, until } from "../chaos/journal.ts";
import { BROKERS, type BrokerProcess, distributedSettings, type Process, properties, spawnOurs } from "../chaos/worker-process.ts";
import { debeziumLibs, pluginSettings, startJvmWorker } from "../peers/kafka-connect.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

const J = "org.apache.kafka.connect.json.JsonConverter";
const FLAVORS = [
  { name: "my", className: "io.debezium.connector.mysql.MySqlConnector", start: startMysql },
  { name: "ma", className: "io.debezium.connector.mariadb.MariaDbConnector", start: startMariadb },
] as const;
const folder = mkdtempSync(join(tmpdir(), "mysql-takeover-"));
const file = join(folder, "connect-distributed.properties");
const databases: { name: string; peer: MysqlPeer; sql: Connection }[] = [];
let broker: BrokerProcess | null = null;
let worker: Process | null = null;
let rest = "";
let reason = jarsMissing();

function jarsMissing(): string {
  const { libs, reason } = debeziumLibs();
  if (libs === null || reason !== "") return reason;
  const there = existsSync(libs) ? readdirSync(libs) : [];
  const missing = ["mysql", "mariadb"].filter((db) => !there.some((jar) => jar.startsWith(`debezium-connector-${db}-`)));
  return missing.length === 0 ? "" : `no jars of debezium-connector-${missing.join(", debezium-connector-")} beside the others`;
}
beforeAll(async () => {
  if (reason !== "") return;
  const [kafka = 0, restPort = 0, ...ports] = await freePorts(4);
  for (const [i, flavor] of FLAVORS.entries()) {
    const peer = await flavor.start({ port: ports[i] ?? 0 });
    if ("reason" in peer) {
      reason = peer.reason;
      return;
    }
    const sql = await peer.connect();
    await sql.query(
      "CREATE DATABASE shop; USE shop; CREATE TABLE item (id int PRIMARY KEY, name varchar(20)); INSERT INTO item VALUES (0, 'n0')",
    );
    databases.push({ name: flavor.name, peer, sql });
  }
  broker = await (BROKERS[0]?.start(kafka) ?? null);
  rest = `http://127.0.0.1:${restPort}`;
  const settings = distributedSettings(broker?.bootstrap ?? "", "takeover", restPort);
  const converters = {
    "key.converter": J,
    "value.converter": J,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
  };
  writeFileSync(file, properties({ ...settings, ...converters, ...pluginSettings(), "scheduled.rebalance.max.delay.ms": "0" }));
});
afterAll(async () => {
  await worker?.end("SIGKILL");
  await broker?.stop();
  for (const { peer } of databases) await peer.stop();
  rmSync(folder, { recursive: true, force: true });
});

const everywhere = (statement: string): Promise<unknown> => Promise.all(databases.map(({ sql }) => sql.query(statement)));
/** What the events of a table hold after each change. */
async function rows(name: string): Promise<unknown[]> {
  const records = await recordsOf(broker?.bootstrap ?? "", `${name}.shop.item`).catch(() => []);
  return records.map((r) => (JSON.parse(r.value ?? "null") as { after: unknown } | null)?.after ?? null);
}
async function reached(wanted: readonly unknown[]): Promise<void> {
  for (const { name } of databases) {
    await until(async () => {
      const got = await rows(name);
      return got.length >= wanted.length ? null : `${name}: ${JSON.stringify(got)} ${JSON.stringify(await statusOf(rest, name))}`;
    }, 90_000);
    expect(await rows(name), name).toEqual(wanted);
  }
}

test("from the JVM to ours and back, with tables altered under each", async (context) => {
  if (reason !== "") return context.skip(reason);
  worker = await startJvmWorker("ConnectDistributed", [file]);
  for (const [i, { name, peer }] of databases.entries())
    await accepted(rest, "POST", "/connectors", {
      name,
      config: {
        "connector.class": FLAVORS[i]?.className ?? "",
        "database.hostname": peer.host,
        "database.port": String(peer.port),
        "database.user": peer.user,
        "database.password": "",
        "database.server.id": String(7001 + i),
        "topic.prefix": name,
        "database.include.list": "shop",
        "schema.history.internal.kafka.bootstrap.servers": broker?.bootstrap ?? "",
        "schema.history.internal.kafka.topic": `${name}.history`,
      },
    });
  const wanted: unknown[] = [{ id: 0, name: "n0" }];
  await reached(wanted);
  await everywhere("ALTER TABLE item ADD a int; INSERT INTO item VALUES (1, 'n1', 1)");
  wanted.push({ id: 1, name: "n1", a: 1 });
  await reached(wanted);

  // Longer than the interval of offset commits: a JVM whose task does not stop in time commits nothing at its end.
  await new Promise((wake) => setTimeout(wake, 2_000));
  // Ours decodes rows of before its own ALTERs by the history that the JVM wrote.
  await worker.end();
  await everywhere(
    "INSERT INTO item VALUES (2, 'n2', 2); ALTER TABLE item DROP name, ADD b varchar(5) FIRST; INSERT INTO item VALUES ('b3', 3, 3)",
  );
  worker = await spawnOurs([], ["connect", file]);
  wanted.push({ id: 2, name: "n2", a: 2 }, { b: "b3", id: 3, a: 3 });
  await reached(wanted);
  await everywhere("ALTER TABLE item RENAME COLUMN a TO c, ADD d json; INSERT INTO item VALUES ('b4', 4, 4, '[1]')");
  wanted.push({ b: "b4", id: 4, c: 4, d: "[1]" });
  await reached(wanted);

  // And the JVM rows by what ours wrote.
  await worker.end();
  await everywhere("INSERT INTO item VALUES ('b5', 5, 5, NULL); ALTER TABLE item DROP d; INSERT INTO item VALUES ('b6', 6, 6)");
  worker = await startJvmWorker("ConnectDistributed", [file]);
  wanted.push({ b: "b5", id: 5, c: 5, d: null }, { b: "b6", id: 6, c: 6 });
  await reached(wanted);
  for (const { name } of databases) expect((await statusOf(rest, name))?.tasks.map((t) => t.state)).toEqual(["RUNNING"]);
});
