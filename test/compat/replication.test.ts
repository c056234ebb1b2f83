/** A MariaDB table kept in a PostgreSQL one: two connectors, nothing but JSON posted. Changes of rows and of the table arrive. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { startSamplePostgres } from "../../demo/sample-postgres.ts";
import { connectorStates, putConnector, seeded, sleep, startMillrace } from "../chaos/millrace-process.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { freePorts } from "../peers/ports.ts";

const CHANGES = 400;

test("MariaDB to PostgreSQL", async (context) => {
  const [source = 0, target = 0, broker = 0, rest = 0] = await freePorts(4);
  const mariadb = await startMariadb({ port: source });
  if ("reason" in mariadb) return context.skip(mariadb.reason);
  const folder = await mkdtemp(join(tmpdir(), "millrace-replication-"));
  const postgres = await startSamplePostgres(join(folder, "postgres"), target);
  const millrace = await startMillrace(join(folder, "millrace"), broker, rest);
  const to = new Client({ host: "127.0.0.1", port: target, user: "postgres", password: "postgres", database: "postgres" });
  try {
    const from = await mariadb.connect();
    await from.query(
      `create database shop; use shop;
       create table orders (id bigint primary key, customer varchar(40), total decimal(10,2), paid boolean, at datetime(6), note text, raw varbinary(20));
       create user 'dbz'@'%' identified by 'dbz'; grant all on *.* to 'dbz'@'%'`,
    );
    for (let id = 1; id <= 50; id++)
      await from.query("insert into orders values (?, ?, ?, ?, ?, ?, ?)", [
        id,
        `c${id}`,
        `${id}.25`,
        id % 2,
        "2026-03-29 01:30:00.123456",
        id % 3 === 0 ? null : "é 😀 'q'",
        Buffer.from([id, 0, 255]),
      ]);
    await putConnector(millrace.rest, "shop", {
      "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
      "database.hostname": mariadb.host,
      "database.port": String(mariadb.port),
      "database.user": "dbz",
      "database.password": "dbz",
      "database.server.id": "4711",
      "database.include.list": "shop",
      "topic.prefix": "src",
      "schema.history.internal.kafka.bootstrap.servers": millrace.bootstrap,
      "schema.history.internal.kafka.topic": "history",
    });
    await putConnector(millrace.rest, "replica", {
      "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
      topics: "src.shop.orders",
      "connection.url": `jdbc:postgresql://127.0.0.1:${target}/postgres`,
      "connection.username": "postgres",
      "connection.password": "postgres",
      "insert.mode": "upsert",
      "delete.enabled": "true",
      "primary.key.mode": "record_key",
      "schema.evolution": "basic",
      "collection.name.format": "orders",
    });
    const random = seeded(7);
    const any = (n: number): number => Math.floor(random() * n);
    for (let i = 0; i < CHANGES; i++) {
      if (i === CHANGES / 2) await from.query("alter table orders add column extra int default 5");
      const id = 1 + any(80);
      const kind = any(4);
      if (kind === 0) await from.query("delete from orders where id = ?", [id]);
      else if (kind === 1)
        await from.query("replace into orders (id, customer, total, note) values (?, ?, ?, ?)", [id, `r${i}`, i, "x".repeat(any(2000))]);
      else if (kind === 2)
        await from.query("update orders set total = total + 1, paid = not paid, note = null where id between ? and ?", [id, id + 5]);
      else await from.query("update ignore orders set id = id + 1000 where id = ?", [id]);
    }
    await to.connect();
    const wanted = async (): Promise<unknown> => {
      const [rows] = await from.query(
        "select id, customer, total, paid, cast(at as char) at, note, hex(raw) raw, extra from orders order by id",
      );
      return JSON.parse(JSON.stringify(rows));
    };
    const found = async (): Promise<unknown> => {
      const { rows } = await to.query(
        `select id::int as id, customer, total::text as total, paid::int as paid, to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') as at, note, upper(encode(raw, 'hex')) as raw, extra from orders order by id`,
      );
      return rows;
    };
    const expected = await wanted();
    let last: unknown = null;
    for (const limit = Date.now() + 90_000; Date.now() < limit; await sleep(300)) {
      last = await found().catch(String);
      if (JSON.stringify(last) === JSON.stringify(expected)) break;
    }
    // Rows that nothing has touched since the column came have no value for it: the database filled it in without an event.
    const withDefault = (rows: unknown): unknown =>
      Array.isArray(rows) ? rows.map((r: Record<string, unknown>) => ({ ...r, extra: r["extra"] ?? 5 })) : rows;
    expect(withDefault(last), `${await connectorStates(millrace.rest)}\n${millrace.output()}`).toEqual(withDefault(expected));
  } finally {
    await to.end().catch(() => {});
    await millrace.stop();
    await postgres.stop();
    await mariadb.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
