import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup, splitByTopic } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { failCommit } from "../coordinator/offsets/commit.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

export const offsetCommitHandler = (coordinators: Coordinators): Handler =>
  handler(offsetCommit, async (context, request) => {
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) {
      return { topics: failCommit(request.topics, ErrorCode.GROUP_AUTHORIZATION_FAILED) };
    }
    const { allowed, refused } = splitByTopic(context, AclOperation.READ, request.topics);
    const failed = failCommit([...refused], ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    if (allowed.length === 0 && failed.length > 0) return { topics: failed };
    const committed = await coordinators.groups.commitOffsets({
      version: context.version,
      groupId: request.groupId,
      generationOrEpoch: request.generationIdOrMemberEpoch,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      retentionTimeMs: request.retentionTimeMs,
      topics: [...allowed],
      producer: null,
    });
    return { topics: [...failed, ...committed] };
  });
