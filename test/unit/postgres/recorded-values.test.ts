/** What Debezium 3.4 answered for values at the edges, recorded beside this connector on one server. */
import { expect, test } from "vitest";
import { byteSink } from "#connect/api/byte-sink";
import { nameAdjuster } from "#connectors/cdc/name-adjustment";
import { topicNaming } from "#connectors/cdc/topic-naming";
import type { ColumnType, TypeModes } from "#connectors/postgres/column-type";
import { defaultOf } from "#connectors/postgres/defaults";
import { settingsOf } from "#connectors/postgres/config";
import { messageForm } from "#connectors/postgres/message-record";
import { bitType } from "#connectors/postgres/types-binary";
import { floatType, numericType } from "#connectors/postgres/types-numeric";
import { dateType, timestampType, timeType } from "#connectors/postgres/types-temporal";

const modes: TypeModes = {
  decimal: "precise",
  time: "adaptive",
  binary: "bytes",
  hstore: "json",
  interval: "numeric",
  moneyFractionDigits: 2,
  includeUnknown: false,
  placeholder: Buffer.from("x"),
  snapshot: false,
};
function json(type: ColumnType, text: string): string {
  const b = Buffer.from(text);
  const out = byteSink(16);
  expect(type.raw.write?.(b, 0, b.length, out)).toBe(true);
  return out.bytes.toString("utf8", 0, out.length);
}
const connect = { ...modes, time: "connect" as const };
const iso = { ...modes, time: "isostring" as const };

test.each([
  ["least double", floatType("FLOAT64"), "5e-324", "4.9E-324"],
  ["least float", floatType("FLOAT32"), "1e-45", "1.4E-45"],
  ["double", floatType("FLOAT64"), "1e-07", "1.0E-7"],
  ["numeric as double", numericType({ ...modes, decimal: "double" }, -1), "-9999999999999999999999999999.9999999999", "-1.0E28"],
  ["numeric beyond a double", numericType({ ...modes, decimal: "double" }, -1), `1${"0".repeat(400)}`, '"Infinity"'],
  ["numeric as double, short", numericType({ ...modes, decimal: "double" }, -1), "12.50", "12.5"],
  ["NaN as text", numericType({ ...modes, decimal: "string" }, -1), "NaN", '"NAN"'],
  ["infinity as text", numericType({ ...modes, decimal: "string" }, -1), "-Infinity", '"NEGATIVE_INFINITY"'],
  ["infinite date, connect", dateType(connect), "infinity", "-2147472692"],
  ["infinite date of a snapshot, connect", dateType({ ...connect, snapshot: true }), "-infinity", "-625821272"],
  ["infinite timestamp, connect", timestampType(connect, 6), "infinity", "9223372036825200"],
  ["timestamp, connect", timestampType(connect, 6), "294276-12-31 23:59:59.999999", "9224318015999999"],
  ["24:00, connect", timeType(connect, 6), "24:00:00", "86400000"],
  ["24:00, isostring", timeType(iso, 6), "24:00:00", '"00:00:00Z"'],
])("%s", (_, type, text, expected) => expect(json(type, text)).toBe(expected));

test("bit varying(1) is a boolean, as bit(1) is", () => {
  expect(bitType(1).shape({}).type).toBe("BOOLEAN");
  expect(bitType(null).shape({}).name).toBe("io.debezium.data.Bits");
});
test("dates that no Date can hold are cut to what it holds in memory", () => {
  const b = Buffer.from("infinity");
  expect(timestampType(connect, 6).raw.decode(b, 0, b.length)).toEqual(new Date(8.64e15));
});

test.each([
  ["'infinity'::date", dateType(modes), 169_560_311],
  ["'-infinity'::date", dateType(modes), -170_999_002],
  ["'infinity'::date", dateType(iso), "+999999999-12-31Z"],
  ["(CURRENT_DATE - 1)", dateType(iso), undefined],
  ["'infinity'::timestamp without time zone", timestampType(modes, 3), undefined],
  ["'infinity'::timestamp without time zone", timestampType(modes, 6), -9_223_372_036_853_775_810n],
  ["'-infinity'::timestamp without time zone", timestampType({ ...modes, time: "nanoseconds" }, 6), -3_028_005_206_664_544_256n],
  ["'24:00:00'::time without time zone", timeType(modes, 6), 86_399_999_999n],
  ["'NaN'::double precision", floatType("FLOAT64"), Number.NaN],
  ["12.3", numericType({ ...modes, decimal: "string" }, ((8 << 16) | 2) + 4), "12.30"],
  ["1.234", numericType({ ...modes, decimal: "string" }, ((5 << 16) | 2) + 4), undefined],
])("default %s", (expression, type, expected) => expect(defaultOf(expression, type)).toEqual(expected));

test("names for Avro keep a digit at the beginning, behind an underscore", () => {
  expect(nameAdjuster("avro", true)("1a")).toBe("_1a");
  expect(nameAdjuster("avro_unicode", true)("1a")).toBe("_u0031a");
});

test("messages' contents follow binary.handling.mode", () => {
  expect(messageForm("hex").content(Buffer.from([0, 255]))).toBe("00ff");
  expect(messageForm("base64").message.fields[1]?.schema.type).toBe("STRING");
  expect(messageForm("bytes").message.fields[1]?.schema.type).toBe("BYTES");
});

const strategy = (name: string, more: Record<string, string> = {}): ReturnType<typeof topicNaming> =>
  topicNaming(
    settingsOf({ "topic.prefix": "p", "topic.naming.strategy": `io.debezium.schema.${name}TopicNamingStrategy`, ...more }),
    "Default",
  );
const ROUTED = { "topic.regex": "(.*)public.(.*)", "topic.replacement": "$1x_$2" };

test.each([
  ["Schema", "my schema", "a_b", "p.my_schema.a_b"],
  ["Default", "public", "t", "p.t"],
  ["SchemaUnicode", "s p", "my_tab", "p.s_u0020p.my_u005ftab"],
  ["DefaultUnicode", "public", "my tab_1", "p.my_u0020tab_u005f1"],
])("%sTopicNamingStrategy", (name, schema, table, topic) => {
  expect(strategy(name).data(schema, table)).toBe(topic);
  expect(strategy(name).keyField(schema, table)).toBeNull();
});
test("regex strategies route, and tell the tables of a topic apart in keys", () => {
  const schema = strategy("SchemaRegex", ROUTED);
  expect(schema.data("public", "t")).toBe("p.x_t");
  expect(schema.keyField("public", "t")).toEqual({ name: "__dbz__physicalTableIdentifier", value: "p.public.t" });
  const standard = strategy("DefaultRegex", ROUTED);
  expect(standard.data("public", "t")).toBe("p.t");
  expect(standard.keyField("public", "t")?.value).toBe("p.t");
  const named = strategy("SchemaRegex", {
    ...ROUTED,
    "topic.key.field.name": "tn",
    "topic.key.field.regex": "(.*)\\.(.*)",
    "topic.key.field.replacement": "$2",
  });
  expect(named.keyField("public", "t")).toEqual({ name: "tn", value: "t" });
  expect(strategy("SchemaRegex", { ...ROUTED, "topic.key.enforce.uniqueness": "false" }).keyField("public", "t")).toBeNull();
  expect(() => strategy("SchemaRegex")).toThrow(/topic\.regex/);
});
