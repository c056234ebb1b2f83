/** A topic that a task writes and reads itself, in its first partition, over the worker's own client. Clients are made on first use. */
import type { Clock } from "#broker/base/clock";
import type { Admin, ClientConfig, KafkaClients, Producer } from "#broker/client/types";
import type { OwnTopic, OwnTopicConfig } from "../api/connector.ts";
import { ConfigError, ConnectError } from "../api/errors.ts";

const POLL_MS = 500;
const CLOSE_TIMEOUT_MS = 5_000;
/** A new topic is not known to all brokers at once. */
const APPEAR_MS = 30_000;

const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
const text = (b: Uint8Array | null): string | null =>
  b === null ? null : Buffer.from(b.buffer, b.byteOffset, b.byteLength).toString("utf8");

export class KafkaOwnTopic implements OwnTopic {
  readonly #clients: KafkaClients;
  readonly #configs: Readonly<Record<"admin" | "producer" | "consumer", ClientConfig>>;
  readonly #topic: string;
  readonly #stallMs: number;
  readonly #clock: Clock;
  #admin: Promise<Admin> | null = null;
  #producer: Promise<Producer> | null = null;

  constructor(
    clients: KafkaClients,
    configs: Readonly<Record<"admin" | "producer" | "consumer", ClientConfig>>,
    config: OwnTopicConfig,
    clock: Clock,
  ) {
    this.#clients = clients;
    this.#configs = configs;
    this.#topic = config.topic;
    this.#stallMs = config.stallMs;
    this.#clock = clock;
  }
  async #wrapped<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof ConnectError) throw cause;
      throw new ConnectError(`${what} topic ${this.#topic} failed: ${String(cause)}`, { cause, causeClass: "transient" });
    }
  }
  #adminClient(): Promise<Admin> {
    return (this.#admin ??= this.#clients.admin(this.#configs.admin));
  }
  range(): Promise<{ start: number; end: number } | null> {
    return this.#wrapped("looking at", async () => {
      const admin = await this.#adminClient();
      const described = (await admin.describeTopics([this.#topic])).get(this.#topic);
      if (described === undefined) return null;
      const all = described.partitions.map(({ partition }) => ({ topic: this.#topic, partition }));
      const [starts, ends] = [await admin.beginningOffsets(all), await admin.endOffsets(all)];
      const first = all.findIndex(({ partition }) => partition === 0);
      if (all.some((_, i) => i !== first && starts[i] !== ends[i]))
        throw new ConfigError(`Topic ${this.#topic} has records in ${all.length} partitions: their order is only known in one, the first`);
      const [start, end] = [starts[first], ends[first]];
      return { start: start ?? 0, end: end ?? 0 };
    });
  }
  create(configs: Readonly<Record<string, string>>): Promise<void> {
    return this.#wrapped("creating", async () => {
      const admin = await this.#adminClient();
      await admin.createTopics([{ name: this.#topic, partitions: 1, replicationFactor: -1, configs }]);
      const deadline = this.#clock.monotonic() + APPEAR_MS;
      for (;;) {
        const described = (await admin.describeTopics([this.#topic])).get(this.#topic);
        if (described !== undefined && described.partitions.every((p) => p.leader >= 0)) return;
        if (this.#clock.monotonic() > deadline) throw new Error("it did not appear in time");
        await this.#clock.sleep(20);
      }
    });
  }
  async *read(from: number): AsyncGenerator<{ offset: number; key: string | null; value: string | null }, void, undefined> {
    const range = await this.range();
    if (range === null || range.end <= from) return;
    const partition = { topic: this.#topic, partition: 0 };
    const consumer = await this.#clients.consumer({ ...this.#configs.consumer, "enable.auto.commit": "false" });
    try {
      consumer.assign([partition]);
      consumer.seek(partition, Math.max(from, range.start));
      let heard = this.#clock.monotonic();
      // The position, not the last record's offset: markers of transactions and compacted records are passed without being seen.
      while ((consumer.position(partition) ?? 0) < range.end) {
        const records = await this.#wrapped("reading", () => consumer.poll(POLL_MS));
        if (records.length > 0) heard = this.#clock.monotonic();
        else if (this.#clock.monotonic() - heard > this.#stallMs && (consumer.position(partition) ?? 0) < range.end)
          throw new ConnectError(
            `Topic ${this.#topic} could be read up to offset ${consumer.position(partition) ?? 0} only, not to its end at ${range.end}`,
            { causeClass: "transient" },
          );
        for (const r of records) if (r.offset < range.end) yield { offset: r.offset, key: text(r.key), value: text(r.value) };
      }
    } finally {
      await consumer.close();
    }
  }
  append(records: readonly { readonly key: string | null; readonly value: string | null }[]): Promise<void> {
    return this.#wrapped("writing to", async () => {
      const producer = await (this.#producer ??= this.#clients.producer({
        "linger.ms": "0",
        "max.in.flight.requests.per.connection": "1",
        "enable.idempotence": "false",
        ...this.#configs.producer,
        acks: "all",
      }));
      await producer.partitions(this.#topic);
      await Promise.all(records.map((r) => producer.send(this.#topic, 0, bytes(r.key), bytes(r.value))));
    });
  }
  async close(): Promise<void> {
    // What could not be made has nothing to close.
    await (await this.#producer?.catch(() => undefined))?.close(CLOSE_TIMEOUT_MS);
    await (await this.#admin?.catch(() => undefined))?.close();
  }
}
