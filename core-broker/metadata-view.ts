/** The coordinators' view of the metadata. */
import type { MetadataImage } from "./controller/image.ts";
import type { MetadataView } from "./coordinator/types.ts";
import type { BrokerEndpoint } from "./handlers/deps.ts";

export function metadataView(
  nodeId: number,
  image: () => MetadataImage,
  brokers: (listener: string) => readonly BrokerEndpoint[],
): MetadataView {
  return {
    nodeId,
    topicsVersion: () => image().topicsVersion,
    topicNames: () => image().topics.keys(),
    topicId: (name) => image().topics.get(name)?.id ?? null,
    topicName: (id) => image().topicsById.get(id)?.name ?? null,
    partitionCount: (topic) => image().topics.get(topic)?.partitions.length ?? null,
    leaderOf: (topic, partition) => image().topics.get(topic)?.partitions[partition]?.leader ?? null,
    endpoint: (id, listener) => brokers(listener).find((broker) => broker.nodeId === id) ?? null,
  };
}
