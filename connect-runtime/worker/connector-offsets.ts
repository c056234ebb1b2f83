/** Offsets of connectors as REST shows and changes them (KIP-875), with Kafka's answers. */
import type { Admin, PartitionOffset, TopicPartition } from "#broker/client/types";
import type { ConnectorPlugin } from "../api/connector.ts";
import { ConnectError } from "../api/errors.ts";
import type { OffsetValue } from "../api/record.ts";
import { groupOf } from "./client-config.ts";
import type { ConfigMap, OffsetEntry, OffsetStore, RequestedOffset } from "./types.ts";

/** Answered as status 400 by its class. */
const badRequest = (message: string): ConnectError =>
  new ConnectError(message, { javaClass: "org.apache.kafka.connect.runtime.rest.errors.BadRequestException", causeClass: "config" });

const done = (verb: "altered" | "reset", bySource: boolean): string =>
  bySource
    ? `The offsets for this connector have been ${verb} successfully`
    : `The Connect framework-managed offsets for this connector have been ${verb} successfully. However, if this connector manages offsets ` +
      `externally, they will need to be manually ${verb} in the system that the connector uses.`;

export async function alterSourceOffsets(
  name: string,
  config: ConfigMap,
  plugin: ConnectorPlugin,
  store: OffsetStore,
  requested: readonly RequestedOffset[] | null,
): Promise<string> {
  const verb = requested === null ? "reset" : "altered";
  const stored = requested === null ? await store.list(name) : [];
  const entries: readonly RequestedOffset[] = requested ?? stored.map((e) => ({ partition: e.partition, offset: null }));
  const agreed =
    plugin.kind === "source" && plugin.alterOffsets !== undefined ? await agreement(() => plugin.alterOffsets?.(config, entries)) : false;
  const writable: OffsetEntry[] = [];
  for (const { partition, offset } of entries) {
    if (partition === null) throw badRequest("Partition objects cannot be null");
    writable.push({ partition, offset });
  }
  await store.write(name, writable);
  return done(verb, agreed);
}

/** What a connector refuses is the caller's mistake; Kafka Connect answers 500 here. */
async function agreement(ask: () => Promise<boolean> | boolean | undefined): Promise<boolean> {
  try {
    return (await ask()) === true;
  } catch (error) {
    if (error instanceof ConnectError && error.causeClass !== "transient") throw badRequest(error.message);
    throw error;
  }
}
export async function sinkOffsets(name: string, config: ConfigMap, admin: Admin): Promise<readonly OffsetEntry[]> {
  const offsets = await admin.groupOffsets(groupOf(name, config));
  return offsets.map((o) => ({
    partition: { kafka_partition: o.partition, kafka_topic: o.topic },
    offset: { kafka_offset: o.offset },
  }));
}

function integer(value: OffsetValue | undefined, what: "partition" | "offset"): number {
  const text = String(value);
  if (/^-?\d+$/.test(text) && BigInt.asIntN(what === "partition" ? 32 : 64, BigInt(text)) === BigInt(text)) return Number(text);
  const [Kind, kind] = what === "partition" ? ["partition", "Partition"] : ["offset", "Offset"];
  throw badRequest(
    `Failed to parse the following Kafka ${Kind} value in the provided offsets: '${text}'. ${kind} values for sink connectors need to be integers.`,
  );
}
/** Later entries of a partition win, as in Kafka Connect. Throws with Kafka's messages. */
function parseSinkOffsets(requested: readonly RequestedOffset[]): Map<string, TopicPartition & { offset: number | null }> {
  const parsed = new Map<string, TopicPartition & { offset: number | null }>();
  for (const { partition, offset } of requested) {
    if (partition === null) throw badRequest("The partition for a sink connector offset cannot be null or missing");
    const { kafka_topic: topic, kafka_partition: number } = partition;
    if (topic === undefined || number === undefined)
      throw badRequest("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'");
    if (topic === null) throw badRequest("Kafka topic names must be valid strings and may not be null");
    if (number === null) throw badRequest("Kafka partitions must be valid numbers and may not be null");
    const index = integer(number, "partition");
    if (offset !== null && offset["kafka_offset"] === undefined)
      throw badRequest("The offset for a sink connector should either be null or contain the key 'kafka_offset'");
    const value = offset === null ? null : integer(offset["kafka_offset"], "offset");
    parsed.set(`${String(topic)}\n${index}`, { topic: String(topic), partition: index, offset: value });
  }
  return parsed;
}
const isActive = (error: unknown): boolean =>
  error instanceof Error && ["UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP", "GROUP_SUBSCRIBED_TO_TOPIC"].includes(error.name);

function groupFailure(name: string, verb: "alter" | "reset", cause: unknown): ConnectError {
  const start = `Failed to ${verb} consumer group offsets for connector ${name}`;
  if (!isActive(cause)) return new ConnectError(start, { causeClass: "transient", cause });
  return new ConnectError(
    `${start} either because its tasks haven't stopped completely yet or the connector was resumed before the request to ${verb} its offsets ` +
      "could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't " +
      "eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks.",
    { causeClass: "transient", cause },
  );
}

/** A commit for a partition that does not exist would be tried for a long time, because a topic may be just appearing. */
async function requirePartitions(admin: Admin, offsets: readonly PartitionOffset[]): Promise<void> {
  const topics = await admin.describeTopics([...new Set(offsets.map((o) => o.topic))]);
  for (const { topic, partition } of offsets) {
    if (partition >= 0 && partition < (topics.get(topic)?.partitions.length ?? 0)) continue;
    throw new ConnectError(`There is no partition ${topic}-${partition}`, {
      javaClass: "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
      causeClass: "config",
    });
  }
}

export async function alterSinkOffsets(
  name: string,
  config: ConfigMap,
  plugin: ConnectorPlugin,
  admin: Admin,
  requested: readonly RequestedOffset[],
): Promise<string> {
  const parsed = [...parseSinkOffsets(requested).values()];
  const agreed =
    plugin.kind === "sink" && plugin.alterOffsets !== undefined ? await agreement(() => plugin.alterOffsets?.(config, requested)) : false;
  const set: PartitionOffset[] = [];
  for (const p of parsed) if (p.offset !== null) set.push({ topic: p.topic, partition: p.partition, offset: p.offset });
  if (set.some((o) => o.offset < 0))
    throw new ConnectError(`Failed to modify offsets for sink connector ${name}`, { causeClass: "config" });
  const remove = parsed.filter((p) => p.offset === null);
  const group = groupOf(name, config);
  try {
    if (set.length > 0) {
      await requirePartitions(admin, set);
      await admin.alterGroupOffsets(group, set);
    }
    if (remove.length > 0) await admin.deleteGroupOffsets(group, remove);
  } catch (error) {
    throw groupFailure(name, "alter", error);
  }
  return done("altered", agreed);
}
export async function resetSinkOffsets(name: string, config: ConfigMap, plugin: ConnectorPlugin, admin: Admin): Promise<string> {
  const agreed = plugin.kind === "sink" && plugin.alterOffsets !== undefined ? await plugin.alterOffsets(config, []) : false;
  try {
    await admin.deleteGroup(groupOf(name, config));
  } catch (error) {
    // Nothing was committed yet, or it has been reset already.
    if (!(error instanceof Error && error.name === "GROUP_ID_NOT_FOUND")) throw groupFailure(name, "reset", error);
  }
  return done("reset", agreed);
}
