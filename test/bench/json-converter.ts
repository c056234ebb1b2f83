/** Envelopes per second of JsonConverter.write on one core: a Debezium insert whose row is still in pgoutput's text form. */
import { byteSink } from "#connect/api/byte-sink";
import { RawRow, type RawColumn } from "#connect/api/raw-row";
import {
  BOOLEAN,
  DECIMAL,
  FLOAT64,
  INT32,
  INT64,
  OPTIONAL_INT64,
  OPTIONAL_STRING,
  primitive,
  STRING,
  structOf,
  withOptions,
} from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Decimal } from "#connect/api/value";
import { jsonConverter } from "#plugins/converters/json-converter";

const rowSchema = structOf(
  [
    ["id", INT32],
    ["big", withOptions(INT64, { optional: true })],
    ["body", OPTIONAL_STRING],
    ["title", OPTIONAL_STRING],
    ["price", primitive("BYTES", { name: DECIMAL, version: 1, parameters: { scale: "2" }, optional: true })],
    ["at", primitive("STRING", { name: "io.debezium.time.ZonedTimestamp", version: 1, optional: true })],
    ["flag", withOptions(BOOLEAN, { optional: true })],
    ["doc", primitive("STRING", { name: "io.debezium.data.Json", version: 1, optional: true })],
    ["uid", primitive("STRING", { name: "io.debezium.data.Uuid", version: 1, optional: true })],
    ["ratio", withOptions(FLOAT64, { optional: true })],
  ],
  { optional: true, name: "srv.public.items.Value" },
);
const sourceSchema = structOf(
  [
    ["version", STRING],
    ["connector", STRING],
    ["name", STRING],
    ["ts_ms", INT64],
    ["snapshot", primitive("STRING", { optional: true, default: "false", name: "io.debezium.data.Enum", version: 1 })],
    ["db", STRING],
    ["sequence", OPTIONAL_STRING],
    ["ts_us", OPTIONAL_INT64],
    ["ts_ns", OPTIONAL_INT64],
    ["schema", STRING],
    ["table", STRING],
    ["txId", OPTIONAL_INT64],
    ["lsn", OPTIONAL_INT64],
    ["xmin", OPTIONAL_INT64],
  ],
  { name: "io.debezium.connector.postgresql.Source", version: 1 },
);
const envelope = structOf(
  [
    ["before", rowSchema],
    ["after", rowSchema],
    ["source", sourceSchema],
    ["transaction", structOf([["id", STRING]], { optional: true, name: "event.block", version: 1 })],
    ["op", STRING],
    ["ts_ms", OPTIONAL_INT64],
    ["ts_us", OPTIONAL_INT64],
    ["ts_ns", OPTIONAL_INT64],
  ],
  { name: "srv.public.items.Envelope", version: 2 },
);

const cells = [
  "123456",
  "9876543210123",
  "The quick brown fox jumps over the lazy dog",
  "Item number 123456",
  "1234.56",
  "2026-11-21T23:00:00.123456Z",
  "t",
  '{"a": 1, "b": [true, null], "c": "text"}',
  "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
  "3.25",
];
const decode =
  (index: number): RawColumn["decode"] =>
  (bytes, start, end) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    return index === 4 ? Decimal.parse(text) : text;
  };
const PRICE = Buffer.from('"AeJA"');
const forms = ["verbatim", "verbatim", "text", "text", "writer", "text", "bool", "text", "text", "verbatim"] as const;
const columns: RawColumn[] = forms.map((form, i) => ({
  form,
  decode: decode(i),
  write(_bytes, _start, _end, out) {
    out.reserve(PRICE.length);
    for (const c of PRICE) out.bytes[out.length++] = c;
    return true;
  },
}));
const row = Buffer.from(cells.join(""));
const starts = new Int32Array(cells.length),
  ends = new Int32Array(cells.length);
let offset = 0;
cells.forEach((cell, i) => {
  starts[i] = offset;
  offset += Buffer.byteLength(cell);
  ends[i] = offset;
});

function event(i: number): Struct {
  const ms = 1_763_766_000_000 + i;
  const source = new Struct(sourceSchema, [
    "3.4.0.Final",
    "postgresql",
    "srv",
    BigInt(ms),
    "false",
    "inventory",
    `["${24_000_000 + i}","${24_000_100 + i}"]`,
    BigInt(ms * 1000 + 7),
    BigInt(ms) * 1_000_000n + 7007n,
    "public",
    "items",
    BigInt(700 + (i >> 10)),
    BigInt(24_000_100 + i),
    null,
  ]);
  const after = new Struct(rowSchema, null, new RawRow(columns, row, starts, ends, null));
  return new Struct(envelope, [null, after, source, null, "c", BigInt(ms), BigInt(ms * 1000 + 9), BigInt(ms) * 1_000_000n + 9009n]);
}

for (const schemas of ["false", "true"]) {
  const converter = jsonConverter.create({ "schemas.enable": schemas }, false);
  const sink = byteSink(1 << 20);
  const events = Array.from({ length: 1000 }, (_, i) => event(i));
  let bytes = 0;
  const run = (rounds: number): void => {
    for (let r = 0; r < rounds; r++) {
      sink.length = 0;
      for (const e of events) {
        if (sink.length > 900_000) sink.length = 0;
        bytes += converter.write?.("t", envelope, e, sink) ?? 0;
      }
    }
  };
  run(100);
  bytes = 0;
  const cpu = process.cpuUsage();
  const rounds = 500;
  run(rounds);
  const used = process.cpuUsage(cpu);
  const seconds = (used.user + used.system) / 1e6;
  const count = rounds * events.length;
  console.log(
    `schemas.enable=${schemas}: ${Math.round(count / seconds)} envelopes per CPU second, ${Math.round(bytes / count)} bytes each, ${Math.round((seconds / count) * 1e9)} ns`,
  );
  if (schemas === "false") console.log(Buffer.from(converter.fromConnect("t", envelope, event(1)) ?? []).toString());
}
