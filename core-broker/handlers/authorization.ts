/** The checks that many handlers share. Which operation on what an API needs stands in its handler. */
import { AclOperation, AclResource, CLUSTER_NAME } from "../controller/acls/acl-codes.ts";
import { ResourceType } from "../controller/image.ts";
import type { Refusal } from "../controller/topics.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import type { RequestContext } from "./handler.ts";

type Asker = Pick<RequestContext, "rights">;
export const NOT_ON_CLUSTER = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: "Cluster authorization failed." } as const;
const NOT_ON_GROUP = { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, errorMessage: "Group authorization failed." } as const;
export const NOT_ON_TOPIC = { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: "Topic authorization failed." } as const;

export const mayOnCluster = ({ rights }: Asker, operation: number, quiet = false): boolean =>
  rights.may(operation, AclResource.CLUSTER, CLUSTER_NAME, quiet);
export const mayOnTopic = ({ rights }: Asker, operation: number, topic: string, quiet = false): boolean =>
  rights.may(operation, AclResource.TOPIC, topic, quiet);
export const mayOnGroup = ({ rights }: Asker, operation: number, groupId: string, quiet = false): boolean =>
  rights.may(operation, AclResource.GROUP, groupId, quiet);
export const mayOnTransactionalId = ({ rights }: Asker, operation: number, id: string, quiet = false): boolean =>
  rights.may(operation, AclResource.TRANSACTIONAL_ID, id, quiet);

/** For APIs whose answer has one code for all: throws KafkaError(CLUSTER_AUTHORIZATION_FAILED). */
export function requireOnCluster(asker: Asker, operation: number): void {
  if (!mayOnCluster(asker, operation)) throw new KafkaError(NOT_ON_CLUSTER.errorCode, NOT_ON_CLUSTER.errorMessage);
}
/** Why settings of this resource may not be seen or changed by the asker, or null: the broker's are the cluster's. */
export function configsRefusal(
  asker: Asker,
  operation: number,
  { resourceType, resourceName }: { readonly resourceType: number; readonly resourceName: string },
): Refusal | null {
  if (resourceType === ResourceType.TOPIC) return mayOnTopic(asker, operation, resourceName) ? null : NOT_ON_TOPIC;
  if (resourceType === ResourceType.GROUP) return mayOnGroup(asker, operation, resourceName) ? null : NOT_ON_GROUP;
  return mayOnCluster(asker, operation) ? null : NOT_ON_CLUSTER;
}
/** What of the list the asker may do the operation on, and the rest. */
export function splitByTopic<T extends { readonly name: string }>(
  asker: Asker,
  operation: number,
  topics: readonly T[],
): { readonly allowed: readonly T[]; readonly refused: readonly T[] } {
  if (asker.rights.unlimited) return { allowed: topics, refused: [] };
  const allowed: T[] = [];
  const refused: T[] = [];
  for (const topic of topics) (mayOnTopic(asker, operation, topic.name) ? allowed : refused).push(topic);
  return { allowed, refused };
}

const { READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE } = AclOperation;
/** The operations that each type of resource knows. */
const OPERATIONS: Readonly<Record<number, readonly number[]>> = {
  [AclResource.CLUSTER]: [CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE],
  [AclResource.TOPIC]: [READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS],
  [AclResource.GROUP]: [READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS],
};
/** The field's value when it was not asked for. */
export const NOT_ASKED = -2147483648;
/** What the asker may do with the resource, as a bit field of AclOperation codes (KIP-430). */
export function authorizedOperations({ rights }: Asker, resource: number, name: string): number {
  return (OPERATIONS[resource] ?? []).reduce(
    (field, operation) => (rights.may(operation, resource, name, true) ? field | (1 << operation) : field),
    0,
  );
}
/** Of the cluster: nothing for who may not describe it. */
export const clusterOperations = (asker: Asker, asked: boolean): number => {
  if (!asked) return NOT_ASKED;
  return mayOnCluster(asker, DESCRIBE) ? authorizedOperations(asker, AclResource.CLUSTER, CLUSTER_NAME) : 0;
};
export const groupOperations = (asker: Asker, asked: boolean, groupId: string): number =>
  asked ? authorizedOperations(asker, AclResource.GROUP, groupId) : NOT_ASKED;
export const topicOperations = (asker: Asker, asked: boolean, topic: string): number =>
  asked ? authorizedOperations(asker, AclResource.TOPIC, topic) : NOT_ASKED;
