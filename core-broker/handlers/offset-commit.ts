import type { Coordinators } from "../coordinator/types.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { type Handler, handler } from "./handler.ts";

export const offsetCommitHandler = (coordinators: Coordinators): Handler =>
  handler(offsetCommit, async ({ version }, request) => ({
    topics: await coordinators.groups.commitOffsets({
      version,
      groupId: request.groupId,
      generationOrEpoch: request.generationIdOrMemberEpoch,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      retentionTimeMs: request.retentionTimeMs,
      topics: request.topics,
      producer: null,
    }),
  }));
