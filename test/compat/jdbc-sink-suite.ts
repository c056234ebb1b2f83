/** What every target of the JDBC sink has to do, with real servers. */
import { beforeEach, expect, test } from "vitest";
import type { SinkRecord } from "#connect/api/record";
import { arrayOf, DECIMAL, INT32, INT64, OPTIONAL_STRING, primitive, type Schema, STRING, structOf, TIMESTAMP } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { type ConnectValue, Decimal } from "#connect/api/value";
import { errants, KEY, key, record, ROW, sinkTask } from "../fakes/jdbc-sink.ts";

export interface Target {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  run(statement: string): Promise<void>;
  /** All values as text or null. */
  rows(query: string): Promise<readonly Readonly<Record<string, string | null>>[]>;
  /** A select list that shows the columns of the type test as text, in the test's order. */
  readonly shownTypes: string;
  readonly expectedTypes: Readonly<Record<string, string | null>>;
  readonly hasBits: boolean;
  /** Rows of the large batch, even. */
  readonly batchRows: number;
}

const row = (id: number, name: string | null): SinkRecord => record(KEY, key(id), ROW, new Struct(ROW, [id, name]));
const tombstone = (id: number): SinkRecord => record(KEY, key(id), null, null);

const named = (type: "INT32" | "INT64" | "STRING" | "BYTES", name: string, parameters: Record<string, string> | null = null): Schema =>
  primitive(type, { name, optional: true, parameters });
