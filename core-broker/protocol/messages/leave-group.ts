import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from "../schema.ts";

export const leaveGroup = api({
  key: 13,
  name: "LeaveGroup",
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string({ since: 3 }),
        groupInstanceId: string({ since: 3, nullable: true, default: null }),
        reason: string({ since: 5, nullable: true, default: null, ignorable: true }),
      },
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    members: array(
      {
        memberId: string({ since: 3 }),
        groupInstanceId: string({ since: 3, nullable: true }),
        errorCode: int16({ since: 3 }),
      },
      { since: 3 },
    ),
  },
});
export type LeaveGroupRequest = RequestOf<typeof leaveGroup>;
export type LeaveGroupResponse = ResponseOf<typeof leaveGroup>;
