import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSink } from "#connect/api/byte-sink";
import { Struct } from "#connect/api/struct";
import { Decimal } from "#connect/api/value";
import { bigintBytes, javaDouble, twosComplement, writeInteger } from "#connectors/cdc/cell-bytes";
import type { ColumnType, TypeModes } from "#connectors/postgres/column-type";
import { defaultOf } from "#connectors/postgres/defaults";
import { civilFromDays, daysFromCivil } from "#connect/api/civil-date";
import { bitType, byteaBytes, binaryType } from "#connectors/postgres/types-binary";
import { floatType, integerType, moneyType, numericType } from "#connectors/postgres/types-numeric";
import { arrayElements, hstoreType } from "#connectors/postgres/types-structured";
import { dateType, intervalType, timestampType, timestamptzType, timetzType, timeType } from "#connectors/postgres/types-temporal";

const modes: TypeModes = {
  decimal: "precise",
  time: "adaptive",
  binary: "bytes",
  hstore: "json",
  interval: "numeric",
  moneyFractionDigits: 2,
  includeUnknown: false,
  placeholder: Buffer.from("__debezium_unavailable_value"),
  snapshot: false,
};
/** The value, and the JSON text where the column writes it itself; both must say the same. */
function read(type: ColumnType, text: string): unknown {
  const b = Buffer.from(`#${text}#`);
  return type.raw.decode(b, 1, b.length - 1);
}
function written(type: ColumnType, text: string): string | null {
  const b = Buffer.from(`#${text}#`);
  const out = byteSink(16);
  return type.raw.write?.(b, 1, b.length - 1, out) === true ? out.bytes.toString("utf8", 0, out.length) : null;
}

describe("dates and times", () => {
  test("days and civil dates are each other's inverse over PostgreSQL's whole range", () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_451_000, max: 2_145_042_905 }), (days) => {
        const [y, m, d] = civilFromDays(days);
        expect(daysFromCivil(y, m, d)).toBe(days);
      }),
    );
  });
  test("agree with Date where Date knows them", () => {
    const type = timestampType(modes, 3);
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true }),
        (date) => {
          const text = date.toISOString().replace("T", " ").replace("Z", "");
          expect(read(type, text)).toBe(BigInt(date.getTime()));
          expect(written(type, text)).toBe(String(date.getTime()));
        },
      ),
    );
  });
  test.each([
    [dateType(modes), "1969-12-31", -1],
    [dateType(modes), "0044-03-15 BC", -735_160],
    [dateType(modes), "infinity", -2_147_472_692],
    [dateType({ ...modes, snapshot: true }), "infinity", -622_191_234],
    [dateType({ ...modes, time: "isostring" }), "2024-02-29", "2024-02-29Z"],
    [timeType(modes, 6), "23:59:59.999999", 86_399_999_999n],
    [timeType(modes, 3), "12:00:00.12", 43_200_120],
    [timeType({ ...modes, time: "isostring" }, 6), "12:00:00.1", "12:00:00.1Z"],
    [timetzType(), "12:00:00.5+02", "10:00:00.5Z"],
    [timetzType(), "00:00:00+14", "10:00:00Z"],
    [timestampType(modes, 6), "1969-12-31 23:59:59.999999", -1n],
    [timestampType(modes, 6), "9999-12-31 23:59:59.999999", 253_402_300_799_999_999n],
    [timestampType(modes, 6), "294276-12-31 23:59:59.999999", -9_223_372_036_853_775_810n],
    [timestampType(modes, 6), "-infinity", -9_223_372_036_832_400_000n],
    [timestampType({ ...modes, time: "isostring" }, 6), "0044-03-15 01:02:03 BC", "-0043-03-15T01:02:03Z"],
    [timestamptzType(6), "2024-06-30 10:00:00.1+00", "2024-06-30T10:00:00.100000Z"],
    [timestamptzType(3), "2024-06-30 12:00:00.12+02", "2024-06-30T10:00:00.120Z"],
    [timestamptzType(0), "2024-06-30 10:00:00+00", "2024-06-30T10:00:00Z"],
    [timestamptzType(6), "294276-12-31 23:59:59.999999+00", "+294276-12-31T23:59:59.999999Z"],
    [timestamptzType(6), "infinity", "infinity"],
    [intervalType(modes), "1 year 2 mons 3 days 04:05:06.7", 37_091_106_700_000n],
    [intervalType(modes), "-1 years -2 mons +3 days -04:05:06.789", -36_572_706_789_000n],
    [intervalType(modes), "178000000 years", 9_223_372_036_854_775_807n],
    [intervalType({ ...modes, interval: "string" }), "-1 years -2 mons +3 days -04:05:06.000001", "P-1Y-2M3DT-4H-5M-6.000001S"],
    [intervalType({ ...modes, interval: "string" }), "00:00:00", "P0Y0M0DT0H0M0S"],
  ])("%# %s", (type, text, expected) => {
    expect(read(type, text)).toEqual(expected);
    const json = written(type, text);
    expect(json === null ? null : json).toBe(typeof expected === "string" ? `"${expected}"` : String(expected));
  });
});