const BITS: readonly [string, Schema, ConnectValue] = [
  "bits",
  named("BYTES", "io.debezium.data.Bits", { length: "12" }),
  Buffer.from([0b11, 0b1000]),
];
const TYPES: readonly (readonly [name: string, schema: Schema, value: ConnectValue])[] = [
  ["id", INT32, 1],
  ["i8", primitive("INT8"), -7],
  ["i64", INT64, 9223372036854775807n],
  ["f", primitive("FLOAT32"), 0.5],
  ["b", primitive("BOOLEAN"), true],
  ["de", named("BYTES", DECIMAL, { scale: "3", "connect.decimal.precision": "12" }), new Decimal(-1500n, 3)],
  ["d", named("INT32", "io.debezium.time.Date"), -1],
  ["ts", named("INT64", "io.debezium.time.MicroTimestamp"), -1n],
  ["ms", named("INT64", TIMESTAMP), new Date(1_700_000_000_123)],
  ["tz", named("STRING", "io.debezium.time.ZonedTimestamp"), "2024-02-29T23:59:59.123456+01:00"],
  ["tm", named("INT64", "io.debezium.time.MicroTime"), 86_399_999_999n],
  ["js", named("STRING", "io.debezium.data.Json"), '{"a": [1, 2]}'],
  ["u", named("STRING", "io.debezium.data.Uuid"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  ["raw", primitive("BYTES", { optional: true }), Buffer.from([0, 255, 92, 39])],
  ["txt", OPTIONAL_STRING, "'quoted' \\ \"and\" 😀 \n é"],
  ["arr", arrayOf(primitive("INT32"), { optional: true }), [1, 2]],
  ["nul", OPTIONAL_STRING, null],
];

export function jdbcSinkSuite(target: () => Target): void {
  const rows = (): Promise<unknown> => target().rows("select * from t order by id");
  beforeEach(async () => {
    await target().run("drop table if exists t");
  });
  test("creates the table, upserts, deletes by tombstones; redelivery changes nothing", async () => {
    const t = await sinkTask(target(), {});
    const batch = [row(1, "a"), row(2, "b"), row(1, "a2"), tombstone(2), row(3, null), tombstone(4)];
    for (let i = 0; i < 2; i++) {
      await t.put(batch);
      expect(await rows()).toEqual([
        { id: "1", name: "a2" },
        { id: "3", name: null },
      ]);
    }
    await t.put([tombstone(1), tombstone(3), row(1, "again")]);
    expect(await rows()).toEqual([{ id: "1", name: "again" }]);
    await t.stop();
  });
  test("adds columns; old rows keep null", async () => {
    const t = await sinkTask(target(), {});
    await t.put([row(1, "a")]);
    const wider = structOf(
      [
        ["id", INT32],
        ["name", OPTIONAL_STRING],
        ["Added Later", INT64],
      ],
      { name: "s.t.Value" },
    );
    await t.put([record(KEY, key(2), wider, new Struct(wider, [2, "b", 9007199254740993n]))]);
    await t.put([row(1, "b")]);
    const found = (await target().rows("select * from t order by id")).map((r) => Object.values(r));
    expect(found).toEqual([
      ["1", "b", null],
      ["2", "b", "9007199254740993"],
    ]);
    await t.stop();
  });
  test("values of every type arrive as they were", async () => {
    const types = target().hasBits ? [...TYPES, BITS] : TYPES;
    const wide = structOf(types.map(([name, schema]) => [name, schema] as const));
    const t = await sinkTask(target(), {});
    await t.put([
      record(
        KEY,
        key(1),
        wide,
        new Struct(
          wide,
          types.map(([, , value]) => value),
        ),
      ),
    ]);
    const [found] = await target().rows(`select ${target().shownTypes} from t`);
    expect(found).toEqual(target().expectedTypes);
    await t.stop();
  });
  test("keys of texts, several columns, and many rows in one batch", async () => {
    const keySchema = structOf([
      ["a", STRING],
      ["b", INT64],
    ]);
    const schema = structOf([
      ["a", STRING],
      ["b", INT64],
      ["id", INT32],
    ]);
    const t = await sinkTask(target(), {});
    const n = target().batchRows;
    const many = Array.from({ length: n }, (_, i) =>
      record(keySchema, new Struct(keySchema, [`k${i % 50}`, BigInt(i)]), schema, new Struct(schema, [`k${i % 50}`, BigInt(i), i])),
    );
    await t.put(many);
    expect(await target().rows("select count(*) as n, sum(id) as s from t")).toEqual([{ n: String(n), s: String(((n - 1) * n) / 2) }]);
    await t.put(many.filter((_, i) => i % 2 === 0).map((r) => record(keySchema, r.key, null, null)));
    expect(await target().rows("select count(*) as n from t where b % 2 = 1")).toEqual([{ n: String(n / 2) }]);
    expect(await target().rows("select count(*) as n from t")).toEqual([{ n: String(n / 2) }]);
    await t.stop();
  });
  test("insert mode appends, update mode changes only what is there", async () => {
    const plain = await sinkTask(target(), { "insert.mode": "insert", "primary.key.mode": "none", "delete.enabled": "false" });
    await plain.put([row(1, "a"), row(1, "a")]);
    expect(await rows()).toEqual([
      { id: "1", name: "a" },
      { id: "1", name: "a" },
    ]);
    await plain.stop();
    const update = await sinkTask(target(), { "insert.mode": "update" });
    await update.put([row(1, "c"), row(2, "d")]);
    expect(await rows()).toEqual([
      { id: "1", name: "c" },
      { id: "1", name: "c" },
    ]);
    await update.stop();
  });
  test("a text that is too long is refused, alone, and never cut", async () => {
    await target().run("create table t (id int not null primary key, name varchar(3))");
    const t = await sinkTask(target(), {}, true);
    await t.put([row(1, "ok"), row(2, "too long"), row(3, "yes")]);
    expect(await rows()).toEqual([
      { id: "1", name: "ok" },
      { id: "3", name: "yes" },
    ]);
    expect(errants.map((e) => e.record.key)).toEqual([key(2)]);
    await t.stop();
  });
  test("a missing table without evolution names the table and the way out", async () => {
    const t = await sinkTask(target(), { "schema.evolution": "none" });
    await expect(t.put([row(1, "a")])).rejects.toThrow(/Could not find table: .t.*schema\.evolution=basic/);
    await t.stop();
  });
  test("a wrong password is told at once", async () => {
    await expect(sinkTask({ ...target(), password: "wrong" }, {})).rejects.toThrow(/cannot connect to/);
  });
}
