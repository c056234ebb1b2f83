/** DescribeProducers (61), version 0: who wrote to a partition with sequence numbers, and which transactions are open in it. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic } from "./authorization.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { describeProducers } from "../protocol/messages/describe-producers.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";

export const describeProducersHandler = (deps: HandlerDeps): Handler =>
  handler(describeProducers, (context, request) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        try {
          if (!mayOnTopic(context, AclOperation.READ, name)) throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
          const partition = deps.logs.get(name, partitionIndex);
          if (partition === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers: partition.describeProducers() };
        } catch (error) {
          return { partitionIndex, ...failureOf(error, deps.logger), activeProducers: [] };
        }
      }),
    })),
  }));
