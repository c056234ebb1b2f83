/** DescribeLogDirs (35), versions 1-4: every data folder with its partitions' sizes and, from 4 on, the volume's space. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { describeLogDirs, type DescribeLogDirsResponse } from "../protocol/messages/describe-log-dirs.ts";
import type { LogDirectory, Partition } from "../replication/types.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

type Topic = DescribeLogDirsResponse["results"][number]["topics"][number];

export const describeLogDirsHandler = (deps: HandlerDeps): Handler =>
  handler(describeLogDirs, (context, request) => {
    if (!mayOnCluster(context, AclOperation.DESCRIBE)) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] };
    const wanted = request.topics === null ? null : new Map(request.topics.map(({ topic, partitions }) => [topic, new Set(partitions)]));
    const isWanted = ({ topic, partition }: Partition): boolean => wanted === null || wanted.get(topic)?.has(partition) === true;
    return {
      errorCode: ErrorCode.NONE,
      results: deps.logs.directories().map(({ path, error, totalBytes, usableBytes, partitions, arriving }) => ({
        errorCode: error === null ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR,
        logDir: path,
        topics:
          error === null
            ? byTopic(
                partitions.filter(isWanted),
                arriving.filter(({ partition }) => isWanted(partition)),
              )
            : [],
        totalBytes,
        usableBytes,
      })),
    };
  });
/** A partition that moves stands in both folders; the copy lags by the bytes that are still to come. */
function byTopic(partitions: readonly Partition[], arriving: LogDirectory["arriving"]): Topic[] {
  const topics = new Map<string, Topic>();
  const add = ({ topic: name, partition }: Partition, partitionSize: number, offsetLag: number, isFutureKey: boolean): void => {
    let topic = topics.get(name);
    if (topic === undefined) topics.set(name, (topic = { name, partitions: [] }));
    topic.partitions.push({ partitionIndex: partition, partitionSize, offsetLag, isFutureKey });
  };
  for (const partition of partitions) add(partition, partition.sizeBytes, 0, false);
  for (const { partition, copiedBytes } of arriving) {
    add(
      partition,
      copiedBytes,
      partition.sizeBytes > copiedBytes ? Math.max(1, partition.logEndOffset - partition.logStartOffset) : 0,
      true,
    );
  }
  return [...topics.values()];
}
