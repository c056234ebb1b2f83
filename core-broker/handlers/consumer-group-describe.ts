import type { Coordinators } from "../coordinator/types.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { consumerGroupDescribe } from "../protocol/messages/consumer-group-describe.ts";
import { groupOperations, mayOnGroup, mayOnTopic } from "./authorization.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

export const consumerGroupDescribeHandler = ({ groups }: Coordinators): Handler =>
  handler(consumerGroupDescribe, (context, request) => ({
    groups: request.groupIds.map((groupId) => {
      if (!mayOnGroup(context, AclOperation.DESCRIBE, groupId)) return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
      const described = groups.describeConsumer(groupId);
      if ((described.errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE) return described;
      if (namesHidden(context, described.members)) {
        const errorMessage = "The group has described topic(s) that the client is not authorized to describe.";
        return { groupId, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage };
      }
      return { ...described, authorizedOperations: groupOperations(context, request.includeAuthorizedOperations, groupId) };
    }),
  }));

type Members = ReturnType<Coordinators["groups"]["describeConsumer"]>["members"];
/** Some member has to do with a topic that the asker may not know of. */
function namesHidden(context: RequestContext, members: Members): boolean {
  if (context.rights.unlimited || members === undefined) return false;
  const hidden = (topic: string): boolean => !mayOnTopic(context, AclOperation.DESCRIBE, topic, true);
  return members.some((member) =>
    [
      ...(member.subscribedTopicNames ?? []),
      ...[member.assignment, member.targetAssignment].flatMap(
        (each) => each?.topicPartitions?.map(({ topicName }) => topicName ?? "") ?? [],
      ),
    ].some(hidden),
  );
}
