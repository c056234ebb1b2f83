/** The first records of topics, read without a group: nothing is committed, nobody is disturbed. */
import type { ClientConfig, ConsumedRecord, KafkaClients, TopicPartition } from "#broker/client/types";
import { ConnectError } from "../api/errors.ts";
import { JavaRegex } from "../api/java-regex.ts";
import { listOf } from "../worker/settings.ts";
import type { ConfigMap } from "../worker/types.ts";

const READ_MS = 10_000;
const POLL_MS = 250;

/** Throws ConnectError for topics that are not there. */
export async function readTopics(
  clients: KafkaClients,
  config: ClientConfig,
  connector: ConfigMap,
  limit: number,
): Promise<readonly ConsumedRecord[]> {
  return readPartitions(clients, config, await partitionsOf(clients, config, connector), limit, null);
}
async function partitionsOf(clients: KafkaClients, config: ClientConfig, connector: ConfigMap): Promise<readonly TopicPartition[]> {
  const admin = await clients.admin({ ...config });
  try {
    const pattern = connector["topics.regex"] ?? "";
    const regex = pattern === "" ? null : new JavaRegex(pattern);
    const names = regex === null ? listOf(connector, "topics") : (await admin.listTopics()).filter((t) => regex.matches(t));
    const found = await admin.describeTopics(names);
    if (found.size === 0) throw new ConnectError(`There is no topic ${names.join(", ") || pattern}`, { causeClass: "config" });
    return [...found.values()].flatMap((t) => t.partitions.map((p) => ({ topic: t.name, partition: p.partition })));
  } finally {
    await admin.close();
  }
}
/** `from`: first offset of each partition; null: the oldest. Records are copies. In order within a partition. */
export async function readPartitions(
  clients: KafkaClients,
  config: ClientConfig,
  partitions: readonly TopicPartition[],
  limit: number,
  from: number | null,
): Promise<readonly ConsumedRecord[]> {
  if (partitions.length === 0) return [];
  const { "group.id": _group, ...withoutGroup } = config;
  const consumer = await clients.consumer({ ...withoutGroup, "auto.offset.reset": "earliest", "enable.auto.commit": "false" });
  try {
    const [starts, ends] = await Promise.all([consumer.beginningOffsets(partitions), consumer.endOffsets(partitions)]);
    consumer.assign(partitions);
    const open = new Map<string, number>();
    for (const [i, p] of partitions.entries()) {
      const first = Math.max(from ?? 0, starts[i] ?? 0);
      const end = ends[i] ?? 0;
      consumer.seek(p, first);
      if (end > first) open.set(`${p.topic}-${p.partition}`, end);
    }
    const records: ConsumedRecord[] = [];
    const deadline = performance.now() + READ_MS;
    while (open.size > 0 && records.length < limit && performance.now() < deadline) {
      for (const record of await consumer.poll(POLL_MS)) if (records.length < limit) records.push(copied(record));
      for (const p of partitions) {
        const key = `${p.topic}-${p.partition}`;
        if ((consumer.position(p) ?? 0) >= (open.get(key) ?? 0)) open.delete(key);
      }
    }
    return records;
  } finally {
    await consumer.close();
  }
}
/** Out of the fetched frame, which the next poll may reuse. */
const copied = (r: ConsumedRecord): ConsumedRecord => ({
  ...r,
  key: r.key === null ? null : Buffer.from(r.key),
  value: r.value === null ? null : Buffer.from(r.value),
  headers: r.headers.map((h) => ({ key: h.key, value: h.value === null ? null : Buffer.from(h.value) })),
});
