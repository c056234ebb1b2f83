import { array, bytes, int32, int64, record, string, uuid, type RecordOf } from "../schema.ts";

/** Records of __consumer_offsets: offsets and classic groups. */
export const offsetCommitKey = record({
  name: "OffsetCommitKey",
  type: 1,
  versions: [0, 0],
  flexible: null,
  shape: { group: string(), topic: string(), partition: int32() },
});
export type OffsetCommitKey = RecordOf<typeof offsetCommitKey>;

export const offsetCommitValue = record({
  name: "OffsetCommitValue",
  type: 1,
  versions: [0, 4],
  flexible: 4,
  shape: {
    offset: int64(),
    leaderEpoch: int32({ since: 3, default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ since: 1, until: 1, default: -1, ignorable: true }),
    topicId: uuid({ since: 4, tag: 0, ignorable: true }),
  },
});
export type OffsetCommitValue = RecordOf<typeof offsetCommitValue>;

export const groupMetadataKey = record({
  name: "GroupMetadataKey",
  type: 2,
  versions: [0, 0],
  flexible: null,
  shape: { group: string() },
});
export type GroupMetadataKey = RecordOf<typeof groupMetadataKey>;

export const groupMetadataValue = record({
  name: "GroupMetadataValue",
  type: 2,
  versions: [0, 4],
  flexible: 4,
  shape: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: true }),
    leader: string({ nullable: true }),
    currentStateTimestamp: int64({ since: 2, default: -1, ignorable: true }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 3, nullable: true, default: null, ignorable: true }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ since: 1, default: -1, ignorable: true }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
});
export type GroupMetadataValue = RecordOf<typeof groupMetadataValue>;