describe("numbers", () => {
  test("two's complement is Java's, for doubles and for bigints", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        const scratch = new Uint8Array(16);
        const size = twosComplement(n, scratch);
        expect(Buffer.from(scratch.subarray(0, size)).toString("hex")).toBe(Buffer.from(bigintBytes(BigInt(n))).toString("hex"));
        const value = BigInt.asIntN(size * 8, BigInt(`0x${Buffer.from(scratch.subarray(0, size)).toString("hex")}`));
        expect(value).toBe(BigInt(n));
      }),
    );
  });
  test.each([
    [0n, "00"],
    [127n, "7f"],
    [128n, "0080"],
    [-128n, "80"],
    [-129n, "ff7f"],
    [-1n, "ff"],
    [32_768n, "008000"],
  ])("%s has the bytes %s", (n, hex) => expect(Buffer.from(bigintBytes(n)).toString("hex")).toBe(hex));
  test("a numeric's JSON is the base64 of its unscaled value, whatever its size", () => {
    const type = numericType(modes, ((20 << 16) | 5) + 4);
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }), (unscaled) => {
        const text = new Decimal(unscaled, 5).toPlainString();
        expect(read(type, text)).toEqual(new Decimal(unscaled, 5));
        expect(written(type, text)).toBe(`"${Buffer.from(bigintBytes(unscaled)).toString("base64")}"`);
      }),
    );
  });
  test("without a precision it is a struct without trailing zeros", () => {
    const type = numericType(modes, -1);
    expect(written(type, "2.50")).toBe('{"scale":1,"value":"GQ=="}');
    expect(written(type, "100")).toBe('{"scale":0,"value":"ZA=="}');
    expect((read(type, "1.000") as Struct).slots).toEqual([0, Buffer.from([1])]);
    expect(read(type, "NaN")).toBeNull();
    expect(written(type, "NaN")).toBeNull();
  });
  test("floats and numerics as doubles are printed as Java prints them", () => {
    const double = numericType({ ...modes, decimal: "double" }, -1);
    const postgres = (v: number): string => (Object.is(v, -0) ? "-0" : String(v).replace(/e([+-])(\d)$/, "e$10$2"));
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => {
        fc.pre(Math.abs(v) === 0 || Math.abs(v) > 1e-320);
        expect(written(floatType("FLOAT64"), postgres(v))).toBe(javaDouble(v));
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 6 }),
        (n, scale, zeros) => {
          const text = new Decimal(BigInt(n), scale).toPlainString() + (scale === 0 ? "" : "0".repeat(zeros));
          expect(written(double, text)).toBe(javaDouble(Number(text)));
        },
      ),
    );
    for (const [text, java] of [
      ["0", "0.0"],
      ["-0", "-0.0"],
      ["0.000", "0.0"],
      ["0.001", "0.001"],
      ["0.00099", "9.9E-4"],
      ["9999999.50", "9999999.5"],
      ["10000000", "1.0E7"],
      ["1e+20", "1.0E20"],
    ] as const)
      expect(written(floatType("FLOAT64"), text)).toBe(java);
  });
  test("floats read as floats", () => {
    expect(written(floatType("FLOAT64"), "1")).toBe("1.0");
    expect(written(floatType("FLOAT64"), "1e-37")).toBe("1.0E-37");
    expect(written(floatType("FLOAT64"), "-Infinity")).toBe('"-Infinity"');
    expect(written(floatType("FLOAT32"), "NaN")).toBe('"NaN"');
  });
  test("money", () => {
    expect(read(moneyType(modes), "-$1,234.50")).toEqual(new Decimal(-123450n, 2));
    expect(read(moneyType({ ...modes, decimal: "string", snapshot: true }), "$92,233,720,368,547,758.07")).toBe("9.223372036854776E16");
  });
  test("integers and Java's doubles", () => {
    const out = byteSink(8);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        out.length = 0;
        writeInteger(out, n);
        expect(out.bytes.toString("latin1", 0, out.length)).toBe(String(n));
      }),
    );
    expect([0, -0, 1, 1e7, 0.001, 1.5e-5, 9.223372036854776e16].map(javaDouble)).toEqual([
      "0.0",
      "-0.0",
      "1.0",
      "1.0E7",
      "0.001",
      "1.5E-5",
      "9.223372036854776E16",
    ]);
  });
});

