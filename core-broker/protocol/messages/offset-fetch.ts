import { api, array, bool, int16, int32, int64, string, type RequestOf, type ResponseOf } from "../schema.ts";

export const offsetFetch = api({
  key: 9,
  name: "OffsetFetch",
  versions: [1, 9],
  flexible: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: array({ name: string({ until: 7 }), partitionIndexes: array(int32(), { until: 7 }) }, { until: 7, nullable: 2 }),
    groups: array(
      {
        groupId: string({ since: 8 }),
        memberId: string({ since: 9, nullable: true, default: null, ignorable: true }),
        memberEpoch: int32({ since: 9, default: -1, ignorable: true }),
        topics: array(
          {
            name: string({ since: 8, ignorable: true }),
            partitionIndexes: array(int32(), { since: 8 }),
          },
          { since: 8, nullable: true },
        ),
      },
      { since: 8 },
    ),
    requireStable: bool({ since: 7 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array(
      {
        name: string({ until: 7 }),
        partitions: array(
          {
            partitionIndex: int32({ until: 7 }),
            committedOffset: int64({ until: 7 }),
            committedLeaderEpoch: int32({ since: 5, until: 7, default: -1, ignorable: true }),
            metadata: string({ until: 7, nullable: true }),
            errorCode: int16({ until: 7 }),
          },
          { until: 7 },
        ),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7, ignorable: true }),
    groups: array(
      {
        groupId: string({ since: 8 }),
        topics: array(
          {
            name: string({ since: 8, ignorable: true }),
            partitions: array(
              {
                partitionIndex: int32({ since: 8 }),
                committedOffset: int64({ since: 8 }),
                committedLeaderEpoch: int32({ since: 8, default: -1, ignorable: true }),
                metadata: string({ since: 8, nullable: true }),
                errorCode: int16({ since: 8 }),
              },
              { since: 8 },
            ),
          },
          { since: 8 },
        ),
        errorCode: int16({ since: 8 }),
      },
      { since: 8 },
    ),
  },
});
export type OffsetFetchRequest = RequestOf<typeof offsetFetch>;
export type OffsetFetchResponse = ResponseOf<typeof offsetFetch>;
