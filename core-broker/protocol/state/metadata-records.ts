import { array, bool, bytes, float64, int16, int32, int64, int8, record, string, uint16, uuid, type RecordOf } from "../schema.ts";

/** Records of __cluster_metadata. */
export const topicRecord = record({
  name: "TopicRecord",
  type: 2,
  versions: [0, 0],
  flexible: 0,
  shape: { name: string(), topicId: uuid() },
});
export type TopicRecord = RecordOf<typeof topicRecord>;

export const partitionRecord = record({
  name: "PartitionRecord",
  type: 3,
  versions: [0, 2],
  flexible: 0,
  shape: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: int32({ default: -1 }),
    leaderRecoveryState: int8({ tag: 0 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array(uuid(), { since: 1 }),
    eligibleLeaderReplicas: array(int32(), { since: 2, nullable: true, tag: 1, default: null }),
    lastKnownElr: array(int32(), { since: 2, nullable: true, tag: 2, default: null }),
  },
});
export type PartitionRecord = RecordOf<typeof partitionRecord>;

export const partitionChangeRecord = record({
  name: "PartitionChangeRecord",
  type: 5,
  versions: [0, 2],
  flexible: 0,
  shape: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: array(int32(), { nullable: true, tag: 0, default: null }),
    leader: int32({ tag: 1, default: -2 }),
    replicas: array(int32(), { nullable: true, tag: 2, default: null }),
    removingReplicas: array(int32(), { nullable: true, tag: 3, default: null }),
    addingReplicas: array(int32(), { nullable: true, tag: 4, default: null }),
    leaderRecoveryState: int8({ tag: 5, default: -1 }),
    directories: array(uuid(), { since: 1, nullable: true, tag: 8, default: null }),
    eligibleLeaderReplicas: array(int32(), { since: 2, nullable: true, tag: 6, default: null }),
    lastKnownElr: array(int32(), { since: 2, nullable: true, tag: 7, default: null }),
  },
});
export type PartitionChangeRecord = RecordOf<typeof partitionChangeRecord>;

export const removeTopicRecord = record({
  name: "RemoveTopicRecord",
  type: 9,
  versions: [0, 0],
  flexible: 0,
  shape: { topicId: uuid() },
});
export type RemoveTopicRecord = RecordOf<typeof removeTopicRecord>;

export const configRecord = record({
  name: "ConfigRecord",
  type: 4,
  versions: [0, 0],
  flexible: 0,
  shape: {
    resourceType: int8(),
    resourceName: string(),
    name: string(),
    value: string({ nullable: true }),
  },
});
export type ConfigRecord = RecordOf<typeof configRecord>;

export const featureLevelRecord = record({
  name: "FeatureLevelRecord",
  type: 12,
  versions: [0, 0],
  flexible: 0,
  shape: { name: string(), featureLevel: int16() },
});
export type FeatureLevelRecord = RecordOf<typeof featureLevelRecord>;

export const producerIdsRecord = record({
  name: "ProducerIdsRecord",
  type: 15,
  versions: [0, 0],
  flexible: 0,
  shape: { brokerId: int32(), brokerEpoch: int64({ default: -1 }), nextProducerId: int64() },
});
export type ProducerIdsRecord = RecordOf<typeof producerIdsRecord>;

export const accessControlEntryRecord = record({
  name: "AccessControlEntryRecord",
  type: 18,
  versions: [0, 0],
  flexible: 0,
  shape: {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
});
export type AccessControlEntryRecord = RecordOf<typeof accessControlEntryRecord>;

export const removeAccessControlEntryRecord = record({
  name: "RemoveAccessControlEntryRecord",
  type: 19,
  versions: [0, 0],
  flexible: 0,
  shape: { id: uuid() },
});
export type RemoveAccessControlEntryRecord = RecordOf<typeof removeAccessControlEntryRecord>;

export const userScramCredentialRecord = record({
  name: "UserScramCredentialRecord",
  type: 11,
  versions: [0, 0],
  flexible: 0,
  shape: {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  },
});
export type UserScramCredentialRecord = RecordOf<typeof userScramCredentialRecord>;

export const removeUserScramCredentialRecord = record({
  name: "RemoveUserScramCredentialRecord",
  type: 22,
  versions: [0, 0],
  flexible: 0,
  shape: { name: string(), mechanism: int8() },
});
export type RemoveUserScramCredentialRecord = RecordOf<typeof removeUserScramCredentialRecord>;

export const clientQuotaRecord = record({
  name: "ClientQuotaRecord",
  type: 14,
  versions: [0, 0],
  flexible: 0,
  shape: {
    entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
    key: string(),
    value: float64(),
    remove: bool(),
  },
});
export type ClientQuotaRecord = RecordOf<typeof clientQuotaRecord>;

export const registerBrokerRecord = record({
  name: "RegisterBrokerRecord",
  type: 0,
  versions: [0, 3],
  flexible: 0,
  shape: {
    brokerId: int32(),
    isMigratingZkBroker: bool({ since: 2 }),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    rack: string({ nullable: true }),
    fenced: bool({ default: true }),
    inControlledShutdown: bool({ since: 1 }),
    logDirs: array(uuid(), { since: 3, tag: 0 }),
  },
});
export type RegisterBrokerRecord = RecordOf<typeof registerBrokerRecord>;

export const brokerRegistrationChangeRecord = record({
  name: "BrokerRegistrationChangeRecord",
  type: 17,
  versions: [0, 2],
  flexible: 0,
  shape: {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: int8({ tag: 0 }),
    inControlledShutdown: int8({ since: 1, tag: 1 }),
    logDirs: array(uuid(), { since: 2, tag: 2 }),
  },
});
export type BrokerRegistrationChangeRecord = RecordOf<typeof brokerRegistrationChangeRecord>;

export const noOpRecord = record({
  name: "NoOpRecord",
  type: 20,
  versions: [0, 0],
  flexible: 0,
  shape: {},
});
export type NoOpRecord = RecordOf<typeof noOpRecord>;
