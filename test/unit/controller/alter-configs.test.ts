import { describe, expect, test } from "vitest";
import { alterConfigs, type AlterContext, type ResourceChange } from "#broker/controller/configs/alter";
import { EffectiveConfig } from "#broker/controller/configs/effective";
import { ResourceType } from "#broker/controller/image";
import { replay } from "#broker/controller/replay";
import { createTopics } from "#broker/controller/topics";
import { imageOf } from "./image-of.ts";

const SET = 0;
const DELETE = 1;
const APPEND = 2;
interface Fixture {
  readonly change: (resourceType: number, resourceName: string, name: string, value: string | null, operation?: number) => unknown;
  readonly effective: EffectiveConfig;
  readonly context: AlterContext;
}
function fixture(): Fixture {
  const image = imageOf();
  const spec = { name: "t", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  const defaults = {
    numPartitions: 1,
    replicationFactor: 1,
    newTopicId: () => "AAAAAAAAAAAAAAAAAAAAZg",
    directoryId: "AAAAAAAAAAAAAAAAAAAAZg",
  };
  for (const record of createTopics(image, [spec], defaults).records) replay(image, record, image.offset + 1);
  const effective = new EffectiveConfig({ image: () => image, nodeId: 1, properties: { "log.retention.hours": "2" } });
  const context: AlterContext = {
    image,
    nodeId: 1,
    brokerValue: (name) => effective.brokerValue(name),
    inherited: (type, name) => (type === ResourceType.TOPIC ? effective.topicDefault(name) : effective.brokerValue(name)),
  };
  const run = (resources: readonly ResourceChange[]): unknown => {
    const { records, response } = alterConfigs(context, resources);
    for (const record of records) replay(image, record, image.offset + 1);
    return response[0]?.errorMessage ?? response[0]?.errorCode;
  };
  return {
    context,
    effective,
    change: (resourceType, resourceName, name, value, operation = SET) =>
      run([{ resourceType, resourceName, changes: [{ name, value, operation }], replace: false }]),
  };
}
const { TOPIC, BROKER, GROUP, CLIENT_METRICS } = ResourceType;

describe("alter configs", () => {
  // Texts as Apache Kafka 4.1 answers.
  test.each<[number, string, string, string | null, string]>([
    [
      BROKER,
      "1",
      "num.io.threads",
      "17",
      `Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for num.io.threads=17, value should not be greater than double the current value 8 for configuration Invalid dynamic configuration`,
    ],
    [
      BROKER,
      "1",
      "num.io.threads",
      "3",
      `Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for num.io.threads=3, value should be at least half the current value 8 for configuration Invalid dynamic configuration`,
    ],
    [
      BROKER,
      "",
      "num.io.threads",
      "40",
      `Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for num.io.threads=40, value should not be greater than double the current value 8 for configuration Invalid dynamic configuration`,
    ],
    [
      BROKER,
      "1",
      "num.recovery.threads.per.data.dir",
      "5",
      `Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for num.recovery.threads.per.data.dir=5, value should not be greater than double the current value 2 for configuration Invalid dynamic configuration`,
    ],
    [
      BROKER,
      "1",
      "log.cleaner.threads",
      "9",
      `Invalid value org.apache.kafka.common.config.ConfigException: Log cleaner threads cannot be increased to more than double the current value 1 for configuration Invalid dynamic configuration`,
    ],
    [BROKER, "1", "log.cleaner.threads", "0", `/ by zero`],
    [
      BROKER,
      "1",
      "log.cleaner.dedupe.buffer.size",
      "1048575",
      `requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.`,
    ],
    [
      BROKER,
      "",
      "ssl.keystore.location",
      "/x",
      `These security configs can be dynamically updated only per-listener using the listener prefix: HashSet(ssl.keystore.location)`,
    ],
    [
      BROKER,
      "1",
      "max.connections.per.ip",
      "0",
      `requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.`,
    ],
    [
      BROKER,
      "1",
      "max.connections.per.ip.overrides",
      "junk",
      `Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 4`,
    ],
    [
      GROUP,
      "g",
      "share.auto.offset.reset",
      "by_duration:-PT1H",
      `Invalid value by_duration:-PT1H for configuration share.auto.offset.reset: Invalid value \`by_duration:-PT1H\` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
    ],
    [
      GROUP,
      "g",
      "share.auto.offset.reset",
      "EARLIEST",
      `Invalid value EARLIEST for configuration share.auto.offset.reset: Invalid value \`EARLIEST\` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
    ],
    [CLIENT_METRICS, "m", "interval.ms", "5", `Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)`],
    [CLIENT_METRICS, "m", "nope", "1", `Unknown client metrics configuration: nope`],
    [CLIENT_METRICS, "m", "match", "client_id=a,foo=b", `Illegal client matching pattern: foo=b`],
    [CLIENT_METRICS, "m", "match", "client_id=a=b", `Illegal client matching pattern: client_id=a=b`],
    [TOPIC, "none", "retention.ms", "1", "The topic 'none' does not exist."],
    [TOPIC, "t", "retention.ms", null, "Null value not supported for : retention.ms"],
    [TOPIC, "t", "retention.ms", "-5", "Invalid value -5 for configuration retention.ms: Value must be at least -1"],
    [BROKER, "9", "log.retention.ms", "1", "Unexpected broker id, expected 1 or empty string, but received 9"],
    [BROKER, "1", "log.dirs", "/x", "Cannot update these configs dynamically: Set(log.dirs)"],
    [BROKER, "1", "num.io.threads", "x", "Invalid value x for configuration num.io.threads: Not a number of type INT"],
    [GROUP, "", "consumer.session.timeout.ms", "50000", "Default group resources are not allowed."],
    [GROUP, "g", "nope", "5", "Unknown group config name: nope"],
    [
      GROUP,
      "g",
      "consumer.session.timeout.ms",
      "5",
      "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
    ],
    [CLIENT_METRICS, "", "metrics", "a", "Subscription name can't be empty"],
  ])("resource type %i, %j: %s=%j is refused", (type, name, key, value, message) => {
    expect(fixture().change(type, name, key, value)).toBe(message);
  });
  test("one resource twice in a request, one key twice in a resource", () => {
    const { context } = fixture();
    const change = { name: "retention.ms", value: "1", operation: SET };
    const resource = { resourceType: TOPIC, resourceName: "t", changes: [change], replace: false };
    expect(alterConfigs(context, [resource, resource]).response.map(({ errorMessage }) => errorMessage)).toEqual([
      "Each resource must appear at most once.",
      "Each resource must appear at most once.",
    ]);
    expect(alterConfigs(context, [{ ...resource, changes: [change, change] }]).response[0]?.errorMessage).toBe(
      "Error due to duplicate config keys",
    );
  });
  test("a value falls back from topic to broker to all brokers to the file to Kafka's default", () => {
    const { change, effective, context } = fixture();
    const see = (name: string): unknown => {
      const found = effective.topic(context.image.configs(TOPIC, "t")).find((entry) => entry.name === name);
      return [found?.value, found?.source];
    };
    expect(see("segment.bytes")).toEqual(["1073741824", 5]);
    // Kafka names the source by the setting's own broker name; hours alone leave it at the default.
    expect(see("retention.ms")).toEqual(["7200000", 5]);
    change(BROKER, "", "log.retention.ms", "6000");
    expect(see("retention.ms")).toEqual(["6000", 3]);
    change(BROKER, "1", "log.retention.ms", "5000");
    expect(see("retention.ms")).toEqual(["5000", 2]);
    change(TOPIC, "t", "retention.ms", "4000");
    expect(see("retention.ms")).toEqual(["4000", 1]);
    change(TOPIC, "t", "retention.ms", null, DELETE);
    expect(see("retention.ms")).toEqual(["5000", 2]);
    expect(effective.brokerProperties()).toMatchObject({ "log.retention.ms": "5000", "log.retention.hours": "2" });
  });
  test("the old AlterConfigs takes away what it does not name", () => {
    const { change, context } = fixture();
    change(TOPIC, "t", "retention.ms", "4000");
    change(TOPIC, "t", "cleanup.policy", "compact", APPEND);
    const { records } = alterConfigs(context, [
      { resourceType: TOPIC, resourceName: "t", changes: [{ name: "retention.bytes", value: "7", operation: SET }], replace: true },
    ]);
    expect(records.map(({ value }) => value)).toEqual([
      { resourceType: TOPIC, resourceName: "t", name: "retention.ms", value: null },
      { resourceType: TOPIC, resourceName: "t", name: "cleanup.policy", value: null },
      { resourceType: TOPIC, resourceName: "t", name: "retention.bytes", value: "7" },
    ]);
  });
});
