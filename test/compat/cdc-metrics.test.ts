/**
 * `/metrics` beside what Debezium 3.4's beans said of the same run (recorded through JMX): the same attributes, and the same numbers
 * after each step.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted, ask, until } from "../chaos/journal.ts";
import { freePorts } from "../peers/ports.ts";
import { BROKERS, type BrokerProcess, type Process, properties, spawnOurs } from "../chaos/worker-process.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import { startPostgres } from "../peers/postgres.ts";

type Figures = Readonly<Record<string, number | string>>;
/** The recording: attributes of each bean, and what was not 0 after each step. */
const RECORDED = JSON.parse(readFileSync(join(import.meta.dirname, "debezium-metrics.json"), "utf8")) as {
  readonly attributes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly values: Readonly<Record<string, Readonly<Record<string, Figures>>>>;
};
/** What docs/rest.md lists as not there. */
const ABSENT = /^(NumberOf(Create|Update|Delete|Truncate)EventsSeen)$/;
const NO_LAST_EVENT: Readonly<Record<string, RegExp>> = {
  mysql: /^snapshot\.LastEvent$/,
  mariadb: /^snapshot\.LastEvent$/,
  postgres: /LastEvent$/,
};
/** Where the reference's numbers are not what its documentation says; docs/differences.md. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  mysql: ["streaming.NumberOfCommittedTransactions", "streaming.NumberOfEventsFiltered", "snapshot.TotalNumberOfEventsSeen"],
  mariadb: ["streaming.NumberOfCommittedTransactions", "streaming.NumberOfEventsFiltered", "snapshot.TotalNumberOfEventsSeen"],
  postgres: ["streaming.TotalNumberOfEventsSeen"],
};
/** Counts events that servers and clients send each other beside the changes: their number depends on versions and time. */
const LOG_EVENTS = "streaming.TotalNumberOfEventsSeen";
/** Times, sizes, ids and positions are other ones in each run. */
const OTHER_EACH_TIME = /MilliSeconds|RecoveryStartTime|Queue|Duration|Last(Applied|Recovered|Transaction)|GtidSet|LastEvent|Position/;

interface Database {
  readonly settings: Readonly<Record<string, string>>;
  query(sql: string): Promise<unknown>;
  stop(): Promise<void>;
}
const TABLES =
  "CREATE TABLE item (id int PRIMARY KEY, name varchar(20)); CREATE TABLE other (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY); " +
  "CREATE TABLE sig (id varchar(64) PRIMARY KEY, type varchar(32), data varchar(2048)); INSERT INTO item VALUES (1,'a'),(2,'b'),(3,'c'); " +
  "INSERT INTO other VALUES (1),(2); INSERT INTO hidden VALUES (1)";
/** The steps between two looks, by their names in the recording. */
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ["after the snapshot", []],
  [
    "after changes",
    [
      "INSERT INTO item VALUES (4,'d'),(5,'e')",
      "UPDATE item SET name='x' WHERE id=1",
      "DELETE FROM item WHERE id=2",
      "INSERT INTO hidden VALUES (2)",
      "BEGIN",
      "INSERT INTO item VALUES (6,'f')",
      "INSERT INTO other VALUES (3)",
      "COMMIT",
      "BEGIN",
      "INSERT INTO item VALUES (66,'f')",
      "ROLLBACK",
    ],
  ],
  ["after ddl", ["ALTER TABLE item ADD more int", "INSERT INTO item VALUES (7,'g',1)", "TRUNCATE TABLE other"]],
  [
    "after an incremental snapshot",
    [`INSERT INTO sig VALUES ('s1','execute-snapshot','{"type":"incremental","data-collections":["SCHEMA.item"]}')`],
  ],
];
const folder = mkdtempSync(join(tmpdir(), "cdc-metrics-"));
const file = join(folder, "worker.properties");
let broker: BrokerProcess | null = null;
let worker: Process | null = null;
let rest = "";

