/** The image said again as the fewest records that give it. */
import * as r from "../protocol/state/metadata-records.ts";
import type { MetadataImage, PartitionImage } from "./image.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";

export function* snapshotRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const [name, featureLevel] of image.features) yield metadataRecord(r.featureLevelRecord, { name, featureLevel });
  for (const broker of image.brokers.values()) {
    yield metadataRecord(r.registerBrokerRecord, {
      brokerId: broker.id,
      incarnationId: broker.incarnationId,
      brokerEpoch: broker.epoch,
      endPoints: broker.endpoints,
      rack: broker.rack,
      fenced: broker.fenced,
    });
  }
  for (const topic of image.topics.values()) {
    yield metadataRecord(r.topicRecord, { name: topic.name, topicId: topic.id });
    for (const partition of topic.partitions) yield metadataRecord(r.partitionRecord, partitionFields(topic.id, partition), 1);
  }
  for (const resourceType of [2, 4, 8, 16, 32]) {
    for (const resourceName of image.configured(resourceType)) {
      for (const [name, value] of image.configs(resourceType, resourceName)) {
        yield metadataRecord(r.configRecord, { resourceType, resourceName, name, value });
      }
    }
  }
  yield* principalRecords(image);
  if (image.nextProducerId > 0) yield metadataRecord(r.producerIdsRecord, { brokerId: 0, nextProducerId: image.nextProducerId });
}
function* principalRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const acl of image.acls.values()) yield metadataRecord(r.accessControlEntryRecord, acl);
  for (const { user, ...credential } of image.scram.values()) {
    yield metadataRecord(r.userScramCredentialRecord, { name: user, ...credential });
  }
  for (const { entity, values } of image.quotas.values()) {
    for (const [key, value] of values) yield metadataRecord(r.clientQuotaRecord, { entity, key, value, remove: false });
  }
}

const partitionFields = (topicId: string, partition: PartitionImage): object => ({
  partitionId: partition.partition,
  topicId,
  replicas: partition.replicas,
  isr: partition.isr,
  leader: partition.leader,
  leaderEpoch: partition.leaderEpoch,
  partitionEpoch: partition.partitionEpoch,
  directories: partition.directories,
});
