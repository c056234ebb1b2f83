/** Producer id and epoch (KIP-98). Transactional producers are given theirs by the transaction coordinator. */
import { ErrorCode, errorName, KafkaError } from "../../protocol/errors.ts";
import { initProducerId } from "../../protocol/messages/index.ts";
import type { Cluster } from "../cluster.ts";
import { retrying, shouldRetry } from "../retry.ts";

const EPOCH_MAX = 0x7fff;
const INT32_MAX = 0x7fffffff;

/** Sequences wrap from 2^31-1 to 0. */
export const sequenceAfter = (sequence: number, records: number): number =>
  sequence > INT32_MAX - records ? records - (INT32_MAX - sequence) - 1 : sequence + records;

export class ProducerIdentity {
  producerId = -1;
  producerEpoch = -1;
  readonly #cluster: Cluster;
  #asking = false;
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }
  get known(): boolean {
    return this.producerId >= 0;
  }
  adopt(producerId: number, producerEpoch: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
  }
  forget(): void {
    this.adopt(-1, -1);
  }
  /** Without transactions the producer raises its epoch itself (KIP-360); at the end of the range a new id is asked for. */
  bump(): void {
    if (this.producerEpoch < EPOCH_MAX) this.producerEpoch++;
    else this.forget();
  }
  /** Asks in the background, again and again with backoff. `failed` for what will not heal. */
  acquire(ready: () => void, failed: (error: Error) => void): void {
    if (this.#asking || this.known) return;
    this.#asking = true;
    const ask = async (): Promise<void> => {
      const { body } = await this.#cluster.sendToAny(initProducerId, { transactionalId: null, transactionTimeoutMs: INT32_MAX });
      if (body.errorCode !== ErrorCode.NONE) throw new KafkaError(body.errorCode, `no producer id: ${errorName(body.errorCode)}`);
      this.adopt(body.producerId, body.producerEpoch);
    };
    retrying(this.#cluster, "getting a producer id", this.#cluster.config.requestTimeoutMs, ask).then(
      () => {
        this.#asking = false;
        ready();
      },
      (error: unknown) => {
        this.#asking = false;
        if (this.#cluster.stopped.aborted) return;
        if (shouldRetry(error)) ready();
        else failed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}
