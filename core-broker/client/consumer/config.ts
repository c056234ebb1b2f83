/** The consumer's configuration: Kafka's names and defaults. */
import { ConfigReader, invalid } from "../config.ts";
import type { Isolation } from "../list-offsets.ts";
import type { ClientConfig } from "../types.ts";
import { type Assignor, assignorNamed } from "./assignors.ts";

export interface ConsumerConfig {
  readonly groupId: string | null;
  readonly groupInstanceId: string | null;
  readonly assignors: readonly Assignor[];
  readonly isolation: Isolation;
  readonly reset: "earliest" | "latest" | "none";
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly checkCrcs: boolean;
  readonly fetchBytesMin: number;
  readonly fetchBytesMax: number;
  readonly fetchWaitMsMax: number;
  readonly partitionBytesMax: number;
  readonly pollRecordsMax: number;
  readonly pollIntervalMsMax: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rack: string;
  readonly createsTopics: boolean;
  readonly excludeInternal: boolean;
}
export function consumerConfig(config: ClientConfig): ConsumerConfig {
  const read = new ConfigReader(config);
  const groupId = read.text("group.id");
  const names = read.list("partition.assignment.strategy");
  const protocol = read.textOr("group.protocol", "classic");
  if (protocol.toLowerCase() !== "classic") throw invalid("group.protocol", protocol, "only classic is supported");
  return {
    groupId,
    groupInstanceId: read.text("group.instance.id"),
    assignors: (names.length === 0 ? ["range", "cooperative-sticky"] : names).map(assignorNamed),
    isolation: read.oneOf("isolation.level", ["read_committed", "read_uncommitted"], "read_uncommitted"),
    reset: read.oneOf("auto.offset.reset", ["earliest", "latest", "none"], "latest"),
    autoCommit: groupId !== null && read.bool("enable.auto.commit", true),
    autoCommitIntervalMs: read.int("auto.commit.interval.ms", 5000),
    checkCrcs: read.bool("check.crcs", true),
    fetchBytesMin: read.int("fetch.min.bytes", 1),
    fetchBytesMax: read.int("fetch.max.bytes", 52_428_800),
    fetchWaitMsMax: read.int("fetch.max.wait.ms", 500),
    partitionBytesMax: read.int("max.partition.fetch.bytes", 1_048_576),
    pollRecordsMax: read.int("max.poll.records", 500, 1),
    pollIntervalMsMax: read.int("max.poll.interval.ms", 300_000, 1),
    sessionTimeoutMs: read.int("session.timeout.ms", 45_000, 1),
    heartbeatIntervalMs: read.int("heartbeat.interval.ms", 3000, 1),
    rack: read.textOr("client.rack", ""),
    createsTopics: read.bool("allow.auto.create.topics", true),
    excludeInternal: read.bool("exclude.internal.topics", true),
  };
}
