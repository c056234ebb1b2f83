/** New cases of Kafka's own transforms and predicates: every option over values of every type. */
import { header, mapOf, optional, record, schema, smt, structOf, TIMESTAMP, ZOO, type Case, type Typed } from "./zoo.ts";

const P = "org.apache.kafka.connect.transforms.";
const TOMBSTONE = record(null, { key: { schema: schema("STRING"), value: "k" } });
const all = Object.values(ZOO);
const pick = (...names: string[]): Typed[] => names.map((n) => ZOO[n]).filter((t) => t !== undefined);
const [INT32, INT64MS, TEXT, STRUCT, TIMESTAMP_VALUE] = pick("int32", "int64ms", "text", "struct", "timestamp") as [
  Typed,
  Typed,
  Typed,
  Typed,
  Typed,
];
const WIDE = structOf(ZOO, { name: "wide", version: 2, doc: "all" });
// Without the map that Flatten refuses: which refusal comes first is up to the hash map's order.
const WIDE_MAP = mapOf(Object.fromEntries(Object.entries(ZOO).filter(([name]) => name !== "intMap")));
const NEST = {
  a: TEXT,
  "b.c": INT32,
  deep: structOf({ "x.y": TEXT, "tick`": TEXT, arr: ZOO["list"] ?? TEXT, more: structOf({ z: INT64MS }) }),
  none: ZOO["nothing"] ?? TEXT,
};
const OPTIONAL_STRUCT: Typed = { schema: optional("STRUCT", { fields: [{ name: "q", schema: schema("INT32") }] }), value: null };
const SHAPES: readonly Typed[] = [
  WIDE,
  WIDE_MAP,
  structOf({ ...NEST, gone: OPTIONAL_STRUCT }),
  mapOf(NEST),
  OPTIONAL_STRUCT,
  { schema: null, value: null },
  { schema: null, value: "text" },
  TEXT,
  { schema: null, value: { map: [] } },
  { schema: null, value: { list: ["a"] } },
];
const over = (name: string, configs: readonly { readonly [key: string]: string }[], shapes: readonly Typed[] = SHAPES): Case[] =>
  configs.flatMap((config) => [
    ...shapes.map((s) => smt(`${P}${name}$Value`, config, record(s))),
    ...shapes.slice(0, 4).map((s) => smt(`${P}${name}$Key`, config, record(TEXT, { key: s }))),
  ]);

const CAST_TYPES = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"];
const casts: Case[] = [
  ...CAST_TYPES.flatMap((type) =>
    all.flatMap((t) => [
      smt(`${P}Cast$Value`, { spec: type }, record(t)),
      smt(`${P}Cast$Value`, { spec: type }, record({ schema: null, value: t.value })),
    ]),
  ).filter((c) => !JSON.stringify(c.case["input"]).includes('"schema":null,"value":{"struct"')),
  ...CAST_TYPES.flatMap((type) =>
    Object.keys(ZOO).flatMap((name) => {
      const t = ZOO[name] ?? TEXT;
      return [
        smt(
          `${P}Cast$Value`,
          { spec: `f:${type}`, "replace.null.with.default": name.length % 2 === 0 ? "true" : "false" },
          record(structOf({ f: t, g: TEXT })),
        ),
        smt(`${P}Cast$Value`, { spec: `f:${type},g:string` }, record(mapOf({ f: t, g: INT32 }))),
      ];
    }),
  ),
  ...[
    "",
    "int32,int64",
    "f:int32,f",
    "f:",
    ":int32",
    "f:bytes",
    "a:int32,b",
    "INT32",
    "f:int8:x",
    "f:array",
    " f : int8 ",
    "missing:int8",
    "boolean,f:int8",
  ].map((spec) => smt(`${P}Cast$Value`, { spec }, record(structOf({ f: INT32, b: TEXT })))),
  smt(`${P}Cast$Value`, {}, record(TEXT)),
  smt(`${P}Cast$Key`, { spec: "string" }, record(TEXT, { key: INT32 })),
  smt(`${P}Cast$Value`, { spec: "string" }, TOMBSTONE),
];

