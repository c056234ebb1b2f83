/** ElectLeaders (43), versions 0-2. With one node every partition's only replica leads already: there is never a need. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const electLeadersHandler = (deps: HandlerDeps): Handler =>
  handler(electLeaders, (context, request) => {
    const may = mayOnCluster(context, AclOperation.ALTER);
    return {
      errorCode: may ? ErrorCode.NONE : NOT_ON_CLUSTER.errorCode,
      // Asked for all partitions, only those where something happened are told.
      replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({ partitionId, ...(may ? outcome(deps, topic, partitionId) : NOT_ON_CLUSTER) })),
      })),
    };
  });
function outcome(deps: HandlerDeps, name: string, partition: number): { errorCode: number; errorMessage: string } {
  const topic = deps.controller.image.topics.get(name);
  if (topic === undefined) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `No such topic as ${name}` };
  if (topic.partitions[partition] === undefined) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `No such partition as ${name}-${partition}` };
  }
  return { errorCode: ErrorCode.ELECTION_NOT_NEEDED, errorMessage: "Leader election not needed for topic partition." };
}
