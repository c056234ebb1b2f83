import { api, array, int16, int32, int64, records, string, struct, uuid, type RequestOf, type ResponseOf } from "../schema.ts";

export const produce = api({
  key: 0,
  name: "Produce",
  versions: [3, 13],
  flexible: 9,
  request: {
    transactionalId: string({ nullable: true, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitionData: array({ index: int32(), records: records({ nullable: true }) }),
    }),
  },
  response: {
    responses: array({
      name: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1, ignorable: true }),
        logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
        recordErrors: array(
          {
            batchIndex: int32({ since: 8 }),
            batchIndexErrorMessage: string({ since: 8, nullable: true, default: null }),
          },
          { since: 8, ignorable: true },
        ),
        errorMessage: string({ since: 8, nullable: true, default: null, ignorable: true }),
        currentLeader: struct(
          {
            leaderId: int32({ since: 10, default: -1 }),
            leaderEpoch: int32({ since: 10, default: -1 }),
          },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ ignorable: true }),
    nodeEndpoints: array(
      {
        nodeId: int32({ since: 10 }),
        host: string({ since: 10 }),
        port: int32({ since: 10 }),
        rack: string({ since: 10, nullable: true, default: null }),
      },
      { since: 10, tag: 0 },
    ),
  },
});
export type ProduceRequest = RequestOf<typeof produce>;
export type ProduceResponse = ResponseOf<typeof produce>;
