/** New cases of Debezium's transforms: envelopes of every operation under every option. */
import {
  fields,
  header,
  logical,
  mapOf,
  optional,
  record,
  schema,
  smt,
  structOf,
  ZOO,
  type Case,
  type JsonObject,
  type Typed,
} from "./zoo.ts";
import type { Json } from "../../golden/tagged.ts";

const T = "io.debezium.transforms.";
const TEXT = schema("STRING");
const [TEXT_VALUE, INT32] = [ZOO["text"], ZOO["int32"]] as [Typed, Typed];

const ROW_FIELDS: { readonly [name: string]: Json } = {
  id: schema("INT32"),
  name: optional("STRING"),
  "odd.name": optional("STRING"),
  price: logical("BYTES", "org.apache.kafka.connect.data.Decimal", { optional: true, parameters: { scale: "2" } }),
  at: { type: "INT64", optional: true, name: "io.debezium.time.MicroTimestamp", version: 1 },
  zoned: { type: "STRING", optional: true, name: "io.debezium.time.ZonedTimestamp", version: 1 },
  flag: optional("BOOLEAN", { default: true }),
};
const row = (id: number, more: JsonObject = {}): Json => ({
  struct: {
    id: { int32: id },
    name: `n${id}`,
    "odd.name": null,
    price: { decimal: "12.50" },
    at: { int64: "1700000000123456" },
    zoned: "2026-03-29T01:30:00.5Z",
    flag: true,
    ...more,
  },
});
const ROW = (name: string): Json => ({ type: "STRUCT", optional: true, name, fields: fields(ROW_FIELDS) });
const SOURCE = schema("STRUCT", {
  name: "io.debezium.connector.postgresql.Source",
  version: 1,
  fields: fields({
    version: TEXT,
    connector: TEXT,
    name: TEXT,
    ts_ms: schema("INT64"),
    snapshot: optional("STRING", {
      name: "io.debezium.data.Enum",
      version: 1,
      default: "false",
      parameters: { allowed: "true,last,false,incremental" },
    }),
    db: TEXT,
    schema: TEXT,
    table: TEXT,
    lsn: optional("INT64"),
  }),
});
const source = (table: string): Json => ({
  struct: {
    version: "3.4.0.Final",
    connector: "postgresql",
    name: "srv",
    ts_ms: { int64: "1700000000000" },
    snapshot: "false",
    db: "db1",
    schema: "public",
    table,
    lsn: { int64: "12345" },
  },
});
const TRANSACTION = optional("STRUCT", {
  name: "event.block",
  version: 1,
  fields: fields({ id: TEXT, total_order: schema("INT64"), data_collection_order: schema("INT64") }),
});

export function envelope(
  op: string,
  before: Json,
  after: Json,
  more: { table?: string; rowSchema?: Json; transaction?: Json } = {},
): Typed {
  const table = more.table ?? "orders";
  const rowSchema = more.rowSchema ?? ROW(`srv.public.${table}.Value`);
  return {
    schema: schema("STRUCT", {
      name: `srv.public.${table}.Envelope`,
      version: 2,
      fields: fields({
        before: rowSchema,
        after: rowSchema,
        source: SOURCE,
        transaction: TRANSACTION,
        op: TEXT,
        ts_ms: optional("INT64"),
        ts_us: optional("INT64"),
        ts_ns: optional("INT64"),
      }),
    }),
    value: {
      struct: {
        before,
        after,
        source: source(table),
        transaction: more.transaction ?? null,
        op,
        ts_ms: { int64: "1700000000500" },
        ts_us: { int64: "1700000000500123" },
        ts_ns: { int64: "1700000000500123456" },
      },
    },
  };
}
const KEY: Typed = {
  schema: schema("STRUCT", { name: "srv.public.orders.Key", fields: fields({ id: schema("INT32") }) }),
  value: { struct: { id: { int32: 1 } } },
};
const topic = "srv.public.orders";
const HEADERS = [header("h", TEXT_VALUE), header("i", INT32), header("__x", { schema: optional("STRING"), value: null })];
const of = (value: Typed | null, more: Parameters<typeof record>[1] = {}): JsonObject =>
  record(value, { key: KEY, topic, headers: HEADERS, ...more });