describe("bytes, bits, arrays, hstore", () => {
  test("bytea in both formats, bits from the right", () => {
    expect(byteaBytes(Buffer.from("\\x00ff"), 0, 6)).toEqual(Buffer.from([0, 255]));
    expect(byteaBytes(Buffer.from("a\\\\b\\001"), 0, 8)).toEqual(Buffer.from("a\\b\u0001"));
    expect(written(binaryType({ ...modes, binary: "hex" }, byteaBytes), "\\xfbff")).toBe('"fbff"');
    expect(read(bitType(8), "10000001")).toEqual(Buffer.from([0x81]));
    expect(read(bitType(12), "101010101010")).toEqual(Buffer.from([0xaa, 0x0a]));
    expect(read(bitType(1), "1")).toBe(true);
  });
  test.each([
    ["{}", []],
    ["{1,NULL,-3}", ["1", null, "-3"]],
    ['{"a,b","q\\"q","",NULL,"NULL",日本}', ["a,b", 'q"q', "", null, "NULL", "日本"]],
    ["{{1,2},{3,4}}", [undefined, undefined]],
    ["[0:1]={5,6}", ["5", "6"]],
    ['{"{x}",y}', ["{x}", "y"]],
  ])("array literal %s", (text, expected) => expect(arrayElements(text, ",")).toEqual(expected));
  test("hstore is JSON in the order of Java's HashMap", () => {
    expect(read(hstoreType(modes), '"a"=>"1", "b c"=>NULL, "q\\"q"=>"x,y=>z"')).toBe('{"a":"1","q\\"q":"x,y=>z","b c":null}');
  });
});

describe("defaults", () => {
  const numeric = numericType(modes, ((6 << 16) | 3) + 4);
  test.each([
    ["5", integerType("INT32"), 5],
    ["(1 + 1)", integerType("INT32"), undefined],
    ["nextval('s'::regclass)", integerType("INT64"), 0n],
    ["1.500", numeric, new Decimal(1500n, 3)],
    ["'2020-02-29'::date", dateType(modes), 18_321],
    ["CURRENT_DATE", dateType(modes), 0],
    ["'NULL'::text", timetzType(), undefined],
    ["NULL::integer", integerType("INT32"), undefined],
    [null, integerType("INT32"), undefined],
  ])("%s", (expression, type, expected) => expect(defaultOf(expression, type)).toEqual(expected));
});
