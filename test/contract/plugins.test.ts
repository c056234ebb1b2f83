/** Our own transforms and converters keep the contracts that those of others have to keep. */
import { describe } from "vitest";
import { BOOLEAN, FLOAT64, INT32, INT64, OPTIONAL_STRING, primitive, STRING, structOf, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { converters, transforms } from "#plugins/index";
import { converterContract } from "./converter-contract.ts";
import { transformContract } from "./transform-contract.ts";

const ROW = structOf([
  ["id", INT64],
  ["name", OPTIONAL_STRING],
  ["at", INT64],
]);
const record = {
  topic: "t",
  partition: 1,
  keySchema: STRING,
  key: "k",
  valueSchema: ROW,
  value: new Struct(ROW, [1n, "n", 1_700_000_000_000n]),
  timestamp: 5,
  headers: [{ key: "h", schema: STRING, value: "x" }],
  sourcePartition: { p: 1 },
  sourceOffset: { o: 2 },
};
const KAFKA = "org.apache.kafka.connect.transforms.";
type Settings = Readonly<Record<string, string>>;
const TRANSFORMS: readonly (readonly [className: string, config: Settings, wrong?: Settings])[] = [
  ["Cast$Value", { spec: "id:string" }, { spec: "id:nonsense" }],
  ["DropHeaders", { headers: "h" }],
  ["ExtractField$Value", { field: "name" }, { field: "name", "field.syntax.version": "V9" }],
  ["Filter", {}],
  ["Flatten$Value", { delimiter: "_" }],
  ["HeaderFrom$Value", { fields: "name", headers: "n", operation: "move" }, { fields: "name", headers: "n", operation: "steal" }],
  ["HoistField$Value", { field: "row" }, {}],
  ["InsertField$Value", { "static.field": "s", "static.value": "v" }, {}],
  ["InsertHeader", { header: "x", "value.literal": "1" }, {}],
  ["MaskField$Value", { fields: "name" }, { fields: "" }],
  ["RegexRouter", { regex: "(.*)", replacement: "x-$1" }, { regex: "(", replacement: "x" }],
  ["ReplaceField$Value", { renames: "id:key" }, { renames: "id" }],
  ["SetSchemaMetadata$Value", { "schema.name": "n" }],
  ["TimestampConverter$Value", { field: "at", "target.type": "Timestamp" }, { "target.type": "Never" }],
  ["TimestampRouter", {}],
  ["ValueToKey", { fields: "id" }, {}],
];
for (const [name, config, wrong] of TRANSFORMS)
  describe(name, () => {
    const className = KAFKA + name;
    const plugin = transforms.find((t) => t.classes.includes(className));
    if (plugin === undefined) throw new Error(`no plugin for ${className}`);
    transformContract(plugin, { className, config, record, ...(wrong === undefined ? {} : { wrong }) });
  });

const BYTES = primitive("BYTES");
const of = (schema: Schema, ...values: readonly ConnectValue[]) => values.map((value) => ({ schema, value }));
const CONVERTERS: readonly (readonly [className: string, Parameters<typeof converterContract>[1]])[] = [
  [
    "json.JsonConverter",
    { config: {}, values: [...of(STRING, "", "é😀"), ...of(INT64, -1n, 2n ** 62n), ...of(ROW, record.value)], damaged: Buffer.from("{") },
  ],
  ["converters.ByteArrayConverter", { config: {}, values: of(BYTES, Buffer.from([0, 255])), foreign: { schema: INT32, value: 1 } }],
  [
    "converters.IntegerConverter",
    { config: {}, values: of(INT32, 0, -5), damaged: Buffer.from([1]), foreign: { schema: STRING, value: "x" } },
  ],
  ["converters.LongConverter", { config: {}, values: of(INT64, 0n, -5n), damaged: Buffer.from([1]) }],
  ["converters.DoubleConverter", { config: {}, values: of(FLOAT64, 0.5, -1e300), damaged: Buffer.from([1]) }],
  ["converters.BooleanConverter", { config: {}, values: of(BOOLEAN, true, false), damaged: Buffer.from([7]) }],
];
for (const [name, harness] of CONVERTERS)
  describe(name, () => {
    const className = `org.apache.kafka.connect.${name}`;
    const plugin = converters.find((c) => c.classes.includes(className));
    if (plugin === undefined) throw new Error(`no plugin for ${className}`);
    converterContract(plugin, harness);
  });
