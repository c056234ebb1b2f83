import type { Coordinators } from "../coordinator/types.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { failFetch, type FetchedTopic, type WantedTopics } from "../coordinator/offsets/fetch.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { mayOnGroup, mayOnTopic, splitByTopic } from "./authorization.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

/** Before, a failure of the group is told for each partition. */
const GROUP_CODE_SINCE = 2;

/** One group before v8, many from v8 on (KIP-709). */
export const offsetFetchHandler = (coordinators: Coordinators): Handler =>
  handler(offsetFetch, (context, request) => {
    const { requireStable } = request;
    if (context.version < 8) {
      const { groupId, topics } = request;
      return fetchOf(coordinators, context, { groupId, memberId: null, memberEpoch: -1, topics, requireStable });
    }
    const groups = request.groups.map((group) => ({
      groupId: group.groupId,
      ...fetchOf(coordinators, context, { ...group, requireStable }),
    }));
    return { groups };
  });

type Attempt = Parameters<Coordinators["groups"]["fetchOffsets"]>[0];
function fetchOf(
  { groups }: Coordinators,
  context: RequestContext,
  attempt: Attempt,
): { readonly errorCode: number; readonly topics: FetchedTopic[] } {
  if (!mayOnGroup(context, AclOperation.DESCRIBE, attempt.groupId)) {
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED;
    return { errorCode, topics: context.version < GROUP_CODE_SINCE ? failFetch(attempt.topics, errorCode) : [] };
  }
  if (context.rights.unlimited) return groups.fetchOffsets(attempt);
  const wanted: WantedTopics = attempt.topics;
  if (wanted === null) {
    const { errorCode, topics } = groups.fetchOffsets(attempt);
    return { errorCode, topics: topics.filter(({ name }) => mayOnTopic(context, AclOperation.DESCRIBE, name, true)) };
  }
  const { allowed, refused } = splitByTopic(context, AclOperation.DESCRIBE, wanted);
  const { errorCode, topics } = groups.fetchOffsets({ ...attempt, topics: [...allowed] });
  if (errorCode !== ErrorCode.NONE) return { errorCode, topics };
  return { errorCode, topics: [...topics, ...failFetch(refused, ErrorCode.TOPIC_AUTHORIZATION_FAILED)] };
}
