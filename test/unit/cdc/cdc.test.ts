import { describe, expect, test } from "vitest";
import { columnMasks } from "#connectors/cdc/column-mask";
import { uuidV7 } from "#connectors/cdc/context-headers";
import { filtersOf } from "#connectors/cdc/filters";
import { inGatheredOrder, inHashMapOrder, inHashSetOrder } from "#connectors/cdc/java-hash";
import { anchored, splitExpressions } from "#connectors/cdc/expressions";
import { messageKeys } from "#connectors/cdc/message-keys";
import { nameAdjuster } from "#connectors/cdc/name-adjustment";
import { RecordQueue } from "#connectors/cdc/record-queue";
import { Settings } from "#connectors/cdc/settings";
import { logRequest, snapshotRequest } from "#connectors/cdc/signals";
import { topicName } from "#connectors/cdc/topic-naming";
import { emptyRecord } from "../../fakes/source-record.ts";

const settings = (given: Record<string, string>): Settings => new Settings(given, []);

describe("the queue between reader and poll", () => {
  const limits = { maxBatchRecords: 2, maxRecords: 4, maxBytes: 1000 };
  test("keeps the records of one event in one batch", async () => {
    const queue = new RecordQueue(limits);
    queue.add(emptyRecord("a"), 1, false);
    queue.add(emptyRecord("delete"), 1, true);
    queue.add(emptyRecord("tombstone"), 1, true);
    queue.add(emptyRecord("create"), 1, false);
    queue.add(emptyRecord("b"), 1, false);
    expect((await queue.take(0)).map((r) => r.topic)).toEqual(["a", "delete", "tombstone", "create"]);
    expect((await queue.take(0)).map((r) => r.topic)).toEqual(["b"]);
  });
  test("is full by count or by bytes, and says when there is room again", async () => {
    const queue = new RecordQueue(limits);
    let room = 0;
    queue.onSpace = () => room++;
    queue.add(emptyRecord("a"), 2000, false);
    expect(queue.full).toBe(true);
    await queue.take(0);
    await new Promise((r) => setImmediate(r));
    expect(room).toBe(1);
    expect(queue.full).toBe(false);
  });
  test("an empty one waits, and is woken", async () => {
    const queue = new RecordQueue(limits);
    expect(await queue.take(5)).toEqual([]);
    const taken = queue.take(10_000);
    queue.add(emptyRecord("a"), 1, false);
    queue.wake();
    expect((await taken).length).toBe(1);
  });
  test("says when what was added has been dealt with: at the take after the one that gave the last of it", async () => {
    const queue = new RecordQueue(limits);
    const done: string[] = [];
    queue.add(emptyRecord("a"), 1, false);
    queue.add(emptyRecord("b"), 1, false);
    queue.add(emptyRecord("c"), 1, false);
    queue.afterUse(() => done.push("c"));
    await queue.take(0);
    await queue.take(0);
    expect(done).toEqual([]);
    queue.afterUse(() => done.push("nothing since"));
    await queue.take(1);
    expect(done).toEqual(["c", "nothing since"]);
  });
  test("hands out what it has before a failure, which it throws once", async () => {
    const queue = new RecordQueue(limits);
    queue.add(emptyRecord("a"), 1, false);
    queue.fail(new Error("broken"));
    expect((await queue.take(0)).length).toBe(1);
    await expect(queue.take(0)).rejects.toThrow("broken");
    expect(await queue.take(1)).toEqual([]);
  });
});

describe("filters", () => {
  const of = (given: Record<string, string>) => filtersOf(settings(given), ["pg_catalog"]);
  test("match the whole name, without regard to case", () => {
    const f = of({ "table.include.list": "public\\.(a|b),shop\\..*" });
    expect([
      f.table("public", "a"),
      f.table("PUBLIC", "B"),
      f.table("public", "ab"),
      f.table("shop", "x"),
      f.table("pg_catalog", "a"),
    ]).toEqual([true, true, false, true, false]);
  });
  test("schemas, exclusions, columns, the snapshot's own list, the signal table", () => {
    expect(of({ "schema.include.list": "shop" }).table("public", "a")).toBe(false);
    expect(of({ "table.exclude.list": "public.a" }).table("public", "a")).toBe(false);
    expect(of({ "column.include.list": "public.t.(id|n)" }).column("public", "t", "x")).toBe(false);
    expect(of({ "column.exclude.list": "public.t.x" }).column("public", "t", "x")).toBe(false);
    expect(of({ "snapshot.include.collection.list": "public.a" }).snapshot("public", "b")).toBe(false);
    expect(of({ "table.include.list": "public.a", "signal.data.collection": "public.sig" }).table("public", "sig")).toBe(true);
  });
  test("snapshots read tables in the order of table.include.list, else by name; the signal table last", () => {
    const id = (text: string): string => text;
    const all = ["d.b", "d.B", "d.a1", "d.sig", "d.a", "d-e.z", "c.x"];
    expect(of({}).inSnapshotOrder(all, id)).toEqual(["c.x", "d-e.z", "d.B", "d.a", "d.a1", "d.b", "d.sig"]);
    const listed = of({ "table.include.list": "d\\.b,d\\.a.*,c\\.x,d\\.a1", "signal.data.collection": "d.sig" });
    expect(listed.inSnapshotOrder(["d.sig", "d.b", "d.a1", "d.a", "c.x"], id)).toEqual(["d.b", "d.a", "d.a1", "c.x", "d.sig"]);
  });
  test("a comma inside an expression is escaped; what is no expression names its setting", () => {
    expect(splitExpressions("a{1\\,2}, b ,")).toEqual(["a{1,2}", "b"]);
    expect(() => anchored("a(", "table.include.list")).toThrow(/table\.include\.list/);
  });
});

