import { describe, expect, test } from "vitest";
import { workerConfig } from "#connect/config";
import { connectorEntries } from "#connect/catalog/builtin";
import { catalog, connectorClasses, listPlugins } from "#connect/catalog/catalog";
import { ClassNames } from "#connect/catalog/class-names";
import { refusal, validateConnector, type ValidationOptions } from "#connect/catalog/validate";

const worker = workerConfig(
  {
    "group.id": "g",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "connector.client.config.override.policy": "None",
  },
  "distributed",
);
const context: ValidationOptions = { worker, resolve: async (c) => c };
const refused = async (config: Record<string, string | null>): Promise<string | null> => refusal(await validateConnector(config, context));
const SINK = { "connector.class": "FileStreamSink", name: "x", topics: "t", file: "/x" };

test("what the list says of connectors is what they say of themselves", async () => {
  for (const entry of connectorEntries) {
    const plugin = await entry.load();
    expect([plugin.kind, plugin.version, plugin.classes]).toEqual([entry.kind, entry.version, entry.classes]);
  }
});
test("classes are found by full name, simple name, and without their suffix", async () => {
  const full = "org.apache.kafka.connect.file.FileStreamSourceConnector";
  for (const name of [full, "FileStreamSourceConnector", "FileStreamSource"]) {
    expect((await catalog.connector(name))?.classes[0]).toBe(full);
    expect(connectorClasses.typeOf(name)).toBe("source");
  }
  expect(await catalog.connector("FileStream")).toBeNull();
  expect((await catalog.converter("Json"))?.name).toBe((await catalog.converter("JsonConverter"))?.name);
  expect(connectorClasses.notFound("x.Y")).toMatch(
    /^Failed to find any class that implements Connector and which name matches x\.Y, available/,
  );
});
test("a name that two plugins share belongs to neither", () => {
  const names = new ClassNames(
    [
      { name: "one", classes: ["a.Same", "a.Only$Key", "a.Only$Value"] },
      { name: "two", classes: ["b.Same"] },
    ],
    "",
  );
  expect(names.find("Same")).toBeNull();
  expect(names.find("a.Same")?.name).toBe("one");
  expect(names.variants("a.Only")).toEqual(["a.Only$Key", "a.Only$Value"]);
  expect(names.fullName("Only$Key")).toBe("a.Only$Key");
});
test("the list of plugins has every kind, each class once", async () => {
  const list = await listPlugins(false);
  expect(new Set(list.map((p) => p.type))).toEqual(
    new Set(["sink", "source", "transformation", "predicate", "converter", "header_converter"]),
  );
  expect(new Set(list.map((p) => `${p.type} ${p.class}`)).size).toBe(list.length);
  expect((await listPlugins(true)).every((p) => p.type === "sink" || p.type === "source")).toBe(true);
});
describe("validation", () => {
  test("overrides by policy, for the clients that the connector has", async () => {
    expect(await refused({ ...SINK, "consumer.override.max.poll.records": "5" })).toContain(
      "The 'None' policy does not allow 'max.poll.records' to be overridden in the connector configuration.",
    );
    // A sink without dead-letter queue has no producer.
    expect(await refused({ ...SINK, "producer.override.acks": "1" })).toBeNull();
  });
  test("transforms and predicates bring their own settings under their alias", async () => {
    const chain = { transforms: "r", "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.r.regex": "(" };
    const message = await refused({ ...SINK, ...chain });
    expect(message).toContain('Missing required configuration "transforms.r.replacement" which has no default value.');
    expect(message).toContain("Invalid value ( for configuration regex: Invalid regex: Unclosed group near index 1");
    expect(await refused({ ...SINK, ...chain, "transforms.r.regex": "a", "transforms.r.replacement": "b" })).toBeNull();
  });
  test("classes stand with their full names or as null; negate without predicate is the fault of the class (answers of Kafka Connect 4.1)", async () => {
    const T = "org.apache.kafka.connect.transforms.";
    const faults = async (config: Record<string, string>): Promise<unknown> => {
      const { configs } = await validateConnector({ ...SINK, ...config }, context);
      return configs.flatMap(({ value: v }) => (v.errors.length > 0 ? [[v.name, v.value, v.errors]] : []));
    };
    const negate = (alias: string): string =>
      `Config 'transforms.${alias}.negate' was provided but there is no config 'transforms.${alias}.predicate' defining a predicate to be negated.`;
    const unknown = (setting: string, name: string): string =>
      `Invalid value ${name} for configuration ${setting}: Class ${name} could not be found.`;
    expect(await faults({ transforms: "a", "transforms.a.type": `${T}HoistField$Value`, "transforms.a.negate": "maybe" })).toEqual([
      ["transforms.a.type", `${T}HoistField$Value`, [negate("a")]],
      ["transforms.a.field", null, ['Missing required configuration "transforms.a.field" which has no default value.']],
      [
        "transforms.a.negate",
        null,
        ["Invalid value maybe for configuration transforms.a.negate: Expected value to be either true or false"],
      ],
    ]);
    expect(await faults({ transforms: "b", "transforms.b.type": "Cast", "transforms.b.negate": "true" })).toEqual([
      ["transforms.b.type", null, [unknown("transforms.b.type", "Cast"), negate("b")]],
    ]);
    const J = "org.apache.kafka.connect.json.JsonConverter";
    const kind = (name: string, wanted: string): string => `Class class ${name} does not implement the ${wanted} interface`;
    expect(await faults({ transforms: "k", "transforms.k.type": J })).toEqual([["transforms.k.type", J, [kind(J, "Transformation")]]]);
    expect(await faults({ predicates: "k", "predicates.k.type": `${T}InsertField$Key` })).toEqual([
      ["predicates.k.type", `${T}InsertField$Key`, [kind(`${T}InsertField$Key`, "Predicate")]],
    ]);
    expect(await faults({ "key.converter": "Nope", "header.converter": "X" })).toEqual([
      ["key.converter", null, [unknown("key.converter", "Nope")]],
      ["header.converter", null, [unknown("header.converter", "X")]],
    ]);
    const cast = { transforms: "c", "transforms.c.type": `${T}Cast$Value` };
    expect(await faults({ ...cast, "transforms.c.spec": "a:int8,b:date" })).toEqual([
      [
        "transforms.c.spec",
        "a:int8,b:date",
        [
          "Invalid value java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.DATE for configuration Invalid type found in casting spec: date",
        ],
      ],
    ]);
    expect(await faults(cast)).toEqual([
      [
        "transforms.c.spec",
        null,
        ['Missing required configuration "transforms.c.spec" which has no default value.', "Must specify at least one field to cast."],
      ],
    ]);
    expect(await faults({ transforms: "h", "transforms.h.type": `${T}InsertHeader`, "transforms.h.header": "h" })).toEqual([
      [
        "transforms.h.value.literal",
        null,
        [
          'Missing required configuration "transforms.h.value.literal" which has no default value.',
          "Invalid value null for configuration value.literal: entry must be non null",
        ],
      ],
    ]);
    const { configs } = await validateConnector(
      { ...SINK, "key.converter": "JsonConverter", predicates: "p", "predicates.p.type": "RecordIsTombstone" },
      context,
    );
    const shown = new Map(configs.map(({ value }) => [value.name, value.value]));
    expect([shown.get("key.converter"), shown.get("predicates.p.type")]).toEqual([
      "org.apache.kafka.connect.json.JsonConverter",
      `${T}predicates.RecordIsTombstone`,
    ]);
  });
  test("the dead-letter topic may not be read by the sink itself, nor its group be the workers'", async () => {
    const dlq = { "errors.deadletterqueue.topic.name": "t-dlq" };
    expect(await refused({ ...SINK, ...dlq })).toBeNull();
    expect(await refused({ "connector.class": "FileStreamSink", name: "x", "topics.regex": "t.*", ...dlq })).toContain(
      "may not be matched by the regex",
    );
    expect(await refused({ ...SINK, "consumer.override.group.id": "g" })).toContain("conflicts with Connect worker group g");
  });
});
