/** A topic that a connector reads itself (signals), over the worker's own client. */
import type { Logger } from "#broker/base/logger";
import type { ClientConfig, KafkaClients } from "#broker/client/types";
import type { TopicRecord } from "../api/connector.ts";

const POLL_MS = 1_000;
const PARTITION = 0;

const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

/** Commits the position before the first record that is not done; one commit at a time, and only the newest of those waiting. */
class DonePosition {
  readonly #commit: (offset: number) => Promise<void>;
  readonly #open = new Set<number>();
  #next = 0;
  #committed = 0;
  #committing: Promise<void> | null = null;

  constructor(commit: (offset: number) => Promise<void>) {
    this.#commit = commit;
  }
  opened(offset: number): void {
    this.#open.add(offset);
    this.#next = offset + 1;
  }
  done(offset: number): void {
    if (this.#open.delete(offset)) this.#committing ??= this.settle();
  }
  /** Resolves when everything that is done is committed, or could not be. */
  async settle(): Promise<void> {
    await this.#committing;
    for (let position = this.#position(); position > this.#committed; position = this.#position()) {
      this.#committed = position;
      await this.#commit(position);
    }
    this.#committing = null;
  }
  /** Records are opened in order, so the first of the set is the lowest. */
  #position(): number {
    for (const offset of this.#open) return offset;
    return this.#next;
  }
}

/**
 * The records of partition 0, where the group stopped, until the signal is aborted. The reader needs no membership in the
 * group: one task has one topic. Throws what the client cannot get over by trying again.
 */
export async function* topicRecords(
  clients: KafkaClients,
  config: ClientConfig,
  topic: string,
  signal: AbortSignal,
  log: Logger,
): AsyncGenerator<TopicRecord, void, undefined> {
  const consumer = await clients.consumer({ ...config, "enable.auto.commit": "false" });
  const wake = (): void => consumer.wakeup();
  signal.addEventListener("abort", wake);
  const position = new DonePosition((offset) =>
    consumer
      .commit([{ topic, partition: PARTITION, offset }])
      .catch((error: unknown) => log.warn(`the position in ${topic} could not be committed: ${String(error)}`)),
  );
  try {
    consumer.assign([{ topic, partition: PARTITION }]);
    while (!signal.aborted) {
      for (const { offset, key, value } of await consumer.poll(POLL_MS)) {
        position.opened(offset);
        yield { key: textOf(key), value: textOf(value), done: () => position.done(offset) };
      }
    }
  } finally {
    signal.removeEventListener("abort", wake);
    await position.settle();
    await consumer.close();
  }
}
