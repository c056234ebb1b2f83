/** AlterPartitionReassignments (45), versions 0-1, for one node: replicas can only stay where they are; nothing is ever in progress. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { alterPartitionReassignments } from "../protocol/messages/alter-partition-reassignments.ts";
import { manualAssignment } from "../controller/assignment.ts";
import type { Refusal } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const alterPartitionReassignmentsHandler = (deps: HandlerDeps): Handler =>
  handler(alterPartitionReassignments, (context, request) => {
    const may = mayOnCluster(context, AclOperation.ALTER);
    return {
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      ...(may ? DONE : NOT_ON_CLUSTER),
      responses: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, replicas }) => ({
          partitionIndex,
          ...(may ? outcome(deps, name, partitionIndex, replicas) : NOT_ON_CLUSTER),
        })),
      })),
    };
  });
const DONE: Refusal = { errorCode: ErrorCode.NONE, errorMessage: null };
function outcome({ controller }: HandlerDeps, name: string, index: number, replicas: readonly number[] | null): Refusal {
  const topic = controller.image.topics.get(name);
  if (topic === undefined) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `Unable to find a topic named ${name}.` };
  }
  if (topic.partitions[index] === undefined) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `Unable to find partition ${name}:${index}.` };
  }
  if (replicas === null) {
    return { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: "No partition reassignment is in progress." };
  }
  const bad = manualAssignment(controller.image, [replicas], replicas.length);
  return bad === null
    ? { errorCode: ErrorCode.NONE, errorMessage: null }
    : { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: bad };
}
