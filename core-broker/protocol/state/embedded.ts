import { array, bytes, int16, int32, record, string, type RecordOf } from "../schema.ts";

/** Structures that travel inside frames and records: headers, the consumer group protocol, control records. */
export const requestHeader = record({
  name: "RequestHeader",
  type: -1,
  versions: [1, 2],
  flexible: 2,
  shape: {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: string({ nullable: true, compact: false }),
  },
});
export type RequestHeader = RecordOf<typeof requestHeader>;

export const responseHeader = record({
  name: "ResponseHeader",
  type: -1,
  versions: [0, 1],
  flexible: 1,
  shape: { correlationId: int32() },
});
export type ResponseHeader = RecordOf<typeof responseHeader>;

export const consumerProtocolSubscription = record({
  name: "ConsumerProtocolSubscription",
  type: -1,
  versions: [0, 3],
  flexible: null,
  shape: {
    topics: array(string()),
    userData: bytes({ nullable: true, default: null }),
    ownedPartitions: array({ topic: string({ since: 1 }), partitions: array(int32(), { since: 1 }) }, { since: 1, ignorable: true }),
    generationId: int32({ since: 2, default: -1, ignorable: true }),
    rackId: string({ since: 3, nullable: true, default: null, ignorable: true }),
  },
});
export type ConsumerProtocolSubscription = RecordOf<typeof consumerProtocolSubscription>;

export const consumerProtocolAssignment = record({
  name: "ConsumerProtocolAssignment",
  type: -1,
  versions: [0, 3],
  flexible: null,
  shape: {
    assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
    userData: bytes({ nullable: true, default: null }),
  },
});
export type ConsumerProtocolAssignment = RecordOf<typeof consumerProtocolAssignment>;

export const endTxnMarker = record({
  name: "EndTxnMarker",
  type: -1,
  versions: [0, 0],
  flexible: null,
  shape: { coordinatorEpoch: int32() },
});
export type EndTxnMarker = RecordOf<typeof endTxnMarker>;
