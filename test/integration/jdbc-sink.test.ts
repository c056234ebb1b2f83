/** The JDBC sink's task against a real PostgreSQL: what arrives in the tables. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SinkTask } from "#connect/api/connector";
import { RetriableError } from "#connect/api/errors";
import type { SinkRecord } from "#connect/api/record";
import { arrayOf, DECIMAL, INT32, INT64, OPTIONAL_STRING, primitive, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { type ConnectValue, Decimal } from "#connect/api/value";
import { type SamplePostgres, startSamplePostgres } from "../../demo/sample-postgres.ts";
import { jdbcSink } from "#connectors/jdbc-sink/index";
import { errants, KEY, key, record, ROW, sinkTask } from "../fakes/jdbc-sink.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(1);
let folder = "";
let postgres: SamplePostgres | null = null;
let sql: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-jdbc-"));
  postgres = await startSamplePostgres(join(folder, "postgres"), PORT);
  sql = new Client({ host: "127.0.0.1", port: PORT, user: "postgres", database: "postgres" });
  await sql.connect();
}, 60_000);
afterAll(async () => {
  await sql?.end();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await sql.query("drop schema public cascade; create schema public");
});

const task = (config: Record<string, string>, report = false): Promise<SinkTask> =>
  sinkTask({ url: `jdbc:postgresql://127.0.0.1:${PORT}/postgres`, user: "postgres", password: "postgres" }, config, report);
const envelopeOf = (row: Schema): Schema =>
  structOf(
    [
      ["before", row],
      ["after", row],
      ["source", structOf([["table", STRING]])],
      ["op", STRING],
    ],
    { name: "s.t.Envelope" },
  );
const ENVELOPE = envelopeOf(ROW);
const row = (id: number, name: string | null): Struct => new Struct(ROW, [id, name]);
function change(op: string, id: number, after: Struct | null, schema = ENVELOPE): SinkRecord {
  const source = schema.byName.get("source")?.schema ?? ENVELOPE;
  return record(KEY, key(id), schema, new Struct(schema, [null, after, new Struct(source, ["t"]), op]));
}
const rows = async (): Promise<unknown[]> => (await sql.query("select * from t order by 1")).rows;

describe("change events", () => {
  test("create the table, upsert, delete; tombstones are harmless", async () => {
    const t = await task({});
    await t.put([
      change("c", 1, row(1, "a")),
      change("c", 2, row(2, "b")),
      change("u", 1, row(1, "a2")),
      change("d", 2, null),
      record(KEY, key(2), null, null),
    ]);
    expect(await rows()).toEqual([{ id: 1, name: "a2" }]);
    await t.put([change("d", 1, null), change("c", 1, row(1, "again"))]);
    expect(await rows()).toEqual([{ id: 1, name: "again" }]);
    await t.stop();
  });
  test("redelivery changes nothing", async () => {
    const t = await task({});
    const batch = [change("c", 1, row(1, "a")), change("u", 1, row(1, "b")), change("d", 1, null), change("c", 3, row(3, null))];
    await t.put(batch);
    await t.put(batch);
    expect(await rows()).toEqual([{ id: 3, name: null }]);
    await t.stop();
  });
  test("an added column is added, old rows keep null", async () => {
    const t = await task({});
    await t.put([change("c", 1, row(1, "a"))]);
    const wider = structOf(
      [
        ["id", INT32],
        ["name", OPTIONAL_STRING],
        ["n", INT64],
      ],
      { name: "s.t.Value", optional: true },
    );
    await t.put([change("c", 2, new Struct(wider, [2, "b", 9007199254740993n]), envelopeOf(wider))]);
    expect(await rows()).toEqual([
      { id: 1, name: "a", n: null },
      { id: 2, name: "b", n: "9007199254740993" },
    ]);
    await t.stop();
  });
  test("an unchanged TOAST value is left alone", async () => {
    const t = await task({});
    await t.put([change("c", 1, row(1, "long text"))]);
    await t.put([change("u", 1, row(1, "__debezium_unavailable_value"))]);
    expect(await rows()).toEqual([{ id: 1, name: "long text" }]);
    await t.put([change("u", 1, row(1, "new")), change("u", 1, row(1, "__debezium_unavailable_value"))]);
    expect(await rows()).toEqual([{ id: 1, name: "new" }]);
    await t.stop();
  });
  test("truncate empties the table only when asked for", async () => {
    const t = await task({ "truncate.enabled": "true" });
    await t.put([change("c", 1, row(1, "a")), change("t", 0, null), change("c", 2, row(2, "b"))]);
    expect(await rows()).toEqual([{ id: 2, name: "b" }]);
    await t.stop();
  });
  test("a unique value that moves between rows in one batch", async () => {
    await sql.query("create table t (id integer primary key, name text unique)");
    const t = await task({});
    await t.put([change("c", 1, row(1, "x")), change("c", 2, row(2, "y"))]);
    await t.put([change("u", 1, row(1, "z")), change("u", 2, row(2, "x")), change("u", 1, row(1, "y"))]);
    expect(await rows()).toEqual([
      { id: 1, name: "y" },
      { id: 2, name: "x" },
    ]);
    await t.stop();
  });
});

describe("plain records and key modes", () => {
  test("flattened rows; a null value deletes", async () => {
    const t = await task({});
    await t.put([record(KEY, key(1), ROW, row(1, "a")), record(KEY, key(2), ROW, row(2, "b")), record(KEY, key(1), null, null)]);
    expect(await rows()).toEqual([{ id: 2, name: "b" }]);
    await t.stop();
  });
  test("record_value, kafka, none", async () => {
    const byValue = await task({ "primary.key.mode": "record_value", "primary.key.fields": "id", "delete.enabled": "false" });
    await byValue.put([record(null, null, ROW, row(1, "a")), record(null, null, ROW, row(1, "b"))]);
    expect(await rows()).toEqual([{ id: 1, name: "b" }]);
    await byValue.stop();
    await sql.query("drop table t");
    const byOffset = await task({ "primary.key.mode": "kafka", "delete.enabled": "false" });
    await byOffset.put([record(null, null, ROW, row(1, "a")), record(null, null, ROW, row(1, "b"))]);
    expect((await rows()).length).toBe(2);
    await byOffset.stop();
    await sql.query("drop table t");
    const keyless = await task({ "primary.key.mode": "none", "insert.mode": "insert", "delete.enabled": "false" });
    await keyless.put([record(null, null, ROW, row(1, "a")), record(null, null, ROW, row(1, "a"))]);
    expect(await rows()).toEqual([
      { id: 1, name: "a" },
      { id: 1, name: "a" },
    ]);
    await keyless.stop();
  });
  test("delete.enabled without record_key is a config error with Debezium's text", () => {
    const config = {
      "connector.class": "x",
      "connection.url": "jdbc:postgresql://h/d",
      "delete.enabled": "true",
      "primary.key.mode": "none",
    };
    expect(() =>
      jdbcSink.start(config, {
        connectorName: "c",
        log: { debug() {}, info() {}, warn() {}, error() {} },
        requestTaskReconfiguration() {},
        raiseError() {},
        signal: new AbortController().signal,
      }),
    ).toThrow(/primary.key.mode/);
  });
});

test("types arrive as the source had them", async () => {
  const named = (type: "INT32" | "INT64" | "STRING" | "BYTES", name: string, parameters: Record<string, string> | null = null): Schema =>
    primitive(type, { name, optional: true, parameters });
  const wide = structOf(
    [
      ["id", INT32],
      ["dec", named("BYTES", DECIMAL, { scale: "3", "connect.decimal.precision": "12" })],
      ["d", named("INT32", "io.debezium.time.Date")],
      ["ts", named("INT64", "io.debezium.time.MicroTimestamp")],
      ["old", named("INT64", "io.debezium.time.MicroTimestamp")],
      ["tz", named("STRING", "io.debezium.time.ZonedTimestamp")],
      ["tm", named("INT64", "io.debezium.time.MicroTime")],
      ["js", named("STRING", "io.debezium.data.Json")],
      ["u", named("STRING", "io.debezium.data.Uuid")],
      ["raw", primitive("BYTES", { optional: true })],
      ["arr", arrayOf(primitive("STRING", { optional: true }), { optional: true })],
      ["bits", named("BYTES", "io.debezium.data.Bits", { length: "12" })],
    ],
    { name: "s.t.Value" },
  );
  const values: ConnectValue[] = [
    1,
    new Decimal(-1500n, 3),
    -1,
    -1n,
    -62135596800000001n,
    "2024-02-29T23:59:59.123456Z",
    86399999999n,
    '{"a":[1,2]}',
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    Buffer.from([0, 255, 92]),
    ['a"b', null, "c\\d,e"],
    Buffer.from([0b11, 0b1000]),
  ];
  const t = await task({});
  await t.put([record(KEY, key(1), wide, new Struct(wide, values))]);
  const { rows: found } = await sql.query(
    "select dec::text, d::text, ts::text, old::text, tz at time zone 'UTC' as tz, tm::text, js::text, u::text, raw::text, arr, bits::text from t",
  );
  expect(JSON.parse(JSON.stringify(found[0]))).toMatchObject({
    dec: "-1.500",
    d: "1969-12-31",
    ts: "1969-12-31 23:59:59.999999",
    old: "0001-12-31 23:59:59.999999 BC",
    tm: "23:59:59.999999",
    js: '{"a": [1, 2]}',
    u: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    raw: "\\x00ff5c",
    arr: ['a"b', null, "c\\d,e"],
    bits: "100000000011",
  });
  await t.stop();
});

describe("what goes wrong", () => {
  test("a record the table refuses is reported alone, the others arrive in order", async () => {
    await sql.query("create table t (id integer primary key, name varchar(3))");
    const t = await task({}, true);
    await t.put([change("c", 1, row(1, "ok")), change("c", 2, row(2, "too long")), change("c", 3, row(3, "yes"))]);
    expect(await rows()).toEqual([
      { id: 1, name: "ok" },
      { id: 3, name: "yes" },
    ]);
    expect(errants.map((e) => e.record.key)).toHaveLength(1);
    await t.stop();
  });
  test("without a reporter the batch fails and nothing of the refused record stays", async () => {
    await sql.query("create table t (id integer primary key, name varchar(3))");
    const t = await task({});
    await expect(t.put([change("c", 2, row(2, "too long"))])).rejects.toThrow(/too long/);
    expect(await rows()).toEqual([]);
    await t.stop();
  });
  test("a missing table without evolution names the table and the way out", async () => {
    const t = await task({ "schema.evolution": "none" });
    await expect(t.put([change("c", 1, row(1, "a"))])).rejects.toThrow(/Could not find table: "t".*schema\.evolution=basic/);
    await t.stop();
  });
  test("a connection cut in the middle of a batch is retriable, and the same batch then goes through", async () => {
    const t = await task({});
    await t.put([change("c", 1, row(1, "a"))]);
    const batch = [change("c", 2, row(2, "b"))];
    // The lock holds the batch inside its transaction until the connection is cut.
    await sql.query("begin; lock table t in access exclusive mode");
    const cut = expect(t.put(batch)).rejects.toBeInstanceOf(RetriableError);
    const waiting =
      "select pg_terminate_backend(pid) as done from pg_stat_activity where application_name like 'millrace %' and wait_event_type = 'Lock'";
    for (let done = false; !done; await new Promise((wake) => setTimeout(wake, 20))) done = (await sql.query(waiting)).rows.length > 0;
    await sql.query("commit");
    await cut;
    await t.put(batch);
    expect(await rows()).toEqual([
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ]);
    await t.stop();
  });
});
