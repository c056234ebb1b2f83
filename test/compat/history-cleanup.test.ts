/** `cleanup` of running connectors with a schema history: what is a connector's own goes, what others may share only when it is named. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { createKafkaClients } from "#broker/client/index";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import { freePorts } from "../peers/ports.ts";
import { startSqlServer } from "../peers/sqlserver.ts";
import { enable } from "./sqlserver-suite.ts";

const TEST_MS = 480_000;
let cluster: ConnectCluster;
let worker: RunningConnect;
beforeAll(async () => {
  cluster = await connectCluster();
  worker = await cluster.join();
}, 120_000);
afterAll(() => cluster.close());

type Config = Readonly<Record<string, string>>;
/** A captured table with a row; the connector's own settings. */
async function prepared(t: TestContext, kind: string): Promise<Config> {
  const [port = 0] = await freePorts(1);
  if (kind === "sqlserver") {
    const peer = await startSqlServer({ port });
    if ("reason" in peer) return t.skip(peer.reason);
    t.onTestFinished(() => peer.stop());
    await peer.drop("cleaned");
    await peer.run("master", "CREATE DATABASE cleaned");
    for (const batch of [
      "EXEC sys.sp_cdc_enable_db",
      "CREATE TABLE item (id int NOT NULL PRIMARY KEY)",
      "INSERT INTO item VALUES (1)",
      enable("item"),
    ])
      await peer.run("cleaned", batch);
    return {
      "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": peer.user,
      "database.password": peer.password,
      "database.names": "cleaned",
      "driver.trustServerCertificate": "true",
    };
  }
  const peer = await (kind === "mysql" ? startMysql({ port }) : startMariadb({ port }));
  if ("reason" in peer) return t.skip(peer.reason);
  t.onTestFinished(() => peer.stop());
  const sql = await peer.connect();
  await sql.query("CREATE DATABASE cleaned; USE cleaned; CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)");
  return {
    "connector.class": `io.debezium.connector.${kind === "mysql" ? "mysql.MySqlConnector" : "mariadb.MariaDbConnector"}`,
    "database.hostname": peer.host,
    "database.port": String(peer.port),
    "database.user": peer.user,
    "database.password": peer.password,
    "database.server.id": "6401",
    "database.include.list": "cleaned",
  };
}
interface Plan {
  readonly deleted: boolean;
  readonly items: readonly { readonly kind: string; readonly name: string; readonly removed: boolean; readonly error?: string }[];
}
const kindsOf = (plan: unknown): readonly string[] => (plan as Plan).items.map((i) => `${i.kind} ${i.removed} ${i.error ?? ""}`.trim());

test.for(["mysql", "mariadb", "sqlserver"])("%s", { timeout: TEST_MS }, async (kind, t) => {
  const own = await prepared(t, kind);
  const clients = createKafkaClients({ clock: systemClock, random: systemRandom, logger: silentLogger });
  const admin = await clients.admin({ "bootstrap.servers": cluster.broker.bootstrap });
  t.onTestFinished(() => admin.close());
  const topic = `history-${kind}`;
  const begin = async (config: Config): Promise<void> => {
    const all = { ...own, "topic.prefix": kind, ...config };
    const made = await rest(worker.url, "POST", "/connectors", { name: kind, config: all });
    expect([made.status, made.text]).toEqual([201, expect.anything()]);
    await eventually(
      async () => {
        const plan = await rest(worker.url, "DELETE", `/connectors/${kind}?cleanup=plan`);
        return kindsOf(plan.body).includes("offsets true") ? true : null;
      },
      `${kind} has stored an offset`,
      90_000,
    );
  };
  const other = `${topic}.other`;
  await admin.createTopics([{ name: other, partitions: 1, replicationFactor: 1 }]);
  await begin({
    "schema.history.internal.kafka.topic": topic,
    "schema.history.internal.kafka.bootstrap.servers": cluster.broker.bootstrap,
    "schema.history.internal.producer.ssl.key.password": "planted",
  });
  const plan = await rest(worker.url, "DELETE", `/connectors/${kind}?cleanup=plan`);
  expect(new Set(kindsOf(plan.body))).toEqual(new Set(["offsets true", "schema-history false", "topic false"]));
  expect(plan.text).not.toContain("planted");
  const removed = await rest(worker.url, "DELETE", `/connectors/${kind}?cleanup=offsets,topics,schema-history`);
  expect(new Set(kindsOf(removed.body))).toEqual(new Set(["offsets true", "schema-history true", "topic true"]));
  expect((await admin.listTopics()).filter((name) => name.startsWith(kind) || name.startsWith(topic))).toEqual([other]);

  // The offsets went, so it begins anew. A file stays where only what is its own is asked for.
  const file = join(cluster.folder, `${kind}.history`);
  const history: Config = {
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "schema.history.internal.file.filename": file,
  };
  for (const wanted of ["true", "offsets,schema-history"]) {
    await begin(history);
    expect(existsSync(file)).toBe(true);
    const { body } = await rest(worker.url, "DELETE", `/connectors/${kind}?cleanup=${wanted}`);
    expect(new Set(kindsOf(body))).toEqual(new Set(["offsets true", `schema-history ${wanted !== "true"}`, "topic false"]));
    expect([existsSync(file), existsSync(`${file}.checkpoint`)]).toEqual([
      wanted === "true",
      wanted === "true" && existsSync(`${file}.checkpoint`),
    ]);
  }
});