const INSERT = of(
  envelope("c", null, row(1), {
    transaction: { struct: { id: "571", total_order: { int64: "1" }, data_collection_order: { int64: "2" } } },
  }),
);
const UPDATE = of(envelope("u", row(1), row(1, { name: "other", price: null, flag: null })));
const UPDATE_NO_BEFORE = of(envelope("u", null, row(1)));
const DELETE = of(envelope("d", row(1), null));
const READ = of(envelope("r", null, row(1)));
const TRUNCATE = of(envelope("t", null, null));
const MESSAGE = of(envelope("m", null, null));
const TOMBSTONE = of(null);
const PLAIN = of(structOf({ id: INT32, name: TEXT_VALUE }, { name: "plain" }));
const FOREIGN = [
  of(TEXT_VALUE),
  of({
    schema: null,
    value: {
      map: [
        ["op", "c"],
        ["after", { map: [["id", { int32: 1 }]] }],
      ],
    },
  }),
  of({ schema: null, value: "x" }),
  of(mapOf({ a: INT32 })),
  of({ schema: optional("STRUCT", { name: "x.Envelope", fields: fields({ op: TEXT }) }), value: { struct: { op: "c" } } }),
  of({
    schema: schema("STRUCT", { name: "io.debezium.connector.common.Heartbeat", fields: fields({ ts_ms: schema("INT64") }) }),
    value: { struct: { ts_ms: { int64: "5" } } },
  }),
];
const EVENTS = [INSERT, UPDATE, UPDATE_NO_BEFORE, DELETE, READ, TRUNCATE, MESSAGE, TOMBSTONE, PLAIN];
const PACKAGES: { readonly [name: string]: string } = {
  FieldNameTransformation: "io.debezium.connector.jdbc.transforms.",
  CollectionNameTransformation: "io.debezium.connector.jdbc.transforms.",
  ReadToInsertEvent: "io.debezium.connector.mysql.transforms.",
};
const every = (name: string, configs: readonly { readonly [key: string]: string }[], inputs: readonly Json[] = EVENTS): Case[] =>
  configs.flatMap((config) => inputs.map((i) => smt(`${PACKAGES[name] ?? T}${name}`, config, i)));
const product = (axes: { readonly [key: string]: readonly string[] }): { readonly [key: string]: string }[] => {
  let out: { readonly [key: string]: string }[] = [{}];
  for (const [key, values] of Object.entries(axes)) out = out.flatMap((c) => values.map((v) => (v === "-" ? c : { ...c, [key]: v })));
  return out;
};

