/** How the coordinators' state topics, and topics that a client's Metadata request creates, look when they are made. */
import type { BrokerConfig } from "./config.ts";
import { brokerKeys } from "./config.ts";
import type { NewTopicSpec } from "./controller/topics.ts";

export const OFFSETS_TOPIC = "__consumer_offsets";
export const TRANSACTIONS_TOPIC = "__transaction_state";

/** Replication factors above the number of brokers are lowered: Kafka's default of 3 would make a single broker useless. */
export function automaticTopic(config: BrokerConfig, name: string, brokerCount: number): NewTopicSpec {
  const value = (key: string): string => config.properties[key] ?? brokerKeys.get(key)?.default ?? "";
  const factor = (key: string): number => Math.min(Number(value(key)), brokerCount);
  if (name === OFFSETS_TOPIC) {
    return spec(name, Number(value("offsets.topic.num.partitions")), factor("offsets.topic.replication.factor"), {
      "cleanup.policy": "compact",
      "compression.type": "producer",
      "segment.bytes": value("offsets.topic.segment.bytes"),
    });
  }
  if (name === TRANSACTIONS_TOPIC) {
    const replicas = factor("transaction.state.log.replication.factor");
    return spec(name, Number(value("transaction.state.log.num.partitions")), replicas, {
      "cleanup.policy": "compact",
      "compression.type": "uncompressed",
      "min.insync.replicas": String(Math.min(Number(value("transaction.state.log.min.isr")), replicas)),
      "segment.bytes": value("transaction.state.log.segment.bytes"),
      "unclean.leader.election.enable": "false",
    });
  }
  return spec(name, config.numPartitions, Math.min(config.defaultReplicationFactor, brokerCount), {});
}
const spec = (name: string, numPartitions: number, replicationFactor: number, configs: Readonly<Record<string, string>>): NewTopicSpec => ({
  name,
  numPartitions,
  replicationFactor,
  assignments: [],
  configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
});
