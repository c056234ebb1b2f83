/** OffsetForLeaderEpoch (23), versions 2-4: where an epoch ended, by which readers see whether they must truncate (KIP-101). */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";
import { checkLeaderEpoch } from "./list-offsets.ts";

export const offsetForLeaderEpochHandler = (deps: HandlerDeps): Handler =>
  handler(offsetForLeaderEpoch, (_context, request) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        try {
          const partition = deps.logs.get(topic, index);
          if (partition === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          checkLeaderEpoch(partition.leaderEpoch, currentLeaderEpoch);
          return { errorCode: ErrorCode.NONE, partition: index, ...partition.offsetForLeaderEpoch(leaderEpoch) };
        } catch (error) {
          return { errorCode: failureOf(error, deps.logger).errorCode, partition: index, leaderEpoch: -1, endOffset: -1 };
        }
      }),
    })),
  }));
