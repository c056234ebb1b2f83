/** PostGIS's types, in snapshot and stream. PostgreSQL's own packages have it as postgresql-NN-postgis-3. */
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
let reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
if (reason === "") {
  const look = await server.database("look");
  const { rowCount } = await look.query("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'");
  if (rowCount === 0) {
    reason = `PostgreSQL ${server.version} has no PostGIS: apt install postgresql-${server.version}-postgis-3`;
    await server.stop();
  }
}

describe.skipIf(reason !== "")(`PostGIS${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());
  test("geometry and geography are structs of WKB and SRID", async () => {
    const db = await server.database("gis");
    await db.query("CREATE EXTENSION postgis");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, g geometry(Point, 3187), h geography, n geometry)");
    await db.query("INSERT INTO t VALUES (1, 'SRID=3187;POINT(174.9479 -36.7208)', 'SRID=4326;POINT(1 2)', NULL)");
    const bench = new TaskBench(server, "gis", { "table.include.list": "public.t" });
    await bench.start();
    await bench.until(1);
    await db.query("UPDATE t SET id = 1");
    await bench.until(2);
    await bench.stop();
    const { rows } = await db.query<{ g: Buffer; h: Buffer }>("SELECT ST_AsEWKB(g) AS g, ST_AsEWKB(h::geometry) AS h FROM t");
    const row = {
      id: 1,
      g: { wkb: rows[0]?.g.toString("base64"), srid: 3187 },
      h: { wkb: rows[0]?.h.toString("base64"), srid: 4326 },
      n: null,
    };
    expect((bench.events("public.t") as unknown[][]).map((e) => [e[0], e[3]])).toEqual([
      ["r", row],
      ["u", row],
    ]);
    const after = bench.records[0]?.valueSchema?.fields.find((f) => f.name === "after")?.schema;
    expect(["g", "h"].map((name) => after?.fields.find((f) => f.name === name)?.schema.name)).toEqual([
      "io.debezium.data.geometry.Geometry",
      "io.debezium.data.geometry.Geography",
    ]);
  });
});