const unwrap: Case[] = [
  ...every(
    "ExtractNewRecordState",
    product({
      "delete.tombstone.handling.mode": [
        "-",
        "drop",
        "tombstone",
        "rewrite",
        "rewrite-with-tombstone",
        "delete-to-tombstone",
        "bogus",
        "REWRITE",
      ],
      "add.fields": ["-", "op,table,lsn,source.ts_ms"],
      "drop.fields.from.key": ["-", "true"],
    }),
  ),
  ...every("ExtractNewRecordState", [
    { "add.fields": "op:operation,source.db,transaction.id:tx,before.name" },
    { "add.fields": "missing" },
    { "add.fields": "source.missing" },
    { "add.fields": "ts_us,ts_ns", "add.fields.prefix": "" },
    { "add.fields": "op", "add.fields.prefix": "m_" },
    { "add.fields": "id", "add.fields.prefix": "" },
    { "add.fields": " op , table " },
    { "add.fields": "op:" },
    { "add.fields": "op:a:b" },
    { "add.fields": "op,op" },
    { "add.fields": "schema" },
    { "add.headers": "op,source.table,transaction.total_order" },
    { "add.headers": "op:o,lsn", "add.headers.prefix": "x-" },
    { "add.headers": "missing" },
    { "add.headers": "op", "delete.tombstone.handling.mode": "drop" },
    { "route.by.field": "name" },
    { "route.by.field": "id" },
    { "route.by.field": "missing" },
    { "route.by.field": "name", "delete.tombstone.handling.mode": "rewrite" },
    { "drop.fields.header.name": "h" },
    { "drop.fields.header.name": "i" },
    { "drop.fields.header.name": "none" },
    { "drop.fields.keep.schema.compatible": "false" },
    { "replace.null.with.default": "false" },
    { "delete.tombstone.handling.mode": "rewrite", "replace.null.with.default": "false" },
    { "delete.handling.mode": "rewrite" },
    { "delete.handling.mode": "none", "drop.tombstones": "false" },
    { "drop.tombstones": "true" },
    { "delete.handling.mode": "drop", "drop.tombstones": "false", "add.fields": "op" },
    { "delete.handling.mode": "bogus" },
  ]),
  ...every("ExtractNewRecordState", [{}, { "add.fields": "op" }, { "delete.tombstone.handling.mode": "rewrite" }], FOREIGN),
  ...["changed:name,price", "name", "", "id,missing"].flatMap((list) =>
    every(
      "ExtractNewRecordState",
      [
        { "drop.fields.header.name": "drops" },
        { "drop.fields.header.name": "drops", "drop.fields.keep.schema.compatible": "false", "drop.fields.from.key": "true" },
      ],
      [UPDATE, INSERT, DELETE].map((r) => ({
        ...r,
        headers: [header("drops", { schema: schema("ARRAY", { valueSchema: TEXT }), value: { list: list === "" ? [] : list.split(",") } })],
      })),
    ),
  ),
];
const changed = every(
  "ExtractChangedRecordState",
  [
    {},
    { "header.changed.name": "Changed" },
    { "header.unchanged.name": "Unchanged" },
    { "header.changed.name": "C", "header.unchanged.name": "U" },
    { "header.changed.name": "" },
  ],
  [...EVENTS, ...FOREIGN],
);

const OUTBOX: { readonly [name: string]: Json } = {
  id: { type: "STRING", optional: false, name: "io.debezium.data.Uuid", version: 1 },
  aggregatetype: TEXT,
  aggregateid: TEXT,
  type: TEXT,
  payload: optional("STRING", { name: "io.debezium.data.Json", version: 1 }),
  extra: optional("STRING"),
  num: optional("INT32"),
  created: optional("INT64"),
  micros: { type: "INT64", optional: true, name: "io.debezium.time.MicroTimestamp", version: 1 },
  ver: optional("INT32"),
};
const outboxRow = (payload: string | null, more: JsonObject = {}): Json => ({
  struct: {
    id: "406c07f3-26f0-4eea-a50c-109940064b8f",
    aggregatetype: "Order",
    aggregateid: "10711",
    type: "Created",
    payload,
    extra: "e1",
    num: { int32: 7 },
    created: { int64: "1600000000000" },
    micros: { int64: "1600000000123456" },
    ver: { int32: 3 },
    ...more,
  },
});
const OUTBOX_SCHEMA: Json = { type: "STRUCT", optional: true, name: "srv.public.outbox.Value", fields: fields(OUTBOX) };
const outbox = (op: string, payload: string | null, more: JsonObject = {}, rowSchema: Json = OUTBOX_SCHEMA): JsonObject =>
  record(
    envelope(op, op === "d" ? outboxRow(payload, more) : null, op === "d" ? null : outboxRow(payload, more), {
      table: "outbox",
      rowSchema,
    }),
    { key: KEY, topic: "srv.public.outbox", headers: HEADERS },
  );
