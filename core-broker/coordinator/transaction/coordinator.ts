/** The transaction coordinator: finds the shard of a transactional id and takes it from state to state. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { DescribeTransactionsResponse } from "../../protocol/messages/describe-transactions.ts";
import type { EndTxnRequest, EndTxnResponse } from "../../protocol/messages/end-txn.ts";
import type { InitProducerIdRequest, InitProducerIdResponse } from "../../protocol/messages/init-producer-id.ts";
import type { ListTransactionsRequest, ListTransactionsResponse } from "../../protocol/messages/list-transactions.ts";
import type { Encodable } from "../../protocol/schema.ts";
import { codeOf } from "../error-code.ts";
import { compilePattern, PatternError } from "../linear-pattern.ts";
import { partitionForKey } from "../records.ts";
import type { CoordinatorDeps, ProducerIdentity } from "../types.ts";
import { describeTransaction, listTransactions } from "./inspection.ts";
import { MarkerSender, type OffsetsEnd } from "./marker-sender.ts";
import { ProducerIds } from "./producer-ids.ts";
import { type Transaction, TransactionShard } from "./shard.ts";
import { freshState, isEpochExhausted, isPreparing, type Partitions } from "./transaction-state.ts";
import {
  addPartitions,
  checkProducer,
  endTransactionV1,
  endTransactionV2,
  fenceAndAbort,
  initProducer,
  maySpeakFor,
} from "./transitions.ts";

/** EndTxn answers when the markers are there, so that what was committed can be read at once; never later than this. */
const MARKER_GRACE_MS = 500;

export class TransactionCoordinator {
  readonly deps: CoordinatorDeps;
  readonly sender: MarkerSender;
  private readonly producerIds: ProducerIds;
  private readonly shards = new Map<number, TransactionShard>();

