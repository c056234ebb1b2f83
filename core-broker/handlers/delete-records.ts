/** DeleteRecords (21), versions 0-2: moves the start of a log forward. Offset -1 means the high watermark. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic } from "./authorization.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { isInternalTopic } from "../controller/topic-name.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteRecordsHandler = (deps: HandlerDeps): Handler =>
  handler(deleteRecords, (context, request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        try {
          if (!mayOnTopic(context, AclOperation.DELETE, name)) throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
          if (isInternalTopic(name)) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION);
          const partition = deps.logs.get(name, partitionIndex);
          if (partition === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          return { partitionIndex, lowWatermark: partition.deleteRecords(offset), errorCode: ErrorCode.NONE };
        } catch (error) {
          return { partitionIndex, lowWatermark: -1, errorCode: failureOf(error, deps.logger).errorCode };
        }
      }),
    })),
  }));
