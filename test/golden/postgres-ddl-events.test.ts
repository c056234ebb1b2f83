/** DDL events (`millrace.ddl.events`): changes of definitions in the schema change topic, in their place among the rows. */
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
const at = (value: ConnectValue, ...path: (string | number)[]): ConnectValue =>
  path.reduce<ConnectValue>((v, p) => (v instanceof Struct ? v.get(String(p)) : Array.isArray(v) ? (v[Number(p)] ?? null) : null), value);
/** A line for each record: of rows their id, of definitions what became of which table with which columns. */
const story = (bench: TaskBench): string[] =>
  bench.records.map((r) => {
    if (r.topic !== "p") return `${r.topic} ${at(r.value, "after", "id") as number}`;
    const columns = at(r.value, "tableChanges", 0, "table", "columns");
    const names = Array.isArray(columns) ? columns.map((c) => `${at(c, "name") as string}:${at(c, "typeExpression") as string}`) : [];
    return [at(r.value, "tableChanges", 0, "type") as string, at(r.value, "tableChanges", 0, "id") as string, ...names].join(" ");
  });

describe.skipIf(reason !== "")(`DDL events${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  test("each definition comes before the rows that have it; a restart neither loses nor repeats one; other tables are not told of", async () => {
    const db = await server.database("ddl_events");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    const bench = new TaskBench(server, "ddl_events", {
      "millrace.ddl.events": "true",
      "table.exclude.list": "public.hidden",
      "snapshot.mode": "no_data",
    });
    await bench.start();
    await bench.until(0);
    await db.query("INSERT INTO t VALUES (1)");
    await bench.until(1);
    await db.query("ALTER TABLE t ADD COLUMN price numeric(8,2) NOT NULL DEFAULT 1.5; INSERT INTO t VALUES (2)");
    await db.query("CREATE TABLE hidden (id int); CREATE TEMPORARY TABLE scratch (id int); CREATE INDEX ON t (price)");
    await db.query("BEGIN; ALTER TABLE t ADD COLUMN no text; ROLLBACK");
    await bench.until(3);
    await bench.stop();
    await db.query("ALTER TABLE t RENAME COLUMN price TO cost; INSERT INTO t VALUES (3)");
    await db.query(
      "CREATE TABLE u (id bigserial PRIMARY KEY, v varchar(9)); INSERT INTO u (v) VALUES ('x'); DROP TABLE u; DROP TABLE hidden",
    );
    await bench.start();
    await bench.until(8);
    await bench.stop();
    expect(story(bench)).toEqual([
      "p.public.t 1",
      'ALTER "ddl_events"."public"."t" id:INTEGER price:NUMERIC(8,2)',
      "p.public.t 2",
      'ALTER "ddl_events"."public"."t" id:INTEGER cost:NUMERIC(8,2)',
      "p.public.t 3",
      'CREATE "ddl_events"."public"."u" id:BIGINT v:CHARACTER VARYING(9)',
      "p.public.u 1",
      'DROP "ddl_events"."public"."u"',
    ]);
    const [, altered] = bench.records;
    expect(at(altered?.value ?? null, "ddl")).toContain("ADD COLUMN price numeric(8,2)");
    expect(at(altered?.key ?? null, "databaseName")).toBe("ddl_events");
    const price = at(altered?.value ?? null, "tableChanges", 0, "table", "columns", 1);
    expect(["jdbcType", "length", "scale", "optional", "defaultValueExpression"].map((f) => at(price, f))).toEqual([2, 8, 2, false, "1.5"]);
    expect(at(altered?.value ?? null, "tableChanges", 0, "table", "primaryKeyColumnNames")).toEqual(["id"]);
  });

  test("a user who may not create event triggers is told the statements; once they have been run it works", async () => {
    const db = await server.database("ddl_rights");
    await db.query("CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE plain LOGIN REPLICATION; GRANT SELECT ON t TO plain");
    await db.query("CREATE PUBLICATION dbz_publication FOR ALL TABLES");
    const bench = new TaskBench(server, "ddl_rights", {
      "millrace.ddl.events": "true",
      "database.user": "plain",
      "snapshot.mode": "no_data",
    });
    const refused = await bench.start().then(
      () => bench.until(1),
      (error: Error) => error,
    );
    const message = refused instanceof Error ? refused.message : "";
    expect(message).toContain("Run once as a superuser");
    await db.query(message.slice(message.indexOf("CREATE SCHEMA")));
    await bench.start();
    await db.query("ALTER TABLE t ADD COLUMN v int");
    await bench.until(1);
    await bench.stop();
    expect(story(bench)).toEqual(['ALTER "ddl_rights"."public"."t" id:INTEGER v:INTEGER']);
  });
});
