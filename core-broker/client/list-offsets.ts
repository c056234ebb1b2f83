/** ListOffsets over the leaders of many partitions, with retries where leadership moves. */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { listOffsets } from "../protocol/messages/index.ts";
import type { Cluster } from "./cluster.ts";
import { retrying } from "./retry.ts";
import type { TopicPartition } from "./types.ts";

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
/** The record with the highest timestamp (KIP-734; brokers from 3.0). */
export const MAX_TIMESTAMP = -3;
const MAX_TIMESTAMP_VERSION = 7;
export type Isolation = "read_committed" | "read_uncommitted";

export interface ListedOffset {
  readonly offset: number;
  /** Milliseconds since 1970 of the record there; -1 where a position was asked for, or nothing was found. */
  readonly timestamp: number;
}
export const partitionKey = (each: TopicPartition): string => `${each.topic}-${each.partition}`;

/**
 * Offsets in the order of `partitions`. `timestamp`: LATEST_TIMESTAMP (high watermark, or the last stable offset for
 * read_committed), EARLIEST_TIMESTAMP, or milliseconds (-1 in the answer: nothing that young).
 * Throws UNKNOWN_TOPIC_OR_PARTITION for what does not exist when `timeoutMs` is over.
 */
export async function offsetsAt(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: number,
  isolation: Isolation,
  timeoutMs: number,
): Promise<number[]> {
  return (await listedAt(cluster, partitions, timestamp, isolation, timeoutMs)).map((each) => each.offset);
}
/** The same with the timestamps of the records. Throws UNSUPPORTED_VERSION where a broker does not know MAX_TIMESTAMP. */
export async function listedAt(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: number,
  isolation: Isolation,
  timeoutMs: number,
): Promise<ListedOffset[]> {
  const found = new Map<string, ListedOffset>();
  cluster.want(partitions.map((each) => each.topic));
  await retrying(
    cluster,
    "listing offsets",
    timeoutMs,
    async () => {
      const open = partitions.filter((each) => !found.has(partitionKey(each)));
      if (open.some((each) => cluster.metadata.leaderOf(each.topic, each.partition) < 0)) await cluster.refresh();
      const byLeader = Map.groupBy(open, (each) => cluster.metadata.leaderOf(each.topic, each.partition));
      const missing = byLeader.get(-1)?.[0];
      const asked = [...byLeader].filter(([leader]) => leader >= 0);
      await Promise.all(asked.map(([leader, group]) => askLeader(cluster, leader, group, timestamp, isolation, found)));
      if (missing !== undefined) {
        const known = cluster.metadata.topic(missing.topic)?.partitions[missing.partition] !== undefined;
        const code = known ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        throw new KafkaError(code, `${partitionKey(missing)}: no leader known`);
      }
    },
    () => cluster.requestUpdate(),
  );
  return partitions.map((each) => found.get(partitionKey(each)) ?? { offset: -1, timestamp: -1 });
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  partitions: readonly TopicPartition[],
  timestamp: number,
  isolation: Isolation,
  found: Map<string, ListedOffset>,
): Promise<void> {
  const topics = [...Map.groupBy(partitions, (each) => each.topic)].map(([name, group]) => ({
    name,
    partitions: group.map((each) => ({ partitionIndex: each.partition, currentLeaderEpoch: -1, timestamp })),
  }));
  const { body } = await cluster.send(leader, listOffsets, (version) => {
    if (timestamp === MAX_TIMESTAMP && version < MAX_TIMESTAMP_VERSION)
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, "the broker cannot look for the highest timestamp");
    return {
      replicaId: -1,
      ...(version >= 2 ? { isolationLevel: isolation === "read_committed" ? 1 : 0 } : {}),
      topics,
      timeoutMs: cluster.config.requestTimeoutMs,
    };
  });
  for (const topic of body.topics) {
    for (const answer of topic.partitions) {
      const name = `${topic.name}-${answer.partitionIndex}`;
      if (answer.errorCode !== ErrorCode.NONE) throw new KafkaError(answer.errorCode, `${name}: offsets could not be listed`);
      found.set(name, { offset: answer.offset, timestamp: answer.timestamp });
    }
  }
}