const PAYLOADS = [
  '{"a":1,"b":"x","c":[1,2],"d":{"e":true,"f":null}}',
  "[1,2]",
  "[]",
  "{}",
  '[{"a":1},{"b":2},{"c":3,"a":4}]',
  '{"r":[{"a":1},{"a":"x","b":null},{"a":null,"b":2}]}',
  '{"r":[{"a":null},{"a":1}]}',
  '{"r":[{"a":1},{"a":null}]}',
  '{"a":[{"x":1},{"x":2,"y":"z"}]}',
  '{"a":[1,"x"]}',
  '{"a":[[1],[2]]}',
  '{"a":[]}',
  '{"a":1.5,"b":12345678901,"c":1e3}',
  '{"a":null}',
  "plain",
  "",
  " {} ",
  "123",
  '"text"',
  "null",
  "true",
  '{"odd name":1,"é":2}',
  '{"a":123456789012345678901234567890}',
  '{"a":1',
];
const events: Case[] = [
  ...every(
    "outbox.EventRouter",
    [
      {},
      { "table.expand.json.payload": "true" },
      { "table.expand.json.payload": "true", "table.json.payload.null.behavior": "optional_bytes" },
      { "table.expand.json.payload": "true", "table.fields.additional.placement": "extra:envelope" },
    ],
    [...PAYLOADS, null].map((p) => outbox("c", p)),
  ),
  ...every(
    "outbox.EventRouter",
    [
      {},
      { "table.op.invalid.behavior": "warn" },
      { "table.op.invalid.behavior": "error" },
      { "table.op.invalid.behavior": "fatal" },
      { "table.op.invalid.behavior": "bogus" },
      { "table.field.event.id": "type" },
      { "table.field.event.id": "missing" },
      { "table.field.event.key": "type" },
      { "table.field.event.key": "num" },
      { "table.field.event.key": "missing" },
      { "table.field.event.timestamp": "created" },
      { "table.field.event.timestamp": "micros" },
      { "table.field.event.timestamp": "type" },
      { "table.field.event.timestamp": "missing" },
      { "table.field.event.payload": "extra" },
      { "table.field.event.payload": "num" },
      { "table.field.event.payload": "missing" },
      { "table.field.event.schema.version": "ver" },
      { "table.field.event.schema.version": "missing" },
      { "table.field.event.schema.version": "extra" },
      { "route.by.field": "type" },
      { "route.by.field": "num" },
      { "route.by.field": "missing" },
      { "route.topic.regex": "(?<routedByValue>Or)(.*)" },
      { "route.topic.regex": "(O)(.*)", "route.topic.replacement": "x.$1.$2" },
      { "route.topic.replacement": "fixed" },
      { "route.topic.replacement": "${routedByValue}-${routedByValue}" },
      { "route.topic.regex": "(" },
      { "route.tombstone.on.empty.payload": "true" },
      { "table.fields.additional.placement": "type:header" },
      { "table.fields.additional.placement": "type:header:eventType,extra:envelope:e,num:header:n" },
      { "table.fields.additional.placement": "num:envelope,missing:header" },
      { "table.fields.additional.placement": "num:partition" },
      { "table.fields.additional.placement": "num:partition,extra:header" },
      { "table.fields.additional.placement": "extra:partition" },
      { "table.fields.additional.placement": "num" },
      { "table.fields.additional.placement": "num:bogus" },
      { "table.fields.additional.placement": "num:header:" },
      {
        "table.fields.additional.placement": "extra:envelope",
        "table.field.event.schema.version": "ver",
        "table.field.event.timestamp": "created",
      },
      { "table.fields.additional.error.on.missing": "false", "table.fields.additional.placement": "missing:header,type:header" },
      { "table.field.event.type": "type" },
    ],
    [
      outbox("c", '{"a":1}'),
      outbox("c", null),
      outbox("c", "", { extra: null, num: null, created: null }),
      outbox("u", "x"),
      outbox("d", "x"),
      outbox("r", "x"),
      TOMBSTONE,
      PLAIN,
    ],
  ),
  ...every("outbox.EventRouter", [{}], FOREIGN),
];
const tables: Case[] = every(
  "ByLogicalTableRouter",
  [
    {},
    { "topic.regex": "(.*)orders(.*)", "topic.replacement": "$1all$2" },
    { "topic.regex": "(.*)\\.(.*)\\.(.*)", "topic.replacement": "$1_$3" },
    { "topic.regex": "nothing", "topic.replacement": "x" },
    { "topic.regex": "(.*)", "topic.replacement": "" },
    { "topic.regex": "(", "topic.replacement": "x" },
    { "topic.regex": "(.*)", "topic.replacement": "$1", "key.enforce.uniqueness": "false" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "key.enforce.uniqueness": "false" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "key.field.name": "shard" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "key.field.regex": "srv\\.(.*)\\.(.*)", "key.field.replacement": "$2" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "key.field.regex": "srv\\.(.*)" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "key.field.regex": "nothing(.*)", "key.field.replacement": "$1" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "schema.name.adjustment.mode": "avro" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1-a b", "schema.name.adjustment.mode": "avro_unicode" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1-a b" },
    { "topic.regex": "(.*)orders", "topic.replacement": "$1all", "logical.table.cache.size": "0" },
    { "topic.replacement": "x" },
    { "topic.regex": "x" },
  ],
  [
    INSERT,
    UPDATE,
    DELETE,
    TOMBSTONE,
    PLAIN,
    { ...INSERT, key: { schema: null, value: null } },
    { ...INSERT, key: { ...TEXT_VALUE } },
    ...FOREIGN.slice(0, 3),
  ],
);
const partitions: Case[] = every(
  "partitions.PartitionRouting",
  [
    {},
    { "partition.payload.fields": "change.id", "partition.topic.num": "5" },
    { "partition.payload.fields": "change.name,change.price", "partition.topic.num": "7" },
    { "partition.payload.fields": "after.id", "partition.topic.num": "5" },
    { "partition.payload.fields": "before.id", "partition.topic.num": "5" },
    { "partition.payload.fields": "source.table", "partition.topic.num": "5" },
    { "partition.payload.fields": "op", "partition.topic.num": "5" },
    { "partition.payload.fields": "change.missing", "partition.topic.num": "5" },
    { "partition.payload.fields": "change.missing,change.id", "partition.topic.num": "5" },
    { "partition.payload.fields": "change.name", "partition.topic.num": "11", "partition.hash.function": "murmur" },
    { "partition.payload.fields": "change.name,change.id", "partition.topic.num": "11", "partition.hash.function": "murmur" },
    { "partition.payload.fields": "change.name", "partition.topic.num": "11", "partition.hash.function": "bogus" },
    { "partition.payload.fields": "change.at,change.flag", "partition.topic.num": "1000" },
    { "partition.payload.fields": "change.id", "partition.topic.num": "0" },
    { "partition.payload.fields": "change.id", "partition.topic.num": "-3" },
    { "partition.payload.fields": "", "partition.topic.num": "3" },
    { "partition.payload.fields": "change.id", "partition.topic.num": "x" },
    { "partition.payload.fields": "change.`odd.name`,change.name", "partition.topic.num": "13" },
  ],
  [...EVENTS, ...FOREIGN.slice(0, 2)],
);
const headers: Case[] = every(
  "HeaderToValue",
  [
    {},
    { headers: "h", fields: "f", operation: "copy" },
    { headers: "h", fields: "f", operation: "move" },
    { headers: "h,i", fields: "after.f,g", operation: "copy" },
    { headers: "h,i", fields: "f", operation: "copy" },
    { headers: "none", fields: "f", operation: "copy" },
    { headers: "h", fields: "source.f", operation: "move" },
    { headers: "h", fields: "missing.f", operation: "move" },
    { headers: "h", fields: "op", operation: "copy" },
    { headers: "h", fields: "after.name", operation: "copy" },
    { headers: "__x", fields: "n", operation: "copy" },
    { headers: "h", fields: "f", operation: "bogus" },
    { headers: "", fields: "", operation: "copy" },
    { headers: " h , i ", fields: " a , b ", operation: "COPY" },
  ],
  [...EVENTS, ...FOREIGN],
);
const schemas = every("ExtractSchemaToNewRecord", [{}, { fields: "x" }], [...EVENTS, ...FOREIGN]);

