/** Commands on topics. Each looks at the image and returns records and answers; nothing here changes anything. */
import { ErrorCode } from "../protocol/errors.ts";
import { configRecord, partitionRecord, removeTopicRecord, topicRecord } from "../protocol/state/metadata-records.ts";
import { topicConfigRefusal } from "./configs/topic-config.ts";
import { assign, manualAssignment } from "./assignment.ts";
import { type MetadataImage, ResourceType } from "./image.ts";
import { METADATA_TOPIC } from "./metadata-log.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";
import { collisionKey, topicNameRefusal } from "./topic-name.ts";

/** The most partitions that one request may create. */
const PARTITIONS_PER_REQUEST_MAX = 10_000;

export interface NewTopicSpec {
  readonly name: string;
  /** -1: num.partitions, or as the assignments say. */
  readonly numPartitions: number;
  /** -1: default.replication.factor, or as the assignments say. */
  readonly replicationFactor: number;
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}
export interface TopicDefaults {
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly newTopicId: () => string;
  readonly directoryId: string;
}
export interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}
export interface CreatedTopic {
  readonly topicId: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}
export interface CommandResult<R> {
  readonly records: readonly MetadataRecord[];
  readonly response: R;
}
/** false: the client may not create or delete so many partitions now (KIP-599). */
export type PartitionQuota = (partitions: number) => boolean;
const unlimited: PartitionQuota = () => true;
const throttled = (): Refusal => refuse(ErrorCode.THROTTLING_QUOTA_EXCEEDED, "The throttling quota has been exceeded.");
const refuse = (errorCode: number, errorMessage: string | null = null): Refusal => ({ errorCode, errorMessage });
export const isRefusal = (outcome: object): outcome is Refusal => "errorCode" in outcome;