test("message.key.columns gives columns as they are listed, or none at all", () => {
  const keys = messageKeys("public.customers:name,active;(.*).items:c");
  expect(keys("public", "customers", ["id", "active", "name"])).toEqual(["name", "active"]);
  expect(keys("public", "customers", ["id"])).toBeNull();
  expect(keys("shop", "items", ["id", "c"])).toEqual(["c"]);
  expect(keys("public", "other", ["id"])).toBeNull();
  expect(() => messageKeys("nonsense")).toThrow(/message\.key\.columns/);
});
test("message.key.columns: a table's columns come from all rules that name them, and the expression is of the whole name", () => {
  const keys = messageKeys("d.a:nope;(.*).(n.|u.):.*;d.a:y");
  expect(keys("d", "a", ["id", "y"])).toEqual(["y"]);
  // "d_none.a.id" is "d_" "n" "one" … to the second rule: seen with Debezium 3.4.
  expect(keys("d_none", "a", ["id", "y"])).toEqual(["id", "y"]);
  expect(messageKeys("d.a:b;d.a:c,b")("d", "a", ["a", "b", "c"])).toEqual(["b", "c"]);
});

describe("masks", () => {
  const masks = columnMasks(
    settings({
      "column.mask.hash.SHA-256.with.salt.CzQMA0cB5K": "public.m.a",
      "column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K": "public.m.b",
      "column.mask.hash.MD5.with.salt.s": "public.m.c",
      "column.mask.with.3.chars": "public.m.d",
      "column.truncate.to.4.chars": "public.m.t",
    }),
  );
  test("hash the serialised object or the text, cut to the column's length", () => {
    expect(masks("public", "m", "a")?.apply("secret", 20)).toBe("122e56d6f15256f7a553");
    expect(masks("public", "m", "b")?.apply("secret", null)).toBe("8b41ea6bee11d6298cbf86dab70bb64aabef4ff6119d9c929ace2a16123117a5");
    expect(masks("public", "m", "b")?.apply("é😀", null)).toBe("eb3fea9cd057c12555a0aceedc49e45c36e886194632bac4a4a3d6265537a1d8");
    expect(masks("public", "m", "c")?.apply("x", null)).toBe("9ba30586108161dff3c7394dac3f39c3");
    expect(masks("public", "m", "a")?.apply(null, 20)).toBeNull();
  });
  test("asterisks hide NULL as well; truncation does not", () => {
    expect(masks("public", "m", "d")?.apply(null, null)).toBe("***");
    expect(masks("public", "m", "t")?.apply("long text", null)).toBe("long");
    expect(masks("public", "m", "t")?.apply(null, null)).toBeNull();
    expect(masks("public", "m", "other")).toBeNull();
  });
});

describe("names", () => {
  test("of topics hold no characters that Kafka refuses", () => expect(topicName("p.Odd Schema.a/b")).toBe("p.Odd_Schema.a_b"));
  test("for Avro can be undone in avro_unicode", () => {
    expect(nameAdjuster("avro_unicode", false)("pg-odd.2.Odd_Schema")).toBe("pg_u002dodd.2.Odd_u005fSchema");
    expect(nameAdjuster("avro_unicode", true)("1st")).toBe("_u0031st");
    expect(nameAdjuster("avro", true)("1st a")).toBe("_1st_a");
    expect(nameAdjuster("avro_unicode", true)("x.y")).toBe("x_u002ey");
    expect(nameAdjuster("avro", true)("a b")).toBe("a_b");
    expect(nameAdjuster("none", true)("a b")).toBe("a b");
  });
  test("of runs are UUIDs of version 7 with the time in front", () => {
    expect(uuidV7(0x0123456789ab, new Uint8Array(10).fill(0xff))).toBe("01234567-89ab-7fff-bfff-ffffffffffff");
  });
});

test("maps are written in the order of Java's HashMap", () => {
  const keys = ["lsn_proc", "messageType", "lsn", "ts_usec", "lsn_commit", "txId", "transaction_id"];
  expect(inHashMapOrder(keys.map((k) => [k, 1] as const)).map(([k]) => k)).toEqual([
    "transaction_id",
    "lsn_proc",
    "messageType",
    "lsn_commit",
    "lsn",
    "txId",
    "ts_usec",
  ]);
});

test("names of tables in the orders of Java's sets and of a map that others are put into, as the reference wrote them", () => {
  const of = (database: string, tables: string): string[] => tables.split(" ").map((t) => `${database}.${t}`);
  expect(inHashSetOrder(of("x_blocking", "a ck em np"))).toEqual(of("x_blocking", "np a ck em"));
  expect(inHashSetOrder(of("x_snap_order", "a b big e"))).toEqual(of("x_snap_order", "big a b e"));
  expect(inGatheredOrder(of("x_snap_none_lock", "a b big e"))).toEqual(of("x_snap_none_lock", "e b a big"));
});

describe("signals", () => {
  test("that cannot be read are refused instead of guessed", () => {
    expect(snapshotRequest("not json")).toBeNull();
    expect(snapshotRequest(null)).toBeNull();
    expect(snapshotRequest('{"type":"other"}')).toBeNull();
  });
  test("ask for tables, a kind and conditions", () => {
    expect(
      snapshotRequest(
        '{"data-collections":["a.b",3],"type":"BLOCKING","additional-conditions":[{"data-collection":"a.b","filter":"x > 1"},null]}',
      ),
    ).toEqual({
      collections: ["a.b"],
      kind: "blocking",
      conditions: [{ collection: "a.b", filter: "x > 1" }],
      surrogateKey: null,
    });
    expect(logRequest('{"message":"at {}"}', "{lsn}")).toBe("at {lsn}");
  });
});
