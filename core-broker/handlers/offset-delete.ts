import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup, splitByTopic } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { offsetDelete, type OffsetDeleteRequest } from "../protocol/messages/offset-delete.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

export const offsetDeleteHandler = (coordinators: Coordinators): Handler =>
  handler(offsetDelete, async (context, request) => {
    if (!mayOnGroup(context, AclOperation.DELETE, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    const { allowed, refused } = splitByTopic(context, AclOperation.READ, request.topics);
    const deleted = await coordinators.groups.deleteOffsets(request.groupId, [...allowed]);
    if (refused.length === 0 || (deleted.errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE) return deleted;
    return { ...deleted, topics: [...refuse(refused), ...(deleted.topics ?? [])] };
  });
const refuse = (topics: readonly OffsetDeleteRequest["topics"][number][]) =>
  topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED })),
  }));
