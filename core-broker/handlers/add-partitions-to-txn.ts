import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic, mayOnTransactionalId, requireOnCluster } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { addPartitionsToTxn, type AddPartitionsToTxnRequest } from "../protocol/messages/add-partitions-to-txn.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

type Topics = AddPartitionsToTxnRequest["v3AndBelowTopics"];
type Transaction = AddPartitionsToTxnRequest["transactions"][number];

const results = (topics: Topics, codeOf: (topic: string, partition: number) => number) =>
  topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partition) => ({ partitionIndex: partition, partitionErrorCode: codeOf(name, partition) })),
  }));

/** v0-3: one transaction of a client. v4+: many, from brokers, to add or (KIP-890) only to verify. */
export const addPartitionsToTxnHandler = (coordinators: Coordinators): Handler =>
  handler(addPartitionsToTxn, async (context, request) => {
    const { version } = context;
    if (version >= 4) {
      requireOnCluster(context, AclOperation.CLUSTER_ACTION);
      const answers = await Promise.all(request.transactions.map((each) => addOrVerify(coordinators, each, version)));
      return { resultsByTransaction: answers };
    }
    const one: Transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    };
    if (!mayOnTransactionalId(context, AclOperation.WRITE, one.transactionalId)) {
      return { resultsByTopicV3AndBelow: results(one.topics, () => ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED) };
    }
    const refused = refuseTopics(context, coordinators, one);
    if (refused !== null) return { resultsByTopicV3AndBelow: refused };
    return { resultsByTopicV3AndBelow: (await addOrVerify(coordinators, one, version)).topicResults };
  });

/** Null when the client may write to all of them. Else nothing is added. */
function refuseTopics(context: RequestContext, { groups }: Coordinators, { topics }: Transaction): ReturnType<typeof results> | null {
  const refused = new Set(topics.map(({ name }) => name).filter((name) => !mayOnTopic(context, AclOperation.WRITE, name)));
  if (refused.size === 0) return null;
  return results(topics, (topic, partition) => {
    if (refused.has(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const exists = partition < (groups.deps.metadata.partitionCount(topic) ?? 0);
    return exists ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  });
}
async function addOrVerify(coordinators: Coordinators, transaction: Transaction, version: number) {
  const { transactions, groups } = coordinators;
  const { transactionalId, topics } = transaction;
  if (transaction.verifyOnly) {
    return {
      transactionalId,
      topicResults: results(topics, (topic, at) => transactions.verifyPartition(transactionalId, transaction, topic, at)),
    };
  }
  const missing = (topic: string, partition: number): boolean => partition >= (groups.deps.metadata.partitionCount(topic) ?? 0);
  if (topics.some(({ name, partitions }) => partitions.some((partition) => missing(name, partition)))) {
    // Nothing is added then; the good ones are told so.
    const codeOf = (topic: string, partition: number): number =>
      missing(topic, partition) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.OPERATION_NOT_ATTEMPTED;
    return { transactionalId, topicResults: results(topics, codeOf) };
  }
  const added = new Map(topics.map(({ name, partitions }) => [name, new Set(partitions)]));
  const code = fencingCode(await transactions.addPartitions(transactionalId, transaction, added, version >= 5 ? 2 : 1), version, 2);
  return { transactionalId, topicResults: results(topics, () => code) };
}
