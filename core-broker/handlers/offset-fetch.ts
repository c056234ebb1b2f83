import type { Coordinators } from "../coordinator/types.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { type Handler, handler } from "./handler.ts";

/** One group before v8, many from v8 on (KIP-709). */
export const offsetFetchHandler = (coordinators: Coordinators): Handler =>
  handler(offsetFetch, ({ version }, request) => {
    const { requireStable } = request;
    if (version < 8) {
      return coordinators.groups.fetchOffsets({
        groupId: request.groupId,
        memberId: null,
        memberEpoch: -1,
        topics: request.topics,
        requireStable,
      });
    }
    const groups = request.groups.map((group) => ({
      groupId: group.groupId,
      ...coordinators.groups.fetchOffsets({ ...group, requireStable }),
    }));
    return { groups };
  });