  constructor(deps: CoordinatorDeps, offsets: OffsetsEnd) {
    this.deps = deps;
    this.sender = new MarkerSender(deps, offsets);
    this.producerIds = new ProducerIds(deps.producerIds);
  }
  async elected(partition: number, leaderEpoch: number): Promise<void> {
    this.resigned(partition);
    const shard = new TransactionShard(this.deps, this.sender, partition, leaderEpoch);
    this.shards.set(partition, shard);
    await shard.load();
  }
  resigned(partition: number): void {
    this.shards.get(partition)?.close();
    this.shards.delete(partition);
  }
  close(): void {
    for (const partition of this.shards.keys()) this.resigned(partition);
  }
  activeShards(): TransactionShard[] {
    return [...this.shards.values()].filter((shard) => shard.state === "active");
  }
  /** Throws KafkaError: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS. */
  private shardOf(transactionalId: string): TransactionShard {
    const partitions = this.deps.transactionLog.partitionCount();
    const shard = partitions === null ? undefined : this.shards.get(partitionForKey(transactionalId, partitions));
    if (shard === undefined || shard.state === "closed") throw new KafkaError(ErrorCode.NOT_COORDINATOR);
    if (shard.state === "loading") throw new KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    return shard;
  }
  /** Throws also INVALID_REQUEST and INVALID_PRODUCER_ID_MAPPING. */
  private find(transactionalId: string): { shard: TransactionShard; transaction: Transaction } {
    if (transactionalId === "") throw new KafkaError(ErrorCode.INVALID_REQUEST);
    const shard = this.shardOf(transactionalId);
    const transaction = shard.transactions.get(transactionalId);
    if (transaction === undefined) throw new KafkaError(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    return { shard, transaction };
  }

  async initProducerId(request: InitProducerIdRequest): Promise<Encodable<InitProducerIdResponse>> {
    try {
      const id = request.transactionalId;
      if (id === null) return { errorCode: ErrorCode.NONE, producerId: await this.producerIds.next(), producerEpoch: 0 };
      if (id === "") return { errorCode: ErrorCode.INVALID_REQUEST };
      const timeoutMs = request.transactionTimeoutMs;
      if (timeoutMs <= 0 || timeoutMs > this.deps.config.transactionMaxTimeoutMs)
        return { errorCode: ErrorCode.INVALID_TRANSACTION_TIMEOUT };
      return await this.initTransactional(id, request);
    } catch (error) {
      return { errorCode: codeOf(error) };
    }
  }
  private async initTransactional(id: string, request: InitProducerIdRequest): Promise<Encodable<InitProducerIdResponse>> {
    const shard = this.shardOf(id);
    const known = shard.transactions.get(id)?.state;
    const spareId = known === undefined || isEpochExhausted(known.producerEpoch) ? await this.producerIds.next() : -1;
    const transaction = shard.getOrCreate(id, () => freshState(spareId, request.transactionTimeoutMs, this.deps.clock.now()));
    const expected =
      request.producerId < 0 && request.producerEpoch < 0 ? null : { producerId: request.producerId, producerEpoch: request.producerEpoch };
    if (transaction.pending) return { errorCode: ErrorCode.CONCURRENT_TRANSACTIONS };
    const { state } = transaction;
    if (state.status === "Ongoing") {
      if (expected !== null && !(maySpeakFor(state, expected) && expected.producerEpoch === state.producerEpoch)) {
        return { errorCode: ErrorCode.PRODUCER_FENCED };
      }
      const code = await shard.take(transaction, { errorCode: ErrorCode.NONE, next: fenceAndAbort(state, this.deps.clock.now()) });
      if (code !== ErrorCode.NONE) return { errorCode: code };
      if (transaction.ending !== null) await this.briefly(transaction.ending);
    }
    // While the abort is not through the client is told to ask again.
    if (isPreparing(transaction.state.status)) return { errorCode: ErrorCode.CONCURRENT_TRANSACTIONS };
    const newId = isEpochExhausted(transaction.state.producerEpoch) && spareId < 0 ? await this.producerIds.next() : spareId;
    const code = await shard.take(
      transaction,
      initProducer(transaction.state, expected, request.transactionTimeoutMs, newId, this.deps.clock.now()),
    );
    if (code !== ErrorCode.NONE) return { errorCode: code };
    return { errorCode: code, producerId: transaction.state.producerId, producerEpoch: transaction.state.producerEpoch };
  }

  /** The code of AddPartitionsToTxn, AddOffsetsToTxn and of an implicit join. `clientVersion` 2: KIP-890's clients. */
  async addPartitions(id: string, producer: ProducerIdentity, added: Partitions, clientVersion: number): Promise<number> {
    try {
      const { shard, transaction } = this.find(id);
      if (transaction.pending) {
        const refused = checkProducer(transaction.state, producer);
        return refused === ErrorCode.NONE ? ErrorCode.CONCURRENT_TRANSACTIONS : refused;
      }
      return await shard.take(transaction, addPartitions(transaction.state, producer, added, clientVersion, this.deps.clock.now()));
    } catch (error) {
      return codeOf(error);
    }
  }
  /** NONE when the producer's transaction is open and has the partition; TRANSACTION_ABORTABLE when it has not. */
  verifyPartition(id: string, producer: ProducerIdentity, topic: string, partition: number): number {
    try {
      const { state } = this.find(id).transaction;
      const refused = checkProducer(state, producer);
      if (refused !== ErrorCode.NONE) return refused;
      const inside = state.status === "Ongoing" && state.partitions.get(topic)?.has(partition) === true;
      return inside ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE;
    } catch (error) {
      return codeOf(error);
    }
  }
  /** The partition of __consumer_offsets that a group's transactional offsets go to; creates the topic when it is missing. */
  async offsetsPartition(groupId: string): Promise<Partitions> {
    const { groupLog } = this.deps;
    if (groupLog.partitionCount() === null) await groupLog.ensureTopic();
    const count = groupLog.partitionCount();
    if (count === null) throw new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    return new Map([[groupLog.topic, new Set([partitionForKey(groupId, count)])]]);
  }

  async endTransaction(request: EndTxnRequest, bumpsEpoch: boolean): Promise<Encodable<EndTxnResponse>> {
    try {
      const { shard, transaction } = this.find(request.transactionalId);
      const spareId = bumpsEpoch && isEpochExhausted(transaction.state.producerEpoch) ? await this.producerIds.next() : -1;
      const nowMs = this.deps.clock.now();
      const step = bumpsEpoch
        ? endTransactionV2(transaction.state, request, request.committed, spareId, nowMs)
        : endTransactionV1(transaction.state, request, request.committed, nowMs);
      if (step.next !== null && transaction.pending) return { errorCode: ErrorCode.CONCURRENT_TRANSACTIONS };
      const errorCode = await shard.take(transaction, step);
      if (errorCode !== ErrorCode.NONE) return { errorCode };
      const decided = step.next ?? transaction.state;
      if (transaction.ending !== null) await this.briefly(transaction.ending);
      const rotated = decided.nextProducerId >= 0;
      return {
        errorCode,
        producerId: rotated ? decided.nextProducerId : decided.producerId,
        producerEpoch: rotated ? 0 : decided.producerEpoch,
      };
    } catch (error) {
      return { errorCode: codeOf(error) };
    }
  }
  private async briefly(ending: Promise<void>): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([ending, this.deps.clock.sleep(MARKER_GRACE_MS, waiting.signal)]);
    waiting.abort();
  }

  describe(transactionalId: string): Encodable<DescribeTransactionsResponse["transactionStates"][number]> {
    if (transactionalId === "") return { errorCode: ErrorCode.INVALID_REQUEST, transactionalId };
    try {
      return describeTransaction(transactionalId, this.shardOf(transactionalId).transactions.get(transactionalId)?.state);
    } catch (error) {
      return { errorCode: codeOf(error), transactionalId };
    }
  }
  list(request: ListTransactionsRequest): Encodable<ListTransactionsResponse> {
    if ([...this.shards.values()].some((shard) => shard.state === "loading")) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
    let matches = (_id: string): boolean => true;
    try {
      if (request.transactionalIdPattern) matches = compilePattern(request.transactionalIdPattern);
    } catch (error) {
      if (error instanceof PatternError) return { errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION };
      throw error;
    }
    return { errorCode: ErrorCode.NONE, ...listTransactions(this.activeShards(), request, this.deps.clock.now(), matches) };
  }
}