const STAMPS = ["string", "unix", "Date", "Time", "Timestamp"];
const FORMATS = [
  "yyyy-MM-dd HH:mm:ss.SSS",
  "yyyy-MM-dd",
  "HH:mm:ss",
  "EEE, d MMM yyyy HH:mm:ss Z",
  "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  "yy/M/d h:mm a",
  "dd-MMMM-yyyy G",
  "D w W F E u k K z",
  "yyyyy.MMMMM.dd GGG hh:mm aaa",
  "''yyyy''",
  "Y-'W'ww",
  "S SS SSSS",
];
const MOMENTS = [
  "2026-02-28 23:59:59.5",
  "2026-02-28",
  "12:34:56",
  "Sat, 28 Feb 2026 01:02:03 +0200",
  "2026-02-28T01:02:03.004+05:30",
  "26/2/8 1:05 PM",
  "nonsense",
  "",
  "2026-13-45",
  "2026-2-3 4:5:6.7",
  "2026-02-28 23:59:59.500 tail",
];
const timestamps: Case[] = [
  ...STAMPS.flatMap((target) =>
    pick(
      "int32",
      "int64ms",
      "int64",
      "moment",
      "date",
      "time",
      "timestamp",
      "before1970",
      "nothing",
      "float64",
      "decimal",
      "text",
      "zero",
      "struct",
    ).flatMap((t) =>
      ["milliseconds", "seconds", "microseconds", "nanoseconds"].flatMap((precision) => {
        const config = { "target.type": target, format: "yyyy-MM-dd HH:mm:ss.S", "unix.precision": precision };
        return [
          smt(`${P}TimestampConverter$Value`, config, record(t)),
          smt(`${P}TimestampConverter$Value`, { ...config, field: "f" }, record(structOf({ f: t, g: TEXT }))),
          ...(precision.startsWith("m") && t !== STRUCT
            ? [smt(`${P}TimestampConverter$Value`, config, record({ schema: null, value: t.value }))]
            : []),
          ...(precision.startsWith("s") ? [smt(`${P}TimestampConverter$Value`, { ...config, field: "f" }, record(mapOf({ f: t })))] : []),
        ];
      }),
    ),
  ),
  ...FORMATS.flatMap((format) =>
    pick("timestamp", "before1970", "int64ms").map((t) =>
      smt(`${P}TimestampConverter$Value`, { "target.type": "string", format }, record(t)),
    ),
  ),
  ...FORMATS.flatMap((format) =>
    MOMENTS.map((value) =>
      smt(`${P}TimestampConverter$Value`, { "target.type": "unix", format }, record({ schema: schema("STRING"), value })),
    ),
  ),
  ...["string", "bogus", "DATE", "TIMESTAMP"].map((t) => smt(`${P}TimestampConverter$Value`, { "target.type": t }, record(INT64MS))),
  smt(`${P}TimestampConverter$Value`, {}, record(INT64MS)),
  smt(`${P}TimestampConverter$Value`, { "target.type": "string", format: "bogus" }, record(INT64MS)),
  smt(`${P}TimestampConverter$Value`, { "target.type": "unix", "unix.precision": "hours" }, record(TEXT)),
  smt(`${P}TimestampConverter$Value`, { "target.type": "unix", field: "" }, record(TIMESTAMP_VALUE)),
  smt(`${P}TimestampConverter$Value`, { "target.type": "unix", field: "no" }, record(structOf({ f: TIMESTAMP_VALUE }))),
  smt(`${P}TimestampConverter$Value`, { "target.type": "unix", field: "no" }, record(mapOf({ f: TIMESTAMP_VALUE }))),
  ...["true", "false"].flatMap((replace) =>
    STAMPS.map((target) =>
      smt(
        `${P}TimestampConverter$Value`,
        { "target.type": target, field: "f", format: "yyyy", "replace.null.with.default": replace },
        record(
          structOf({
            f: { schema: optional("INT64", { name: TIMESTAMP, version: 1, default: { date: 86_400_000 } }), value: null },
            g: TEXT,
          }),
        ),
      ),
    ),
  ),
];

