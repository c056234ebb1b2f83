/** The requests of a transaction (KIP-98; v2 of the protocol: KIP-890). Each retries what is retriable for `max.block.ms`. */
import { ErrorCode, errorName, KafkaError } from "../../protocol/errors.ts";
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, initProducerId, txnOffsetCommit } from "../../protocol/messages/index.ts";
import type { Api } from "../../protocol/schema.ts";
import { type Body, type Cluster, coordinatorMoved, type CoordinatorType, type SendOptions } from "../cluster.ts";
import type { Answer } from "../connection.ts";
import { commitTopics } from "../offset-store.ts";
import { type RetryScope, retrying } from "../retry.ts";
import type { PartitionOffset, TopicPartition } from "../types.ts";
import type { ProducerIdentity } from "./identity.ts";

/** The coordinator is busy with the previous transaction for some milliseconds only. */
const TRANSACTION_BACKOFF_MS = 20;
/** AddPartitionsToTxn from v4 on is for brokers. */
const ADD_PARTITIONS_VERSION_MAX = 3;

export class TransactionRequests {
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #identity: ProducerIdentity;
  readonly #maxBlockMs: number;
  readonly #scope: RetryScope;
  constructor(cluster: Cluster, transactionalId: string, identity: ProducerIdentity, maxBlockMs: number) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#identity = identity;
    this.#maxBlockMs = maxBlockMs;
    const config = { ...cluster.config, retryBackoffMs: Math.min(TRANSACTION_BACKOFF_MS, cluster.config.retryBackoffMs) };
    this.#scope = { config, deps: cluster.deps, stopped: cluster.stopped };
  }
  #retrying(what: string, attempt: () => Promise<void>): Promise<void> {
    return retrying(this.#scope, `${what} (transactional.id ${this.#transactionalId})`, this.#maxBlockMs, attempt);
  }
  #send<A extends Api>(api: A, body: Body<A>, options: SendOptions = {}): Promise<Answer<A>> {
    return this.#cluster.sendToCoordinator("transaction", this.#transactionalId, api, body, options);
  }
  #check(code: number, what: string, type: CoordinatorType = "transaction", key: string = this.#transactionalId): void {
    if (code === ErrorCode.NONE) return;
    if (coordinatorMoved(code)) this.#cluster.forgetCoordinator(type, key);
    throw new KafkaError(code, `${what}: ${errorName(code)}`);
  }
  #producer(): { transactionalId: string; producerId: number; producerEpoch: number } {
    const { producerId, producerEpoch } = this.#identity;
    return { transactionalId: this.#transactionalId, producerId, producerEpoch };
  }

  /** A first id, or (`raise`) the next epoch of ours after something got lost (KIP-360; brokers from 2.5). */
  init(transactionTimeoutMs: number, raise: boolean): Promise<void> {
    return this.#retrying("initialising transactions", async () => {
      const { producerId, producerEpoch } = this.#identity;
      const { body } = await this.#send(initProducerId, (version) => ({
        transactionalId: this.#transactionalId,
        transactionTimeoutMs,
        ...(raise && version >= 3 ? { producerId, producerEpoch } : {}),
      }));
      this.#check(body.errorCode, "initialising transactions");
      this.#identity.adopt(body.producerId, body.producerEpoch);
    });
  }
  addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const topics = [...Map.groupBy(partitions, (each) => each.topic)].map(([name, group]) => ({
      name,
      partitions: group.map((each) => each.partition),
    }));
    return this.#retrying("adding partitions to the transaction", async () => {
      const { transactionalId, producerId, producerEpoch } = this.#producer();
      const request = {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: topics,
      };
      const { body } = await this.#send(addPartitionsToTxn, request, { versionMax: ADD_PARTITIONS_VERSION_MAX });
      const codes = body.resultsByTopicV3AndBelow.flatMap((topic) => topic.resultsByPartition.map((each) => each.partitionErrorCode));
      // The others are not attempted when one fails: the one that failed says why.
      const code = codes.find((each) => each !== ErrorCode.NONE && each !== ErrorCode.OPERATION_NOT_ATTEMPTED);
      this.#check(code ?? codes.find((each) => each !== ErrorCode.NONE) ?? ErrorCode.NONE, "adding partitions to the transaction");
    });
  }
  /** Transactions v1: the group's offsets partition has to be added before offsets are sent. */
  addOffsets(groupId: string): Promise<void> {
    return this.#retrying("adding offsets to the transaction", async () => {
      const { body } = await this.#send(addOffsetsToTxn, { ...this.#producer(), groupId });
      this.#check(body.errorCode, "adding offsets to the transaction");
    });
  }
  commitOffsets(offsets: readonly PartitionOffset[], groupId: string, versionMax: number): Promise<void> {
    const what = `sending offsets of group ${groupId}`;
    return this.#retrying(what, async () => {
      const request = { ...this.#producer(), groupId, topics: commitTopics(offsets) };
      const { body } = await this.#cluster.sendToCoordinator("group", groupId, txnOffsetCommit, request, { versionMax });
      for (const topic of body.topics) for (const each of topic.partitions) this.#check(each.errorCode, what, "group", groupId);
    });
  }
  /** Since v5 the answer carries the identity of the next transaction. */
  end(committed: boolean, versionMax: number): Promise<void> {
    const what = committed ? "committing the transaction" : "aborting the transaction";
    return this.#retrying(what, async () => {
      const { version, body } = await this.#send(endTxn, { ...this.#producer(), committed }, { versionMax });
      this.#check(body.errorCode, what);
      if (version >= 5 && body.producerId >= 0) this.#identity.adopt(body.producerId, body.producerEpoch);
    });
  }
}
