/** The only place that changes the image: one record, one change. Replaying the log from its start gives the same image. */
import type { RecordOf } from "../protocol/schema.ts";
import * as r from "../protocol/state/metadata-records.ts";
import { type MutableImage, type PartitionImage, quotaKey, ResourceType, scramKey } from "./image.ts";
import type { MetadataRecord } from "./metadata-record.ts";

type Apply = (image: MutableImage, value: never) => void;
const appliers = new Map<number, Apply>();
const on = <T extends { readonly type: number }>(type: T, apply: (image: MutableImage, value: RecordOf<T>) => void): void => {
  appliers.set(type.type, apply as Apply);
};

/** `offset` is the record's own. */
export function replay(image: MutableImage, record: MetadataRecord, offset: number): void {
  // The value was decoded by, or checked against, the declaration that the applier was registered with.
  appliers.get(record.type.type)?.(image, record.value as never);
  image.offset = offset;
}

on(r.topicRecord, (image, { name, topicId }) => {
  const topic = { name, id: topicId, partitions: [] };
  image.topics.set(name, topic);
  image.topicsById.set(topicId, topic);
  image.topicsVersion++;
});
on(r.removeTopicRecord, (image, { topicId }) => {
  const topic = image.topicsById.get(topicId);
  if (topic === undefined) return;
  image.topicsById.delete(topicId);
  image.topics.delete(topic.name);
  image.configsByType.get(ResourceType.TOPIC)?.delete(topic.name);
  image.topicsVersion++;
});
on(r.partitionRecord, (image, value) => {
  putPartition(image, value.topicId, {
    partition: value.partitionId,
    replicas: value.replicas,
    isr: value.isr,
    leader: value.leader,
    leaderEpoch: value.leaderEpoch,
    partitionEpoch: value.partitionEpoch,
    directories: value.directories ?? [],
  });
});
/** leader -2: unchanged; the leader epoch grows with each change of leader. */
on(r.partitionChangeRecord, (image, value) => {
  const before = image.topicsById.get(value.topicId)?.partitions[value.partitionId];
  if (before === undefined) return;
  const leader = value.leader ?? -2;
  putPartition(image, value.topicId, {
    partition: before.partition,
    replicas: value.replicas ?? before.replicas,
    isr: value.isr ?? before.isr,
    leader: leader === -2 ? before.leader : leader,
    leaderEpoch: leader === -2 ? before.leaderEpoch : before.leaderEpoch + 1,
    partitionEpoch: before.partitionEpoch + 1,
    directories: value.directories ?? before.directories,
  });
});
function putPartition(image: MutableImage, topicId: string, partition: PartitionImage): void {
  const topic = image.topicsById.get(topicId);
  if (topic === undefined) return;
  const partitions = [...topic.partitions];
  partitions[partition.partition] = partition;
  const changed = { name: topic.name, id: topic.id, partitions };
  image.topicsById.set(topicId, changed);
  image.topics.set(topic.name, changed);
  image.topicsVersion++;
}
on(r.configRecord, (image, { resourceType, resourceName, name, value }) => {
  let resources = image.configsByType.get(resourceType);
  if (resources === undefined) image.configsByType.set(resourceType, (resources = new Map()));
  const configs = new Map(resources.get(resourceName));
  if (value === null) configs.delete(name);
  else configs.set(name, value);
  if (configs.size === 0) resources.delete(resourceName);
  else resources.set(resourceName, configs);
});
on(r.featureLevelRecord, (image, { name, featureLevel }) => {
  if (featureLevel === 0) image.features.delete(name);
  else image.features.set(name, featureLevel);
});
on(r.producerIdsRecord, (image, { nextProducerId }) => {
  image.nextProducerId = nextProducerId;
});
on(r.accessControlEntryRecord, (image, acl) => {
  image.acls.set(acl.id, acl);
  image.aclsVersion++;
});
on(r.removeAccessControlEntryRecord, (image, { id }) => {
  image.acls.delete(id);
  image.aclsVersion++;
});
/** Bytes are copied: decoded ones are views on the log's buffer. */
on(r.userScramCredentialRecord, (image, value) => {
  image.scram.set(scramKey(value.name, value.mechanism), {
    user: value.name,
    mechanism: value.mechanism,
    salt: Uint8Array.from(value.salt),
    storedKey: Uint8Array.from(value.storedKey),
    serverKey: Uint8Array.from(value.serverKey),
    iterations: value.iterations,
  });
});
on(r.removeUserScramCredentialRecord, (image, { name, mechanism }) => {
  image.scram.delete(scramKey(name, mechanism));
});
on(r.clientQuotaRecord, (image, { entity, key, value, remove }) => {
  const id = quotaKey(entity);
  const values = new Map(image.quotas.get(id)?.values);
  if (remove) values.delete(key);
  else values.set(key, value);
  if (values.size === 0) image.quotas.delete(id);
  else image.quotas.set(id, { entity, values });
});
on(r.registerBrokerRecord, (image, value) => {
  image.brokers.set(value.brokerId, {
    id: value.brokerId,
    incarnationId: value.incarnationId,
    epoch: value.brokerEpoch,
    endpoints: value.endPoints,
    rack: value.rack ?? null,
    fenced: value.fenced,
  });
});
/** fenced: -1 lifts the fence, 1 sets it, 0 leaves it. */
on(r.brokerRegistrationChangeRecord, (image, { brokerId, fenced }) => {
  const broker = image.brokers.get(brokerId);
  if (broker !== undefined && fenced !== 0) image.brokers.set(brokerId, { ...broker, fenced: fenced === 1 });
});