const replaces = over("ReplaceField", [
  {},
  { exclude: "int8,text,missing" },
  { include: "int8,text,missing" },
  { renames: "int8:i,text:t" },
  { include: "int8,text", renames: "int8:i", exclude: "text" },
  { include: "a,deep", renames: "a:A,deep:D" },
  { exclude: "withDefault", "replace.null.with.default": "false" },
  { exclude: "int8", "replace.null.with.default": "true" },
  { renames: "int8" },
  { renames: "int8:a:b" },
  { renames: "int8:text" },
  { renames: ":x" },
]);
const masks = over(
  "MaskField",
  [
    {},
    { fields: "" },
    ...[
      "int8",
      "int16",
      "int32",
      "int64",
      "float32",
      "float64",
      "true",
      "text",
      "bytes",
      "list",
      "map",
      "struct",
      "decimal",
      "date",
      "time",
      "timestamp",
      "nothing",
      "withDefault",
      "missing",
      "named",
    ].map((f) => ({ fields: f })),
    ...["int8", "int16", "int32", "int64", "float32", "float64", "true", "text", "bytes", "decimal", "date", "nothing", "missing"].flatMap(
      (f) => ["1", "abc", "", "1.5", "300", "-1"].map((replacement) => ({ fields: f, replacement })),
    ),
    { fields: "withDefault,text", replacement: "5", "replace.null.with.default": "false" },
  ],
  [WIDE, WIDE_MAP, TEXT, { schema: null, value: null }],
);
const flattens = over(
  "Flatten",
  [{}, { delimiter: "_" }, { delimiter: "" }, { delimiter: "--" }],
  [
    ...SHAPES,
    structOf({ s: OPTIONAL_STRUCT, t: structOf({ u: structOf({ v: TEXT }), w: ZOO["withDefault"] ?? TEXT }) }),
    {
      schema: optional("STRUCT", {
        fields: [
          { name: "a", schema: optional("STRUCT", { fields: [{ name: "b", schema: schema("INT32", { default: { int32: 4 } }) }] }) },
        ],
      }),
      value: { struct: { a: null } },
    },
    mapOf({
      s: {
        schema: null,
        value: {
          map: [
            ["k", { list: ["x"] }],
            ["m", { map: [["n", null]] }],
          ],
        },
      },
    }),
    { schema: null, value: { map: [[{ int32: 1 }, "x"]] } },
  ],
);
const hoists = over("HoistField", [{}, { field: "h" }, { field: "" }, { field: "a.b" }]);
const inserts = over("InsertField", [
  {},
  { "topic.field": "t", "partition.field": "p", "timestamp.field": "ts" },
  { "topic.field": "t!", "partition.field": "p!", "timestamp.field": "ts!" },
  { "topic.field": "t?", "partition.field": "p?", "timestamp.field": "ts?" },
  { "static.field": "s", "static.value": "v" },
  { "static.field": "s!", "static.value": "" },
  { "static.field": "text", "static.value": "over" },
  { "static.value": "v" },
  { "topic.field": "same", "static.field": "same", "static.value": "v" },
  { "topic.field": "?" },
  { "static.field": "s", "static.value": "v", "replace.null.with.default": "false" },
]);
const sinkInserts = [
  smt(`${P}InsertField$Value`, { "offset.field": "o!", "timestamp.field": "ts!" }, record(WIDE, { sink: true })),
  smt(`${P}InsertField$Value`, { "offset.field": "o", "timestamp.field": "ts!" }, record(WIDE_MAP, { sink: true, timestamp: null })),
  smt(`${P}InsertField$Value`, { "timestamp.field": "ts!" }, record(structOf({ a: TEXT }), { timestamp: null })),
  smt(`${P}InsertField$Value`, { "timestamp.field": "ts?" }, record(structOf({ a: TEXT }), { timestamp: null })),
  smt(`${P}InsertField$Value`, { "offset.field": "o" }, record(structOf({ a: TEXT }))),
  smt(`${P}InsertField$Value`, { "offset.field": "o" }, record(mapOf({ a: TEXT }))),
  smt(`${P}InsertField$Value`, { "topic.field": "t", "replace.null.with.default": "true" }, record(null, { sink: true })),
];
const PATHS = [
  "int8",
  "a",
  "deep",
  "deep.more",
  "deep.more.z",
  "deep.x.y",
  "deep.`x.y`",
  "`b.c`",
  "b.c",
  "deep.`tick\\``",
  "deep.tick`",
  "`deep`.more.z",
  "deep.arr",
  "deep.arr.0",
  "none.x",
  "gone.q",
  "struct.x",
  "struct.`a.b`",
  "missing",
  "deep.missing.z",
  "`unclosed",
  "`a`b",
  "deep..z",
  "",
  ".",
  "a.",
  "`a`.",
  "``",
  "a`b`",
];
const extracts = [
  ...over(
    "ExtractField",
    PATHS.flatMap((field) => [{ field }, { field, "field.syntax.version": "V2" }]),
    SHAPES.slice(0, 6),
  ),
  ...over(
    "ExtractField",
    [
      {},
      { field: "a", "field.syntax.version": "V3" },
      { field: "a", "field.syntax.version": "v2" },
      { field: "withDefault", "replace.null.with.default": "false" },
      { field: "withDefault" },
    ],
    SHAPES.slice(0, 2),
  ),
];
const keys = [
  { fields: "a" },
  { fields: "a,b.c" },
  { fields: "int8,struct,list" },
  { fields: "missing" },
  { fields: "" },
  {},
  { fields: "a,a" },
  { fields: "withDefault" },
  { fields: "withDefault", "replace.null.with.default": "false" },
].flatMap((config) => SHAPES.map((s) => smt(`${P}ValueToKey`, config, record(s, { key: TEXT }))));

