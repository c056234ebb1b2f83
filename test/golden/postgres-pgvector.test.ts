/** pgvector's types, in snapshot and stream. */
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
let reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
if (reason === "") {
  const look = await server.database("look");
  const { rowCount } = await look.query("SELECT 1 FROM pg_available_extensions WHERE name = 'vector' AND default_version >= '0.7'");
  if (rowCount === 0) {
    reason = `PostgreSQL ${server.version} has no pgvector from 0.7 on: apt install postgresql-${server.version}-pgvector, where there is one`;
    await server.stop();
  }
}

describe.skipIf(reason !== "")(`pgvector${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());
  test("vectors are arrays of doubles and floats, sparse ones structs", async () => {
    const db = await server.database("vec");
    await db.query("CREATE EXTENSION vector");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v vector(3), h halfvec(2), s sparsevec(5), n vector)");
    await db.query("INSERT INTO t VALUES (1, '[1,-2.5,1e-7]', '[0.5,65504]', '{1:1.5,3:-2}/5', NULL)");
    const bench = new TaskBench(server, "vec", { "table.include.list": "public.t" });
    await bench.start();
    await bench.until(1);
    await db.query("UPDATE t SET id = 1");
    await bench.until(2);
    await bench.stop();
    const row = {
      id: 1,
      v: [1, -2.5, 1e-7],
      h: [0.5, 65504],
      s: {
        dimensions: 5,
        vector: new Map([
          [1, 1.5],
          [3, -2],
        ]),
      },
      n: null,
    };
    expect((bench.events("public.t") as unknown[][]).map((e) => [e[0], e[3]])).toEqual([
      ["r", row],
      ["u", row],
    ]);
    const value = bench.records[0]?.value;
    if (!(value instanceof Struct)) throw new Error("no value");
    const after = value.get("after");
    const names = after instanceof Struct ? after.schema.fields.map((f) => f.schema.name) : [];
    expect(names).toEqual([
      null,
      "io.debezium.data.DoubleVector",
      "io.debezium.data.FloatVector",
      "io.debezium.data.SparseDoubleVector",
      "io.debezium.data.DoubleVector",
    ]);
  });
});