const TEMPORAL: { readonly [name: string]: Typed } = {
  date: { schema: { type: "INT32", optional: true, name: "io.debezium.time.Date", version: 1 }, value: { int32: 20000 } },
  time: { schema: { type: "INT32", optional: true, name: "io.debezium.time.Time", version: 1 }, value: { int32: 3_600_000 } },
  microTime: { schema: { type: "INT64", optional: true, name: "io.debezium.time.MicroTime", version: 1 }, value: { int64: "3600000000" } },
  nanoTime: { schema: { type: "INT64", optional: true, name: "io.debezium.time.NanoTime", version: 1 }, value: { int64: "3600000000000" } },
  timestamp: {
    schema: { type: "INT64", optional: true, name: "io.debezium.time.Timestamp", version: 1 },
    value: { int64: "1774747800123" },
  },
  microTimestamp: {
    schema: { type: "INT64", optional: true, name: "io.debezium.time.MicroTimestamp", version: 1 },
    value: { int64: "1774747800123456" },
  },
  nanoTimestamp: {
    schema: { type: "INT64", optional: true, name: "io.debezium.time.NanoTimestamp", version: 1 },
    value: { int64: "1774747800123456789" },
  },
  negative: {
    schema: { type: "INT64", optional: true, name: "io.debezium.time.MicroTimestamp", version: 1 },
    value: { int64: "-1500000001" },
  },
  isoDate: { schema: { type: "STRING", optional: true, name: "io.debezium.time.IsoDate", version: 1 }, value: "2026-03-29Z" },
  isoTime: { schema: { type: "STRING", optional: true, name: "io.debezium.time.IsoTime", version: 1 }, value: "01:30:00Z" },
  isoTimestamp: {
    schema: { type: "STRING", optional: true, name: "io.debezium.time.IsoTimestamp", version: 1 },
    value: "2026-03-29T01:30:00.123456Z",
  },
  zoned: {
    schema: { type: "STRING", optional: true, name: "io.debezium.time.ZonedTimestamp", version: 1 },
    value: "2026-03-29T01:30:00.5Z",
  },
  zonedOffset: {
    schema: { type: "STRING", optional: true, name: "io.debezium.time.ZonedTimestamp", version: 1 },
    value: "2026-07-01T12:00:00+05:30",
  },
  zonedTime: { schema: { type: "STRING", optional: true, name: "io.debezium.time.ZonedTime", version: 1 }, value: "01:30:00Z" },
  connectDate: ZOO["date"] as Typed,
  connectTime: ZOO["time"] as Typed,
  connectTimestamp: ZOO["timestamp"] as Typed,
  nothing: { schema: { type: "STRING", optional: true, name: "io.debezium.time.ZonedTimestamp", version: 1 }, value: null },
  text: TEXT_VALUE,
};
const temporalRow = structOf(TEMPORAL, { name: "srv.public.orders.Value" });
const TEMPORAL_EVENT = of(
  envelope("u", temporalRow.value, temporalRow.value, { rowSchema: { ...(temporalRow.schema as JsonObject), optional: true } }),
);
const zones: Case[] = every(
  "TimezoneConverter",
  [
    {},
    ...[
      "Europe/Berlin",
      "+05:30",
      "-08",
      "UTC",
      "Z",
      "GMT+2",
      "America/New_York",
      "bogus",
      "",
      "Asia/Kolkata",
      "+18:00",
      "+19:00",
      "EST",
    ].map((z) => ({ "converted.timezone": z })),
    { "converted.timezone": "Europe/Berlin", "include.list": "source:orders:zoned" },
    { "converted.timezone": "Europe/Berlin", "include.list": "source:orders" },
    { "converted.timezone": "Europe/Berlin", "include.list": "topic:srv.public.orders:timestamp,zoned" },
    { "converted.timezone": "Europe/Berlin", "include.list": "zoned" },
    { "converted.timezone": "Europe/Berlin", "exclude.list": "source:orders:zoned" },
    { "converted.timezone": "Europe/Berlin", "exclude.list": "orders" },
    { "converted.timezone": "Europe/Berlin", "exclude.list": "topic:other" },
    { "converted.timezone": "Europe/Berlin", "include.list": "a:b:c:d" },
    { "converted.timezone": "Europe/Berlin", "include.list": "zoned", "exclude.list": "zoned" },
  ],
  [TEMPORAL_EVENT, of(temporalRow), DELETE, TOMBSTONE, FOREIGN[1] ?? null],
);

