/** DescribeQuorum (55), versions 0-2: the metadata log's voters. This node is the only one and always leads. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { describeQuorum } from "../protocol/messages/describe-quorum.ts";
import { METADATA_TOPIC } from "../controller/metadata-log.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

const LEADER_EPOCH = 1;

export const describeQuorumHandler = (deps: HandlerDeps): Handler =>
  handler(describeQuorum, (context, request) => {
    const { listener, version } = context;
    requireOnCluster(context, AclOperation.DESCRIBE);
    const { nodeId } = deps.config;
    const logEndOffset = deps.controller.logEndOffset;
    const now = deps.clock.now();
    const voter = { replicaId: nodeId, logEndOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now };
    const topics = request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) =>
        topicName === METADATA_TOPIC && partitionIndex === 0
          ? {
              partitionIndex,
              errorCode: ErrorCode.NONE,
              leaderId: nodeId,
              leaderEpoch: LEADER_EPOCH,
              highWatermark: logEndOffset,
              currentVoters: [voter],
              observers: [],
            }
          : {
              partitionIndex,
              errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
              leaderId: -1,
              leaderEpoch: -1,
              highWatermark: -1,
              currentVoters: [],
              observers: [],
            },
      ),
    }));
    if (version < 2) return { errorCode: ErrorCode.NONE, topics };
    const nodes = deps.brokers(listener).map(({ host, port }) => ({ nodeId, listeners: [{ name: listener, host, port }] }));
    return { errorCode: ErrorCode.NONE, topics, nodes };
  });
