/** OffsetForLeaderEpoch (23), versions 2-4: where an epoch ended, by which readers see whether they must truncate (KIP-101). */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnTopic } from "./authorization.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";
import { checkLeaderEpoch } from "./list-offsets.ts";

export const offsetForLeaderEpochHandler = (deps: HandlerDeps): Handler =>
  handler(offsetForLeaderEpoch, (context, request) => {
    const anywhere = mayOnCluster(context, AclOperation.CLUSTER_ACTION, true);
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
          try {
            if (!anywhere && !mayOnTopic(context, AclOperation.DESCRIBE, topic)) throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
            const partition = deps.logs.get(topic, index);
            if (partition === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
            checkLeaderEpoch(partition.leaderEpoch, currentLeaderEpoch);
            return { errorCode: ErrorCode.NONE, partition: index, ...partition.offsetForLeaderEpoch(leaderEpoch) };
          } catch (error) {
            return { errorCode: failureOf(error, deps.logger).errorCode, partition: index, leaderEpoch: -1, endOffset: -1 };
          }
        }),
      })),
    };
  });
