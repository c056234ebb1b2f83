/** The JSON of articles from before Debezium 2.0, posted as it is: the old names are mapped, and events come. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { connectorStates, sleep, startMillrace } from "../chaos/millrace-process.ts";
import { startMysql } from "../peers/mysql.ts";
import { freePorts } from "../peers/ports.ts";

test("database.server.name and database.history.kafka.* run unchanged", async (context) => {
  const [port = 0, broker = 0, rest = 0] = await freePorts(3);
  const peer = await startMysql({ port });
  if ("reason" in peer) return context.skip(peer.reason);
  const folder = await mkdtemp(join(tmpdir(), "millrace-article-"));
  const millrace = await startMillrace(folder, broker, rest);
  try {
    const sql = await peer.connect();
    await sql.query(
      `CREATE DATABASE inventory; USE inventory; CREATE TABLE customers (id int AUTO_INCREMENT PRIMARY KEY, first_name varchar(255) NOT NULL, email varchar(255) NOT NULL UNIQUE);
       INSERT INTO customers VALUES (1001, 'Sally', 'sally@example.com');
       CREATE USER 'debezium'@'%' IDENTIFIED BY 'dbz'; GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO 'debezium'@'%'`,
    );
    const response = await fetch(`${millrace.rest}/connectors`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        name: "inventory-connector",
        config: {
          "connector.class": "io.debezium.connector.mysql.MySqlConnector",
          "tasks.max": "1",
          "database.hostname": peer.host,
          "database.port": String(peer.port),
          "database.user": "debezium",
          "database.password": "dbz",
          "database.server.id": "184054",
          "database.server.name": "dbserver1",
          "database.include.list": "inventory",
          "database.history.kafka.bootstrap.servers": millrace.bootstrap,
          "database.history.kafka.topic": "schema-changes.inventory",
        },
      }),
    });
    expect(response.status, await response.text()).toBe(201);
    const consumer = await createKafkaClients().consumer({ "bootstrap.servers": millrace.bootstrap, "auto.offset.reset": "earliest" });
    const seen: { op: string; email: string }[] = [];
    let changed = false;
    for (const limit = Date.now() + 60_000; seen.length < 2 && Date.now() < limit; ) {
      if (seen.length === 1 && !changed) {
        changed = true;
        await sql.query("UPDATE customers SET email = 'new@example.com' WHERE id = 1001");
      }
      const admin = await createKafkaClients().admin({ "bootstrap.servers": millrace.bootstrap });
      const there = (await admin.describeTopics(["dbserver1.inventory.customers"])).size > 0;
      await admin.close();
      if (!there) {
        await sleep(200);
        continue;
      }
      consumer.assign([{ topic: "dbserver1.inventory.customers", partition: 0 }]);
      consumer.seek({ topic: "dbserver1.inventory.customers", partition: 0 }, seen.length);
      for (const record of await consumer.poll(500)) {
        const event = JSON.parse(Buffer.from(record.value ?? []).toString()) as { payload?: Change } & Change;
        const { op, after } = event.payload ?? event;
        seen.push({ op, email: after.email });
      }
    }
    await consumer.close();
    expect(seen, `${await connectorStates(millrace.rest)}\n${millrace.output()}`).toEqual([
      { op: "r", email: "sally@example.com" },
      { op: "u", email: "new@example.com" },
    ]);
    expect(millrace.output()).toMatch(/database\.server\.name.*topic\.prefix/);
  } finally {
    await millrace.stop();
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
interface Change {
  readonly op: string;
  readonly after: { readonly email: string };
}
