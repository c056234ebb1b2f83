/** Makes the partitions on disk follow the metadata: at start, and with every change of it. */
import type { Logger } from "./base/logger.ts";
import type { Controller, MetadataChange } from "./controller/controller.ts";
import type { EffectiveConfig } from "./controller/configs/effective.ts";
import { ResourceType, type TopicImage } from "./controller/image.ts";
import type { LogManager } from "./replication/types.ts";

export interface PartitionSyncOptions {
  readonly controller: Controller;
  readonly effective: EffectiveConfig;
  readonly logs: LogManager;
  readonly nodeId: number;
  readonly logger: Logger;
  /** Folders that could not be used at the start. */
  readonly failedDirs?: readonly { readonly path: string }[];
}
const overridesOf = (controller: Controller, topic: string): Record<string, string> =>
  Object.fromEntries(controller.image.configs(ResourceType.TOPIC, topic));

/**
 * What the metadata has and the disk has not is made; what the metadata says is deleted goes. A partition that the metadata
 * never heard of is left alone and named: it may be the only trace of data whose metadata was lost.
 */
export function syncAtStart(options: PartitionSyncOptions, removedTopicIds: ReadonlySet<string>): void {
  const { controller, logs, logger, effective } = options;
  logs.updateBrokerConfig(effective.brokerProperties());
  for (const partition of logs.all()) {
    const topic = controller.image.topics.get(partition.topic);
    if (topic?.id === partition.topicId && partition.partition < topic.partitions.length) continue;
    if (removedTopicIds.has(partition.topicId)) logs.delete(partition.topic, partition.partition);
    else
      logger.warn("a partition on disk is not in the metadata; it is not served", {
        topic: partition.topic,
        partition: partition.partition,
      });
  }
  for (const topic of controller.image.topics.values()) createFrom(options, topic, 0);
}
export function syncChange(options: PartitionSyncOptions, change: MetadataChange): void {
  const { controller, logs, effective } = options;
  for (const topic of change.deleted) for (const { partition } of topic.partitions) logs.delete(topic.name, partition);
  for (const topic of change.created) createFrom(options, topic, 0);
  for (const { topic, from } of change.grown) createFrom(options, topic, from);
  for (const { resourceType, resourceName } of change.configs) {
    if (resourceType === ResourceType.TOPIC) logs.updateTopicConfig(resourceName, overridesOf(controller, resourceName));
    if (resourceType === ResourceType.BROKER) logs.updateBrokerConfig(effective.brokerProperties());
  }
}
/** A partition that cannot be made is offline: clients get KAFKA_STORAGE_ERROR or UNKNOWN_TOPIC_OR_PARTITION for it, the others work. */
function createFrom(options: PartitionSyncOptions, topic: TopicImage, from: number): void {
  const { controller, logs, nodeId, logger } = options;
  const config = overridesOf(controller, topic.name);
  const failed = logs.directories().find(({ path }) => options.failedDirs?.some((each) => each.path === path));
  for (const { partition, replicas, leaderEpoch, directories } of topic.partitions.slice(from)) {
    if (!replicas.includes(nodeId)) continue;
    const directoryId = directories[replicas.indexOf(nodeId)] ?? "";
    const isHere = failed === undefined || logs.get(topic.name, partition) !== undefined || logs.onlineDirectoryIds().includes(directoryId);
    if (!isHere && failed.error !== null) {
      // Its data is in a folder that failed: an empty one in its place would look like a loss.
      logs.markOffline(topic.name, partition, failed.error);
      continue;
    }
    try {
      logs.create(topic.name, partition, { topicId: topic.id, config, leaderEpoch, directoryId }).setLeaderEpoch(leaderEpoch);
    } catch (error) {
      logger.error("a partition could not be made", {
        topic: topic.name,
        partition,
        reason: error instanceof Error ? error.message : error,
      });
    }
  }
}
