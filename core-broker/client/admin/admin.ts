/** The Admin client: one cluster connection, one function per request in the neighbouring files. */
import { Cluster } from "../cluster.ts";
import type { ClientDeps } from "../deps.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listedAt, MAX_TIMESTAMP, offsetsAt } from "../list-offsets.ts";
import type { Admin, ClientConfig } from "../types.ts";
import { alterTopicConfigs, describeTopicConfigs } from "./configs.ts";
import { alterGroupOffsets, deleteGroup, deleteGroupOffsets, fenceProducers, groupOffsets, removeMembers } from "./groups.ts";
import { createTopics, deleteTopics, describeTopics, listTopics } from "./topics.ts";

/** Connects on first use; calls fail after `default.api.timeout.ms` with the code of the last error. */
export function createAdmin(config: ClientConfig, deps: ClientDeps): Admin {
  const cluster = new Cluster(config, deps);
  const timeoutMs = cluster.config.defaultApiTimeoutMs;
  return {
    clusterId: async () => {
      await cluster.awaitBrokers(timeoutMs);
      return cluster.metadata.clusterId;
    },
    createTopics: (topics) => createTopics(cluster, topics),
    deleteTopics: (names) => deleteTopics(cluster, names),
    describeTopics: (names) => describeTopics(cluster, names),
    listTopics: () => listTopics(cluster),
    describeTopicConfigs: (name) => describeTopicConfigs(cluster, name),
    alterTopicConfigs: (name, set) => alterTopicConfigs(cluster, name, set),
    endOffsets: (partitions, isolation = "read_uncommitted") => offsetsAt(cluster, partitions, LATEST_TIMESTAMP, isolation, timeoutMs),
    beginningOffsets: (partitions) => offsetsAt(cluster, partitions, EARLIEST_TIMESTAMP, "read_uncommitted", timeoutMs),
    recordTimes: async (partitions, which) => {
      const listed = await listedAt(cluster, partitions, which === "first" ? 0 : MAX_TIMESTAMP, "read_uncommitted", timeoutMs);
      return listed.map((each) => (each.timestamp < 0 ? null : each.timestamp));
    },
    groupOffsets: (groupId) => groupOffsets(cluster, groupId),
    alterGroupOffsets: (groupId, offsets) => alterGroupOffsets(cluster, groupId, offsets),
    deleteGroupOffsets: (groupId, partitions) => deleteGroupOffsets(cluster, groupId, partitions),
    deleteGroup: (groupId) => deleteGroup(cluster, groupId),
    removeMembers: (groupId, isGone) => removeMembers(cluster, groupId, isGone),
    fenceProducers: (transactionalIds) => fenceProducers(cluster, transactionalIds),
    close: async () => cluster.close(),
  };
}
