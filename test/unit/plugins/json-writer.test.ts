/** The compiled JSON writer against the interpreter, and both against a parser. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSink, type ByteSink } from "#connect/api/byte-sink";
import { RawRow, type CellForm, type RawColumn } from "#connect/api/raw-row";
import { arrayOf, DECIMAL, mapOf, primitive, STRING, structOf, TIMESTAMP, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Decimal, type ConnectValue } from "#connect/api/value";
import { integer53, integer64 } from "#plugins/converters/json/append";
import { valueWriter } from "#plugins/converters/json/compile";
import { writeValue } from "#plugins/converters/json/interpret";
import type { JsonOptions } from "#plugins/converters/json/options";
import { jsonConverter } from "#plugins/converters/json-converter";

interface Typed {
  readonly schema: Schema;
  readonly value: ConnectValue;
}
const text = (out: ByteSink): string => out.bytes.toString("utf8", 0, out.length);
const anyText = fc.string({ unit: "binary" });

const scalar = (optional: boolean): fc.Arbitrary<Typed> =>
  fc.oneof(
    fc.integer().map((value) => ({ schema: primitive("INT32", { optional }), value })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ schema: primitive("INT64", { optional }), value })),
    fc.double().map((value) => ({ schema: primitive("FLOAT64", { optional }), value })),
    fc.float().map((value) => ({ schema: primitive("FLOAT32", { optional }), value })),
    fc.boolean().map((value) => ({ schema: primitive("BOOLEAN", { optional }), value })),
    anyText.map((value) => ({ schema: primitive("STRING", { optional }), value })),
    fc.uint8Array({ maxLength: 100 }).map((value) => ({ schema: primitive("BYTES", { optional }), value })),
    fc.bigInt().map((v) => ({
      schema: primitive("BYTES", { name: DECIMAL, version: 1, parameters: { scale: "3" }, optional }),
      value: new Decimal(v, 3),
    })),
    fc.date({ noInvalidDate: true }).map((value) => ({ schema: primitive("INT64", { name: TIMESTAMP, version: 1, optional }), value })),
  );
const nullable: fc.Arbitrary<Typed> = fc
  .boolean()
  .chain((optional) => scalar(optional).chain((t) => (optional ? fc.constantFrom(t, { schema: t.schema, value: null }) : fc.constant(t))));
const structed = (depth: number): fc.Arbitrary<Typed> =>
  fc.uniqueArray(fc.string({ unit: "binary", minLength: 1 }), { maxLength: 6 }).chain((names) =>
    fc.tuple(...names.map(() => typed(depth))).map((fields) => {
      const schema = structOf(fields.map((f, i) => [names[i] ?? "", f.schema] as const));
      return {
        schema,
        value: new Struct(
          schema,
          fields.map((f) => f.value),
        ),
      };
    }),
  );
function typed(depth: number): fc.Arbitrary<Typed> {
  if (depth === 0) return nullable;
  return fc.oneof(
    { weight: 3, arbitrary: nullable },
    structed(depth - 1),
    nullable.map((t) => ({ schema: arrayOf(t.schema), value: [t.value, t.value] })),
    nullable.map((t) => ({ schema: mapOf(STRING, t.schema), value: new Map([["k", t.value]]) })),
  );
}
const options: fc.Arbitrary<JsonOptions> = fc.record({
  schemasEnable: fc.constant(false),
  decimalNumeric: fc.boolean(),
  replaceNullWithDefault: fc.boolean(),
});

describe("compiled writer", () => {
  test("writes the same bytes as the interpreter", () => {
    fc.assert(
      fc.property(structed(2), options, ({ schema, value }, o) => {
        const compiled = byteSink(16),
          interpreted = byteSink(16);
        valueWriter(schema, o)(value, compiled);
        writeValue(interpreted, schema, value, o);
        expect(text(compiled)).toBe(text(interpreted));
        JSON.parse(text(compiled));
      }),
      { numRuns: 300 },
    );
  });
  test("writes struct after struct as the interpreter does, whichever fields stay the same", () => {
    const names = ["INT32", "STRING", "INT64", "BOOLEAN", "STRING", "FLOAT64", "INT16", "STRING"] as const;
    const schema = structOf(names.map((type, i) => [`f${i}`, primitive(type, { optional: i % 2 === 0 })] as const));
    const kept = [7, "prefix", 1n << 60n, true, null, -0, 3, 'a "quoted" one'];
    const changed = [null, "x\u0001", -5n, false, "é".repeat(300), 0, -1, "y".repeat(500)];
    const o = { schemasEnable: false, decimalNumeric: false, replaceNullWithDefault: true };
    const write = valueWriter(schema, o);
    const out = byteSink(1024),
      interpreted = byteSink(1024);
    // One field changes often, another seldom; which ones is found out anew after 65,536 structs.
    for (const moving of [0, 4, 7])
      for (let n = 0; n < 67_000; n++) {
        const seldom = (moving + 3) % names.length;
        const slots = kept.map((v, i) => ((i === moving ? n % 2 === 0 : i === seldom && n % 9 === 0) ? (changed[i] ?? null) : v));
        out.length = 0;
        write(new Struct(schema, slots), out);
        if (n > 600 && n < 66_400 && n % 97 !== 0) continue;
        interpreted.length = 0;
        writeValue(interpreted, schema, new Struct(schema, slots), o);
        if (text(out) !== text(interpreted)) expect(text(out)).toBe(text(interpreted));
      }
  });
  test("fails with the same error as the interpreter", () => {
    const schema = structOf([["a", primitive("INT64")]]);
    const wrong = new Struct(schema, ["text"]);
    const o = { schemasEnable: false, decimalNumeric: false, replaceNullWithDefault: true };
    expect(() => valueWriter(schema, o)(wrong, byteSink())).toThrow("Invalid type for INT64: class java.lang.String");
    expect(() => valueWriter(schema, o)(new Struct(schema, [null]), byteSink())).toThrow("Conversion error: null value for field");
  });
  test("puts defaults in place of nulls only when asked", () => {
    const schema = structOf([["a", primitive("INT32", { optional: true, default: 7 })]]);
    for (const replaceNullWithDefault of [true, false]) {
      const out = byteSink();
      valueWriter(schema, { schemasEnable: false, decimalNumeric: false, replaceNullWithDefault })(new Struct(schema, [null]), out);
      expect(text(out)).toBe(replaceNullWithDefault ? '{"a":7}' : '{"a":null}');
    }
  });
});

function column(form: CellForm): RawColumn {
  return {
    form,
    decode(bytes, start, end) {
      const cell = Buffer.from(bytes.subarray(start, end)).toString("utf8");
      return form === "verbatim" ? Number(cell) : form === "bool" ? cell === "t" : cell;
    },
    // A writer that leaves long cells to decode.
    write(bytes, start, end, out) {
      if (end - start > 5) return false;
      const json = JSON.stringify(Buffer.from(bytes.subarray(start, end)).toString("utf8")).replace(/\\u00../g, (u) =>
        u.toUpperCase().replace("U", "u"),
      );
      out.reserve(json.length * 3);
      out.length += out.bytes.write(json, out.length);
      return true;
    },
  };
}
const cell: fc.Arbitrary<{ form: CellForm; schema: Schema; cell: string | null }> = fc.oneof(
  fc.integer().map((n) => ({ form: "verbatim" as const, schema: primitive("INT32", { optional: true }), cell: String(n) })),
  fc.boolean().map((b) => ({ form: "bool" as const, schema: primitive("BOOLEAN", { optional: true }), cell: b ? "t" : "f" })),
  fc
    .constantFrom("text" as const, "decode" as const)
    .chain((form) =>
      fc.option(fc.string({ unit: "grapheme" })).map((s) => ({ form, schema: primitive("STRING", { optional: true }), cell: s })),
    ),
  fc.string({ unit: "grapheme-ascii" }).map((s) => ({ form: "writer" as const, schema: primitive("STRING", { optional: true }), cell: s })),
);
test("a raw row is written as its decoded values are", () => {
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 12 }), (cells) => {
      const schema = structOf(cells.map((c, i) => [`f${i}`, c.schema] as const));
      const pieces = cells.map((c) => Buffer.from(c.cell ?? ""));
      const starts: number[] = [],
        ends: number[] = [];
      let at = 3;
      cells.forEach((c, i) => {
        starts.push(c.cell === null ? -1 : at);
        at += pieces[i]?.length ?? 0;
        ends.push(at);
      });
      const row = new RawRow(
        cells.map((c) => column(c.form)),
        Buffer.concat([Buffer.from("###"), ...pieces]),
        starts,
        ends,
        null,
      );
      const o = { schemasEnable: false, decimalNumeric: false, replaceNullWithDefault: true };
      const raw = byteSink(16),
        decoded = byteSink(16);
      const struct = new Struct(schema, null, row);
      valueWriter(schema, o)(struct, raw);
      expect(struct.raw).not.toBeNull();
      writeValue(decoded, schema, new Struct(schema, null, row), o);
      expect(text(raw)).toBe(text(decoded));
    }),
    { numRuns: 300 },
  );
});
test("integers of any size", () => {
  const bytes = Buffer.alloc(32);
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger(), (big, small) => {
      expect(bytes.toString("latin1", 0, integer64(bytes, 0, big))).toBe(String(big));
      expect(bytes.toString("latin1", 0, integer53(bytes, 0, small))).toBe(String(small));
    }),
    { numRuns: 2000 },
  );
  for (const v of [0n, -1n, 999_999_999n, 10n ** 18n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n])
    expect(bytes.toString("latin1", 0, integer64(bytes, 0, v))).toBe(String(v));
});
test("what the converter writes it reads back, with schemas", () => {
  const converter = jsonConverter.create({}, false);
  fc.assert(
    fc.property(structed(1), ({ schema, value }) => {
      const bytes = converter.fromConnect("t", schema, value);
      // What JSON has no number for is written as text and read as zero: Kafka's own loss.
      fc.pre(!/"(?:NaN|-?Infinity)"/.test(bytes?.toString() ?? ""));
      for (let round = 0; round < 2; round++) {
        const read = converter.toConnect("t", bytes);
        expect(converter.fromConnect("t", read.schema, read.value)?.toString()).toBe(bytes?.toString());
      }
    }),
    { numRuns: 150 },
  );
});

test("a struct that stands in several records is written anew for each other one, and cannot be changed", () => {
  const inner = structOf([["a", STRING]]);
  const outer = structOf([
    ["s", inner],
    ["b", STRING],
  ]);
  const write = valueWriter(outer, { schemasEnable: false, decimalNumeric: false, replaceNullWithDefault: true });
  const [one, two] = ["one", "two"].map((a) => new Struct(inner, [a], null, true));
  const written = [one, one, two, one, new Struct(inner, ["own"])].map((s, i) => {
    const out = byteSink(8);
    write(new Struct(outer, [s ?? null, `r${i}`]), out);
    return text(out);
  });
  expect(written).toEqual(["one", "one", "two", "one", "own"].map((a, i) => `{"s":{"a":"${a}"},"b":"r${i}"}`));
  expect(() => one?.put("a", "x")).toThrow(/cannot be changed/);
});