const HEADERS = [header("h", TEXT), header("i", INT32), header("h", STRUCT), header("", ZOO["nothing"] ?? TEXT)];
const headerCases: Case[] = [
  ...["move", "copy", "bogus", ""].flatMap((operation) =>
    [
      { fields: "a,text", headers: "A,T" },
      { fields: "a", headers: "h" },
      { fields: "a,missing", headers: "x,y" },
      { fields: "a", headers: "x,y" },
      { fields: "withDefault,nothing", headers: "d,n" },
      { fields: "a,a", headers: "x,y" },
      {},
    ].flatMap((c) => SHAPES.map((s) => smt(`${P}HeaderFrom$Value`, { ...c, operation }, record(s, { headers: HEADERS })))),
  ),
  smt(`${P}HeaderFrom$Key`, { fields: "a", headers: "A", operation: "move" }, record(TEXT, { key: structOf(NEST) })),
  smt(
    `${P}HeaderFrom$Value`,
    { fields: "withDefault", headers: "A", operation: "copy", "replace.null.with.default": "false" },
    record(WIDE),
  ),
  ...["h", "i,h", "none", "", " h ", "H"].map((names) => smt(`${P}DropHeaders`, { headers: names }, record(TEXT, { headers: HEADERS }))),
  smt(`${P}DropHeaders`, {}, record(TEXT)),
  ...[
    "1",
    "1.5",
    "true",
    "text",
    "null",
    "[1,2]",
    '{"a":1}',
    "2026-01-01",
    "12:00:00.000Z",
    "2026-01-01T00:00:00.000Z",
    '"quoted"',
    " 7 ",
    "",
    "1e3",
    "99999999999999999999",
    "[1,2.5]",
    '[1,"a"]',
    "{1:2}",
  ].map((literal) => smt(`${P}InsertHeader`, { header: "x", "value.literal": literal }, record(TEXT, { headers: HEADERS }))),
  smt(`${P}InsertHeader`, { header: "x" }, record(TEXT)),
  smt(`${P}InsertHeader`, { "value.literal": "1" }, record(TEXT)),
  smt(`${P}InsertHeader`, { header: "", "value.literal": "1" }, record(TEXT)),
];

