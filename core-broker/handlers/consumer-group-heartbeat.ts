import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup, mayOnTopic } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { consumerGroupHeartbeat } from "../protocol/messages/consumer-group-heartbeat.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

/** KIP-848. v1+ has regular expressions, and the client makes its own member id. */
export const consumerGroupHeartbeatHandler = ({ groups }: Coordinators): Handler =>
  handler(consumerGroupHeartbeat, (context, request) => {
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    const hidden = request.subscribedTopicNames?.some((topic) => !mayOnTopic(context, AclOperation.DESCRIBE, topic)) ?? false;
    if (hidden) return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    const { version, clientId, host } = context;
    const mayDescribe = (topic: string): boolean => mayOnTopic(context, AclOperation.DESCRIBE, topic, true);
    return groups.consumerHeartbeat({ version, clientId, host, mayDescribe }, request);
  });