const CHANGE = schema("STRUCT", { name: "io.debezium.connector.schema.Change", fields: fields({ type: TEXT, id: TEXT }) });
const schemaChange = (types: readonly string[]): JsonObject =>
  of({
    schema: schema("STRUCT", {
      name: "io.debezium.connector.mysql.SchemaChangeValue",
      version: 1,
      fields: fields({
        source: SOURCE,
        databaseName: optional("STRING"),
        ddl: optional("STRING"),
        tableChanges: schema("ARRAY", { valueSchema: CHANGE }),
      }),
    }),
    value: {
      struct: {
        source: source("orders"),
        databaseName: "db",
        ddl: "x",
        tableChanges: { list: types.map((type) => ({ struct: { type, id: "db.t" } })) },
      },
    },
  });
const changes: Case[] = every(
  "SchemaChangeEventFilter",
  [
    {},
    ...["CREATE", "ALTER,DROP", "create", "", "bogus", " DROP , CREATE ", "TRUNCATE"].map((list) => ({
      "schema.change.event.exclude.list": list,
    })),
  ],
  [
    schemaChange(["CREATE"]),
    schemaChange(["ALTER"]),
    schemaChange(["DROP"]),
    schemaChange(["CREATE", "ALTER"]),
    schemaChange([]),
    INSERT,
    TOMBSTONE,
    FOREIGN[1] ?? null,
  ],
);
const others: Case[] = [
  ...every("ReadToInsertEvent", [{}], [...EVENTS, ...FOREIGN]),
  ...every(
    "FieldNameTransformation",
    [
      {},
      ...["none", "lower_case", "upper_case", "camel_case", "snake_case", "kebab_case", "UPPER_CASE", "bogus"].flatMap((s) => [
        { "column.naming.style": s },
        { "column.naming.style": s, "column.naming.prefix": "p_", "column.naming.suffix": "_s" },
      ]),
    ],
    [INSERT, DELETE, TOMBSTONE, PLAIN],
  ),
  ...every(
    "CollectionNameTransformation",
    [
      {},
      ...["none", "lower_case", "upper_case", "camel_case", "snake_case", "kebab_case", "bogus"].flatMap((s) => [
        { "collection.naming.style": s },
        { "collection.naming.style": s, "collection.naming.prefix": "p_", "collection.naming.suffix": "_s" },
      ]),
    ],
    [INSERT, TOMBSTONE, PLAIN, { ...INSERT, topic: "MyTopic.some_Name-x" }],
  ),
];
const VECTORS = structOf(
  {
    d: {
      schema: { type: "ARRAY", optional: true, name: "io.debezium.data.DoubleVector", version: 1, valueSchema: schema("FLOAT64") },
      value: { list: [{ float64: 1.5 }, { float64: 1e21 }] },
    },
    f: {
      schema: { type: "ARRAY", optional: true, name: "io.debezium.data.FloatVector", version: 1, valueSchema: schema("FLOAT32") },
      value: { list: [{ float32: 0.1 }, { float32: 2 }] },
    },
    n: {
      schema: { type: "ARRAY", optional: true, name: "io.debezium.data.FloatVector", version: 1, valueSchema: schema("FLOAT32") },
      value: null,
    },
    s: {
      schema: {
        type: "STRUCT",
        optional: true,
        name: "io.debezium.data.SparseDoubleVector",
        version: 1,
        fields: fields({
          dimensions: schema("INT16"),
          vector: schema("MAP", { keySchema: schema("INT16"), valueSchema: schema("FLOAT64") }),
        }),
      },
      value: {
        struct: {
          dimensions: { int16: 25 },
          vector: {
            map: [
              [{ int16: 1 }, { float64: 10 }],
              [{ int16: 11 }, { float64: 0.25 }],
            ],
          },
        },
      },
    },
    t: TEXT_VALUE,
  },
  { name: "srv.public.orders.Value" },
);
const vectors = every(
  "VectorToJsonConverter",
  [{}],
  [
    of(VECTORS),
    of(envelope("c", null, VECTORS.value, { rowSchema: { ...(VECTORS.schema as JsonObject), optional: true } })),
    TOMBSTONE,
    FOREIGN[1] ?? null,
  ],
);

export const debeziumTransformCases = (): readonly Case[] => [
  ...unwrap,
  ...changed,
  ...events,
  ...tables,
  ...partitions,
  ...headers,
  ...schemas,
  ...zones,
  ...changes,
  ...others,
  ...vectors,
];