const ROUTES: readonly (readonly [string, string])[] = [
  ["(.*)", "x-$1"],
  ["o(.)d(.*)", "$2$1"],
  ["orders", "$0$0"],
  ["order", "never"],
  ["(?<n>ord).*", "${n}!"],
  ["(ord)(x)?.*", "$1$2"],
  ["(", "x"],
  [".*", "$9"],
  [".*", "\\$1"],
  [".*", "a\\"],
  ["(?i)ORDERS", "ok"],
  ["\\Qorders\\E", "q"],
  ["[a-z&&[^x]]+", "and"],
  ["\\p{Lower}+", "low"],
  [".*", ""],
  ["(a)?orders", "<$1>"],
  ["or(?=d).*", "look"],
  ["^orders$", "anchored"],
  ["ord\\w++", "possessive"],
  [".*", "${missing}"],
  [".*", "$"],
];
const routes: Case[] = [
  ...ROUTES.map(([regex, replacement]) => smt(`${P}RegexRouter`, { regex, replacement }, record(TEXT))),
  smt(`${P}RegexRouter`, { regex: "a" }, record(TEXT)),
  smt(`${P}RegexRouter`, { replacement: "a" }, record(TEXT)),
  ...["${topic}-${timestamp}", "${timestamp}", "fixed", "${topic}${topic}", "$1-${topic}", "", "${other}"].flatMap((format) =>
    ["yyyyMMdd", "yyyy-MM-dd HH", "'q'yy", "EEE", "bogus", ""].map((stamp) =>
      smt(`${P}TimestampRouter`, { "topic.format": format, "timestamp.format": stamp }, record(TEXT)),
    ),
  ),
  smt(`${P}TimestampRouter`, {}, record(TEXT, { topic: "a$1\\b" })),
  smt(`${P}TimestampRouter`, {}, record(TEXT, { timestamp: -1 })),
];
const metadata = over("SetSchemaMetadata", [
  {},
  { "schema.name": "n" },
  { "schema.version": "3" },
  { "schema.name": "n", "schema.version": "-1" },
  { "schema.version": "x" },
  { "schema.name": "" },
  { "schema.name": "n", "replace.null.with.default": "false" },
]);
const predicates: Case[] = [
  ...["h", "none", "", "H"].map((name) =>
    smt(`${P}Filter`, {}, record(TEXT, { headers: HEADERS }), {
      predicate: { class: `${P}predicates.HasHeaderKey`, config: { name }, negate: false },
    }),
  ),
  ...["orders", "ord", "o.*", "(", "", "ORDERS", "(?i)ORDERS"].map((pattern) =>
    smt(`${P}Filter`, {}, record(TEXT), { predicate: { class: `${P}predicates.TopicNameMatches`, config: { pattern }, negate: true } }),
  ),
  ...[TOMBSTONE, record(TEXT), record({ schema: schema("STRING"), value: "" }), record({ schema: optional("STRING"), value: null })].map(
    (r) => smt(`${P}Filter`, {}, r, { predicate: { class: `${P}predicates.RecordIsTombstone`, config: {}, negate: false } }),
  ),
  smt(`${P}Filter`, {}, record(TEXT), { predicate: { class: `${P}predicates.HasHeaderKey`, config: {} } }),
  smt(`${P}Filter`, {}, record(TEXT), { predicate: { class: `${P}predicates.TopicNameMatches`, config: {} } }),
];

export const kafkaTransformCases = (): readonly Case[] => [
  ...casts,
  ...timestamps,
  ...replaces,
  ...masks,
  ...flattens,
  ...hoists,
  ...inserts,
  ...sinkInserts,
  ...extracts,
  ...keys,
  ...headerCases,
  ...routes,
  ...metadata,
  ...predicates,
];
