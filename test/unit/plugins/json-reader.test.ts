/** Reading envelopes: the quick way by position, and all that has to fall back from it. */
import { expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { jsonConverter } from "#plugins/converters/json-converter";

const SCHEMA =
  '{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"schema"}],"optional":false}';
const envelope = (payload: string): Buffer => Buffer.from(`{"schema":${SCHEMA},"payload":${payload}}`);
function slots(text: Buffer): readonly unknown[] {
  const converter = jsonConverter.create({}, false);
  // The first record teaches the schema, the second takes the quick way.
  converter.toConnect("t", envelope('{"id":1,"schema":"a"}'));
  const { value } = converter.toConnect("t", text);
  if (!(value instanceof Struct)) throw new Error("no struct");
  return value.slots;
}
test.each([
  ['{"id":9007199254740993,"schema":"\\u00e9"}', [9007199254740993n, "é"]],
  ['{"schema":"x","id":2}', [2n, "x"]],
  ['{"id":3}', [3n, null]],
  ['{"id":4,"schema":null,"more":[1]}', [4n, null]],
  ['{"id":5,"id":6,"schema":"y"}', [6n, "y"]],
  [' {"id" : 7 , "schema" : "z" } ', [7n, "z"]],
  ['{"id":1.9,"schema":5}', [1n, null]],
])("payload %s", (payload, expected) => {
  expect(slots(envelope(payload))).toEqual(expected);
});
test("a schema given twice: the last one counts", () => {
  const converter = jsonConverter.create({}, false);
  converter.toConnect("t", envelope('{"id":1,"schema":"a"}'));
  const twice = Buffer.from(`{"schema":${SCHEMA},"payload":{"id":1,"schema":null},"schema":{"type":"string"},"payload":"text"}`);
  expect(converter.toConnect("t", twice).value).toBe("text");
});
test("errors are those of the long way", () => {
  const converter = jsonConverter.create({}, false);
  converter.toConnect("t", envelope('{"id":1,"schema":"a"}'));
  expect(() => converter.toConnect("t", envelope('{"id":null,"schema":"a"}'))).toThrow("Invalid null value for required INT64 field");
  expect(() => converter.toConnect("t", envelope('{"id":null,"schema":tru}'))).toThrow("Converting byte[] to Kafka Connect data failed");
});