/** One outcome per topic, in the order of the request. A name that comes twice is refused, both times. */
export function createTopics(
  image: MetadataImage,
  specs: readonly NewTopicSpec[],
  defaults: TopicDefaults,
  quota: PartitionQuota = unlimited,
): CommandResult<readonly (Refusal | CreatedTopic)[]> {
  const records: MetadataRecord[] = [];
  const counts = new Map<string, number>();
  for (const { name } of specs) counts.set(name, (counts.get(name) ?? 0) + 1);
  const keys = new Map<string, string>();
  for (const name of image.topics.keys()) keys.set(collisionKey(name), name);
  let partitions = 0;
  const response = specs.map((spec) => {
    if ((counts.get(spec.name) ?? 0) > 1) return refuse(ErrorCode.INVALID_REQUEST, "Duplicate topic name.");
    const wrong = nameRefusal(image, spec.name, keys);
    if (wrong !== null) return wrong;
    const outcome = createTopic(image, spec, defaults);
    if (isRefusal(outcome)) return outcome;
    partitions += outcome.created.numPartitions;
    if (partitions > PARTITIONS_PER_REQUEST_MAX) {
      return refuse(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.");
    }
    if (!quota(outcome.created.numPartitions)) return throttled();
    records.push(...outcome.records);
    keys.set(collisionKey(spec.name), spec.name);
    return outcome.created;
  });
  return { records, response };
}
function nameRefusal(image: MetadataImage, name: string, keys: ReadonlyMap<string, string>): Refusal | null {
  if (name === METADATA_TOPIC) return refuse(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${name} is prohibited.`);
  const bad = topicNameRefusal(name);
  if (bad !== null) return refuse(ErrorCode.INVALID_TOPIC_EXCEPTION, bad);
  if (image.topics.has(name)) return refuse(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
  const other = keys.get(collisionKey(name));
  if (other !== undefined) return refuse(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`);
  return null;
}
function createTopic(
  image: MetadataImage,
  spec: NewTopicSpec,
  defaults: TopicDefaults,
): Refusal | { records: MetadataRecord[]; created: CreatedTopic } {
  const assignment = spec.assignments.length > 0 ? assignedByHand(image, spec) : assignedByUs(image, spec, defaults);
  if (isRefusal(assignment)) return assignment;
  const configs = new Map<string, string>();
  for (const { name, value } of spec.configs) {
    if (value === null) return refuse(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${name}`);
    configs.set(name, value);
  }
  const bad = topicConfigRefusal(configs);
  if (bad !== null) return refuse(ErrorCode.INVALID_CONFIG, bad);
  const topicId = defaults.newTopicId();
  const records = [metadataRecord(topicRecord, { name: spec.name, topicId })];
  for (const [name, value] of configs) {
    records.push(metadataRecord(configRecord, { resourceType: ResourceType.TOPIC, resourceName: spec.name, name, value }));
  }
  assignment.forEach((replicas, partition) => records.push(newPartition(topicId, partition, replicas, defaults.directoryId)));
  const replicationFactor = assignment[0]?.length ?? 0;
  return { records, created: { topicId, numPartitions: assignment.length, replicationFactor, configs } };
}
function newPartition(topicId: string, partitionId: number, replicas: readonly number[], directoryId: string): MetadataRecord {
  const leader = replicas[0] ?? -1;
  const directories = replicas.map(() => directoryId);
  return metadataRecord(partitionRecord, {
    partitionId,
    topicId,
    replicas,
    isr: replicas,
    leader,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories,
  });
}
function assignedByHand(image: MetadataImage, spec: NewTopicSpec): Refusal | readonly (readonly number[])[] {
  const given = (what: string): Refusal =>
    refuse(ErrorCode.INVALID_REQUEST, `A manual partition assignment was specified, but ${what} was not set to -1.`);
  if (spec.replicationFactor !== -1) return given("replication factor");
  if (spec.numPartitions !== -1) return given("numPartitions");
  const sorted = [...spec.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  if (sorted.some((entry, index) => entry.partitionIndex !== index)) {
    return refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "partitions should be a consecutive 0-based integer sequence");
  }
  const lists = sorted.map((entry) => entry.brokerIds);
  const bad = manualAssignment(image, lists, lists[0]?.length ?? 0);
  return bad === null ? lists : refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, bad);
}
function assignedByUs(image: MetadataImage, spec: NewTopicSpec, defaults: TopicDefaults): Refusal | readonly (readonly number[])[] {
  if (spec.replicationFactor < -1 || spec.replicationFactor === 0) {
    return refuse(ErrorCode.INVALID_REPLICATION_FACTOR, "Replication factor must be larger than 0, or -1 to use the default value.");
  }
  if (spec.numPartitions < -1 || spec.numPartitions === 0) {
    return refuse(ErrorCode.INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value.");
  }
  const count = spec.numPartitions === -1 ? defaults.numPartitions : spec.numPartitions;
  if (count > PARTITIONS_PER_REQUEST_MAX) {
    return refuse(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.");
  }
  const factor = spec.replicationFactor === -1 ? defaults.replicationFactor : spec.replicationFactor;
  const assigned = assign(image, 0, count, factor);
  return typeof assigned === "string" ? refuse(ErrorCode.INVALID_REPLICATION_FACTOR, assigned) : assigned;
}

export interface TopicReference {
  /** Null: by id. */
  readonly name: string | null;
  readonly topicId: string;
}
export interface DeletedTopic extends Refusal {
  readonly name: string | null;
  readonly topicId: string;
}
export function deleteTopics(
  image: MetadataImage,
  references: readonly TopicReference[],
  quota: PartitionQuota = unlimited,
): CommandResult<readonly DeletedTopic[]> {
  const records: MetadataRecord[] = [];
  const seen = new Set<string>();
  const response = references.map(({ name, topicId }): DeletedTopic => {
    const topic = name === null ? image.topicsById.get(topicId) : image.topics.get(name);
    if (topic === undefined) {
      const code = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      const what = name === null ? "This server does not host this topic ID." : "This server does not host this topic-partition.";
      return { name, topicId, ...refuse(code, what) };
    }
    if (seen.has(topic.id)) return { name, topicId, ...refuse(ErrorCode.INVALID_REQUEST, "Duplicate topic name.") };
    seen.add(topic.id);
    if (!quota(topic.partitions.length)) return { name: topic.name, topicId: topic.id, ...throttled() };
    records.push(metadataRecord(removeTopicRecord, { topicId: topic.id }));
    return { name: topic.name, topicId: topic.id, ...refuse(ErrorCode.NONE) };
  });
  return { records, response };
}

export interface MorePartitions {
  readonly name: string;
  /** The number of partitions afterwards. */
  readonly count: number;
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}
export function createPartitions(
  image: MetadataImage,
  wishes: readonly MorePartitions[],
  defaults: TopicDefaults,
  quota: PartitionQuota = unlimited,
): CommandResult<readonly Refusal[]> {
  const records: MetadataRecord[] = [];
  const response = wishes.map((wish) => {
    if (wishes.filter((other) => other.name === wish.name).length > 1) return refuse(ErrorCode.INVALID_REQUEST, "Duplicate topic name.");
    const outcome = grow(image, wish, defaults);
    if (isRefusal(outcome)) return outcome;
    if (!quota(outcome.length)) return throttled();
    records.push(...outcome);
    return refuse(ErrorCode.NONE);
  });
  return { records, response };
}
function grow(image: MetadataImage, wish: MorePartitions, defaults: TopicDefaults): Refusal | readonly MetadataRecord[] {
  const topic = image.topics.get(wish.name);
  if (topic === undefined) {
    return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition.");
  }
  const now = topic.partitions.length;
  if (wish.count === now) return refuse(ErrorCode.INVALID_PARTITIONS, `Topic already has ${now} partition(s).`);
  if (wish.count < now) {
    const why = `The topic ${wish.name} currently has ${now} partition(s); ${wish.count} would not be an increase.`;
    return refuse(ErrorCode.INVALID_PARTITIONS, why);
  }
  const more = wish.count - now;
  if (more > PARTITIONS_PER_REQUEST_MAX) {
    return refuse(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.");
  }
  const factor = topic.partitions[0]?.replicas.length ?? 1;
  let lists: readonly (readonly number[])[];
  if (wish.assignments === null) {
    const assigned = assign(image, now, more, factor);
    if (typeof assigned === "string") return refuse(ErrorCode.INVALID_REPLICATION_FACTOR, assigned);
    lists = assigned;
  } else {
    lists = wish.assignments.map((entry) => entry.brokerIds);
    if (lists.length !== more) {
      const why = `Attempted to add ${more} additional partition(s), but only ${lists.length} assignment(s) were specified.`;
      return refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why);
    }
    const bad = manualAssignment(image, lists, factor);
    if (bad !== null) return refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, bad);
  }
  return lists.map((replicas, index) => newPartition(topic.id, now + index, replicas, defaults.directoryId));
}
