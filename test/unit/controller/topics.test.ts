import { describe, expect, test } from "vitest";
import { replay } from "#broker/controller/replay";
import { createPartitions, createTopics, deleteTopics, isRefusal, type NewTopicSpec, type TopicDefaults } from "#broker/controller/topics";
import { ZERO_UUID } from "#broker/protocol/schema";
import { imageOf } from "./image-of.ts";

let ids = 0;
const defaults: TopicDefaults = {
  numPartitions: 3,
  replicationFactor: 1,
  newTopicId: () => Buffer.alloc(16, ++ids).toString("base64url"),
  directoryId: "AAAAAAAAAAAAAAAAAAAAAw",
};
const spec = (name: string, more: Partial<NewTopicSpec> = {}): NewTopicSpec => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
});
const withTopics = (...names: string[]): ReturnType<typeof imageOf> => {
  const image = imageOf();
  for (const record of createTopics(
    image,
    names.map((name) => spec(name)),
    defaults,
  ).records)
    replay(image, record, image.offset + 1);
  return image;
};
const outcome = (image: ReturnType<typeof imageOf>, more: NewTopicSpec): unknown => {
  const [only] = createTopics(image, [more], defaults).response;
  return only !== undefined && isRefusal(only) ? [only.errorCode, only.errorMessage] : "created";
};

// Codes and texts as Apache Kafka 4.1 answers.
const REFUSED: readonly [string, NewTopicSpec, number, string][] = [
  [
    "a blank",
    spec("a b"),
    17,
    "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  ],
  ["two dots", spec(".."), 17, "Topic name is invalid: '..' is not allowed"],
  ["no name", spec(""), 17, "Topic name is invalid: the empty string is not allowed"],
  [
    "a long name",
    spec("x".repeat(250)),
    17,
    `Topic name is invalid: the length of '${"x".repeat(250)}' is longer than the max allowed length 249`,
  ],
  ["a taken name", spec("known"), 36, "Topic 'known' already exists."],
  ["a colliding name", spec("a_b"), 17, "Topic 'a_b' collides with existing topic: a.b"],
  ["the metadata topic", spec("__cluster_metadata"), 42, "Creation of internal topic __cluster_metadata is prohibited."],
  ["no partitions", spec("n", { numPartitions: 0 }), 37, "Number of partitions was set to an invalid non-positive value."],
  ["no replicas", spec("n", { replicationFactor: 0 }), 38, "Replication factor must be larger than 0, or -1 to use the default value."],
  [
    "too many replicas",
    spec("n", { replicationFactor: 77 }),
    38,
    "Unable to replicate the partition 77 time(s): The target replication factor of 77 cannot be reached because only 1 broker(s) are registered.",
  ],
  ["too many partitions", spec("n", { numPartitions: 1_000_000 }), 44, "Excessively large number of partitions per request."],
  ["an unknown setting", spec("n", { configs: [{ name: "nope", value: "1" }] }), 40, "Unknown topic config name: nope"],
  [
    "a wrong number",
    spec("n", { configs: [{ name: "segment.bytes", value: "x" }] }),
    40,
    "Invalid value x for configuration segment.bytes: Not a number of type INT",
  ],
  [
    "a wrong policy",
    spec("n", { configs: [{ name: "cleanup.policy", value: "bad" }] }),
    40,
    "Invalid value bad for configuration cleanup.policy: String must be one of: compact, delete",
  ],
  [
    "a number out of range",
    spec("n", { configs: [{ name: "min.cleanable.dirty.ratio", value: "7" }] }),
    40,
    "Invalid value 7.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
  ],
  [
    "lags that contradict each other",
    spec("n", {
      configs: [
        { name: "min.compaction.lag.ms", value: "10" },
        { name: "max.compaction.lag.ms", value: "5" },
      ],
    }),
    40,
    "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)",
  ],
  [
    "an unknown broker",
    spec("n", { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [9] }] }),
    39,
    "The manual partition assignment includes broker 9, but no such broker is registered.",
  ],
  [
    "a gap in the assignments",
    spec("n", { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 1, brokerIds: [1] }] }),
    39,
    "partitions should be a consecutive 0-based integer sequence",
  ],
  [
    "a broker twice",
    spec("n", { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }] }),
    39,
    "The manual partition assignment includes the broker 1 more than once.",
  ],
];

describe("topics", () => {
  test.each(REFUSED)("%s is refused with Kafka's code and words", (_what, wrong, code, message) => {
    expect(outcome(withTopics("known", "a.b"), wrong)).toEqual([code, message]);
  });
  test("defaults, assignments and settings end up in the image", () => {
    const image = imageOf();
    const { records, response } = createTopics(
      image,
      [
        spec("by-default", { numPartitions: -1, replicationFactor: -1 }),
        spec("by-hand", {
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [1, 0].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] })),
        }),
        spec("with-settings", { configs: [{ name: "retention.ms", value: "5" }] }),
      ],
      defaults,
    );
    expect(image.topics.size).toBe(0); // a command changes nothing
    for (const record of records) replay(image, record, image.offset + 1);
    expect(response.every((each) => !isRefusal(each))).toBe(true);
    expect([...image.topics.values()].map(({ name, partitions }) => [name, partitions.map(({ leader }) => leader)])).toEqual([
      ["by-default", [1, 1, 1]],
      ["by-hand", [1, 1]],
      ["with-settings", [1]],
    ]);
    expect(image.configs(2, "with-settings").get("retention.ms")).toBe("5");
  });
  test("a name that comes twice in one request is refused both times", () => {
    const { records, response } = createTopics(imageOf(), [spec("dup"), spec("dup")], defaults);
    expect(records).toEqual([]);
    expect(response.map((each) => (isRefusal(each) ? each.errorCode : 0))).toEqual([42, 42]);
  });
  test("deleting by name and by id takes the settings along; unknown ones are told", () => {
    const image = withTopics("one", "two");
    const id = image.topics.get("two")?.id ?? "";
    const { records, response } = deleteTopics(image, [
      { name: "one", topicId: ZERO_UUID },
      { name: null, topicId: id },
      { name: "none", topicId: ZERO_UUID },
      { name: null, topicId: "AAAAAAAAAAAAAAAAAAAAZg" },
    ]);
    for (const record of records) replay(image, record, image.offset + 1);
    expect(response.map(({ errorCode }) => errorCode)).toEqual([0, 0, 3, 100]);
    expect(response[1]).toMatchObject({ name: "two", topicId: id });
    expect([image.topics.size, image.topicsById.size]).toEqual([0, 0]);
  });
  test("partitions can only be added", () => {
    const image = withTopics("t");
    const grow = (count: number, assignments: { brokerIds: number[] }[] | null = null): unknown => {
      const { records, response } = createPartitions(image, [{ name: "t", count, assignments }], defaults);
      for (const record of records) replay(image, record, image.offset + 1);
      return response[0]?.errorMessage ?? response[0]?.errorCode;
    };
    expect(grow(4)).toBe(0);
    expect(image.topics.get("t")?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    expect(grow(4)).toBe("Topic already has 4 partition(s).");
    expect(grow(2)).toBe("The topic t currently has 4 partition(s); 2 would not be an increase.");
    expect(grow(6, [{ brokerIds: [1] }])).toBe("Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
    expect(grow(5, [{ brokerIds: [1] }])).toBe(0);
  });
});
