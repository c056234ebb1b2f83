/** A row that is still in the database's form stays so through ExtractNewRecordState. */
import { expect, test } from "vitest";
import { byteSink } from "#connect/api/byte-sink";
import { RawRow, type RawColumn } from "#connect/api/raw-row";
import type { SourceRecord } from "#connect/api/record";
import { INT32, INT64, OPTIONAL_STRING, STRING, structOf, withOptions } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { jsonConverter } from "#plugins/converters/json-converter";
import { extractNewRecordState } from "#plugins/transforms/extract-new-record-state";

const row = structOf(
  [
    ["id", INT32],
    ["name", OPTIONAL_STRING],
  ],
  { optional: true, name: "s.t.Value" },
);
const source = structOf([["lsn", INT64]]);
const event = structOf(
  [
    ["before", row],
    ["after", row],
    ["source", source],
    ["op", STRING],
    ["ts_ms", withOptions(INT64, { optional: true })],
  ],
  { name: "s.t.Envelope" },
);
const text = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString();
const columns: RawColumn[] = [
  { form: "verbatim", decode: (b, s, e) => Number(text(b, s, e)) },
  { form: "text", decode: text },
];
function record(): SourceRecord {
  const after = new Struct(row, null, new RawRow(columns, Buffer.from('42Ada "L"'), [0, 2], [2, 9], null));
  return {
    topic: "s.t",
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: event,
    value: new Struct(event, [null, after, new Struct(source, [7n]), "c", 5n]),
    timestamp: null,
    headers: [],
    sourcePartition: {},
    sourceOffset: {},
  };
}
test.each([
  [{}, '{"id":42,"name":"Ada \\"L\\""}'],
  [{ "add.fields": "op,lsn" }, '{"id":42,"name":"Ada \\"L\\"","__op":"c","__lsn":7}'],
])("with %j", (config, expected) => {
  const transform = extractNewRecordState.create(config, "io.debezium.transforms.ExtractNewRecordState");
  const first = transform.apply(record()),
    second = transform.apply(record());
  const value = first?.value;
  if (!(value instanceof Struct)) throw new Error("no struct");
  expect(value.raw).not.toBeNull();
  const out = byteSink();
  jsonConverter.create({ "schemas.enable": "false" }, false).write?.("s.t", first?.valueSchema ?? null, value, out);
  expect(out.bytes.toString("utf8", 0, out.length)).toBe(expected);
  expect(value.slots.slice(0, 2)).toEqual([42, 'Ada "L"']);
  // The same schema object each time keeps the converter's cache warm.
  expect(second?.valueSchema).toBe(first?.valueSchema);
});
