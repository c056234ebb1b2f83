/** AlterReplicaLogDirs (34), versions 1-2: a partition's data goes to another folder of log.dirs while it is used. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { alterReplicaLogDirs, type AlterReplicaLogDirsResponse } from "../protocol/messages/alter-replica-log-dirs.ts";
import { mayOnCluster } from "./authorization.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";

type PartitionResult = AlterReplicaLogDirsResponse["results"][number]["partitions"][number];

/** The answer comes when the moves have begun; DescribeLogDirs shows how far they are. */
export const alterReplicaLogDirsHandler = (deps: HandlerDeps): Handler =>
  handler(alterReplicaLogDirs, (context, request) => {
    const allowed = mayOnCluster(context, AclOperation.ALTER);
    const results = new Map<string, PartitionResult[]>();
    for (const { path, topics } of request.dirs) {
      for (const { name, partitions } of topics) {
        const outcomes = results.get(name) ?? [];
        results.set(name, outcomes);
        for (const partitionIndex of partitions) {
          const errorCode = allowed ? move(deps, path, name, partitionIndex) : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
          outcomes.push({ partitionIndex, errorCode });
        }
      }
    }
    return { results: [...results].map(([topicName, partitions]) => ({ topicName, partitions })) };
  });
function move(deps: HandlerDeps, path: string, topic: string, partition: number): number {
  try {
    if (deps.controller.image.topics.get(topic)?.partitions[partition] === undefined) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    deps.logs.moveTo(topic, partition, path);
    return ErrorCode.NONE;
  } catch (error) {
    return failureOf(error, deps.logger).errorCode;
  }
}
