import { describe, expect, test } from "vitest";
import { creationGroups, newTopicFor } from "#connect/worker/topic-creation";

const DEFAULTS = { "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "-1" };
const groups = (config: Record<string, string>): ReturnType<typeof creationGroups> => creationGroups({}, config);

test("the first group that takes a topic decides, and inherits what it does not say", () => {
  const found = groups({
    ...DEFAULTS,
    "topic.creation.groups": "exact,some,default",
    "topic.creation.exact.include": "db\\.one",
    "topic.creation.some.include": "db\\..*, log",
    "topic.creation.some.exclude": "db\\.two",
    "topic.creation.some.partitions": "4",
    "topic.creation.some.cleanup.policy": "compact",
    "topic.creation.default.retention.ms": "5",
    "topic.creation.default.include": "nothing",
  });
  const exact = { name: "db.one", partitions: 3, replicationFactor: -1, configs: {} };
  const some = { partitions: 4, replicationFactor: -1, configs: { "cleanup.policy": "compact" } };
  const rest = { partitions: 3, replicationFactor: -1, configs: { "retention.ms": "5", include: "nothing" } };
  expect(newTopicFor(found, "db.one")).toEqual(exact);
  expect(newTopicFor(found, "db.three")).toEqual({ name: "db.three", ...some });
  expect(newTopicFor(found, "log")).toEqual({ name: "log", ...some });
  const { include: _ignored, ...configs } = rest.configs;
  for (const name of ["db.two", "catalog", "xdb.one"]) expect(newTopicFor(found, name)).toEqual({ name, ...rest, configs });
});
test("without such settings, or where the worker forbids them, the broker's defaults", () => {
  expect(groups({ topic: "t" })).toBeNull();
  expect(creationGroups({ "topic.creation.enable": "false" }, { "topic.creation.default.partitions": "x" })).toBeNull();
  expect(newTopicFor(null, "t")).toEqual({ name: "t", partitions: -1, replicationFactor: -1 });
});
describe("mistakes, in Kafka Connect's words", () => {
  const positive = "must be positive";
  test.each([
    [
      { "topic.creation.default.partitions": "2" },
      'Missing required configuration "topic.creation.default.replication.factor" which has no',
    ],
    [{ "topic.creation.groups": "g" }, 'Missing required configuration "topic.creation.default.replication.factor" which has no'],
    [
      { ...DEFAULTS, "topic.creation.default.partitions": "0" },
      `Invalid value 0 for configuration partitions: Number of partitions ${positive}`,
    ],
    [
      { ...DEFAULTS, "topic.creation.default.partitions": "x" },
      "Invalid value x for configuration topic.creation.default.partitions: Not a number of type INT",
    ],
    [
      { ...DEFAULTS, "topic.creation.default.replication.factor": "0" },
      `Invalid value 0 for configuration replication.factor: Replication factor ${positive}`,
    ],
    [
      { ...DEFAULTS, "topic.creation.groups": "g", "topic.creation.g.include": "[" },
      "Invalid value [[] for configuration include: Syntax error in regular expression: ",
    ],
  ])("%o", (config, message) => {
    expect(() => groups(config)).toThrow(message);
  });
});