beforeAll(async () => {
  const [kafka = 0, restPort = 0] = await freePorts(2);
  broker = await (BROKERS[0]?.start(kafka) ?? null);
  rest = `http://127.0.0.1:${restPort}`;
  const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";
  writeFileSync(
    file,
    properties({
      "bootstrap.servers": broker?.bootstrap ?? "",
      "key.converter": JSON_CONVERTER,
      "value.converter": JSON_CONVERTER,
      "offset.storage.file.filename": join(folder, "offsets"),
      "offset.flush.interval.ms": "300",
      listeners: rest,
    }),
  );
  worker = await spawnOurs([], ["connect-standalone", file]);
});
afterAll(async () => {
  await worker?.end("SIGKILL");
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function binlogDatabase(start: typeof startMysql, className: string): Promise<Database | string> {
  const [port = 0] = await freePorts(1);
  const peer = await start({ port });
  if ("reason" in peer) return peer.reason;
  const sql = await peer.connect();
  await sql.query(`CREATE DATABASE shop; USE shop; ${TABLES}`);
  return {
    query: (statement) => sql.query(statement),
    stop: () => peer.stop(),
    settings: {
      "connector.class": className,
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": peer.user,
      "database.password": "",
      "database.server.id": "7301",
      "database.include.list": "shop",
      "table.exclude.list": "shop.hidden",
      "signal.data.collection": "shop.sig",
      "schema.history.internal.kafka.bootstrap.servers": broker?.bootstrap ?? "",
      "schema.history.internal.kafka.topic": `${className}.history`,
    },
  };
}
async function postgresDatabase(): Promise<Database | string> {
  const [port = 0] = await freePorts(1);
  const peer = await startPostgres(port);
  if ("reason" in peer) return peer.reason;
  const sql = await peer.database("shop");
  await sql.query(TABLES);
  return {
    query: (statement) => sql.query(statement),
    stop: () => peer.stop(),
    settings: {
      "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": peer.user,
      "database.dbname": "shop",
      "schema.include.list": "public",
      "table.exclude.list": "public.hidden",
      "signal.data.collection": "public.sig",
    },
  };
}
/** Attributes by `context.name`, or `context.name[table]`; texts as they are. */
async function figures(plugin: string, query: string): Promise<Figures> {
  const { text } = await ask(rest, "GET", `/metrics${query}`);
  const found: Record<string, number | string> = {};
  for (const [, name = "", labels = "", value] of text.matchAll(/^debezium_metrics_(\w+)\{(.*)\} (.*)$/gm)) {
    const label = Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", v = ""]) => [key, v]));
    if (label["plugin"] !== plugin) continue;
    expect(label["name"]).toBe("t");
    const table = label["table"] === undefined ? "" : `[${label["table"]}]`;
    found[`${label["context"]}.${name}${table}`] = label[name] ?? Number(value);
  }
  return found;
}
/** The numbers that a recording can tell of another run, those that are not 0. */
function comparable(plugin: string, all: Figures): Figures {
  const others = OTHERWISE[plugin] ?? [];
  const kept = Object.entries(all).filter(
    ([key, value]) => value !== 0 && key !== LOG_EVENTS && !OTHER_EACH_TIME.test(key) && !others.includes(key),
  );
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}
/** Waits until the figures are the recorded ones. */
async function reached(plugin: string, step: string): Promise<void> {
  const wanted = comparable(plugin, RECORDED.values[plugin]?.[step] ?? {});
  expect(Object.keys(wanted).length).toBeGreaterThan(5);
  let got: Figures = {};
  await until(async () => {
    got = comparable(plugin, await figures(plugin, ""));
    return JSON.stringify(got) === JSON.stringify(wanted) ? null : step;
  }, 20_000).catch(() => expect(got, step).toEqual(wanted));
}

test.for([
  ["mysql", () => binlogDatabase(startMysql, "io.debezium.connector.mysql.MySqlConnector")],
  ["mariadb", () => binlogDatabase(startMariadb, "io.debezium.connector.mariadb.MariaDbConnector")],
  ["postgres", postgresDatabase],
] as const)("%s", async ([plugin, open], context) => {
  const database = await open();
  if (typeof database === "string") return context.skip(database);
  try {
    const config = { ...database.settings, "topic.prefix": "t", "incremental.snapshot.chunk.size": "2" };
    await accepted(rest, "POST", "/connectors", { name: plugin, config });
    for (const [step, statements] of STEPS) {
      for (const statement of statements) await database.query(statement.replace("SCHEMA", plugin === "postgres" ? "public" : "shop"));
      await reached(plugin, step);
    }
    const names = new Set(Object.keys(await figures(plugin, "?texts=true")).map((key) => key.replace(/\[.*/, "")));
    const missing = Object.entries(RECORDED.attributes[plugin] ?? {}).flatMap(([bean, attributes]) =>
      attributes
        .split(" ")
        .filter((name) => !ABSENT.test(name) && !names.has(`${bean}.${name}`))
        .map((name) => `${bean}.${name}`),
    );
    // Of chunks there is something to tell while one is read only.
    const idle = /^snapshot\.(Chunk(Id|From|To)|Table(From|To))$/;
    expect(missing.filter((name) => !idle.test(name) && NO_LAST_EVENT[plugin]?.test(name) !== true)).toEqual([]);
  } finally {
    await ask(rest, "DELETE", `/connectors/${plugin}`);
    await database.stop();
  }
});
