/**
 * Clients that write and read while somebody kills their broker, and write down what they saw: idempotent producers,
 * transactional producers that commit and abort, and readers of committed data with a position of their own.
 */
import { createKafkaClients } from "#broker/client/index";
import type { ConsumedRecord, Consumer, Delivery, KafkaClients, Producer, TopicPartition } from "#broker/client/types";
import { sleep } from "../millrace-process.ts";
import type { FinalRead, HistoryEvent, Poll, Send, TransactionEnd } from "./checker.ts";

export interface WorkloadOptions {
  readonly bootstrap: string;
  readonly random: () => number;
  readonly plainTopic: string;
  readonly transactionTopic: string;
  readonly partitions: number;
  readonly plainProducers: number;
  readonly transactionalProducers: number;
  readonly readers: number;
}
interface PendingSend {
  readonly event: Send;
  readonly delivery: Delivery;
  readonly index: number;
}
/** Segments fill up within seconds. */
const PADDING = Buffer.alloc(2000, "p");
/** What clients of a broker that comes and goes need; the rest are Kafka's defaults. */
const CLIENT = {
  "retry.backoff.ms": "20",
  "reconnect.backoff.ms": "20",
  "reconnect.backoff.max.ms": "100",
  "request.timeout.ms": "5000",
  "max.block.ms": "60000",
  "default.api.timeout.ms": "60000",
};

export class Workload {
  readonly history: HistoryEvent[] = [];
  /** Errors that end a transaction or a producer and begin a new one; not anomalies by themselves. */
  readonly errors: string[] = [];
  readonly #options: WorkloadOptions;
  readonly #clients: KafkaClients = createKafkaClients();
  #stopped = false;
  #running: Promise<void>[] = [];
  #values = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }
  get acknowledged(): number {
    return this.history.filter((event) => event.kind === "send" && event.offset !== null).length;
  }
  get committed(): number {
    return this.history.filter((event) => event.kind === "end" && event.outcome === "committed").length;
  }
  start(): void {
    const { plainProducers, transactionalProducers, readers } = this.#options;
    for (let i = 0; i < plainProducers; i++) this.#running.push(this.#plain(`plain-${i}`));
    for (let i = 0; i < transactionalProducers; i++) this.#running.push(this.#transactions(`tx-${i}`));
    for (let i = 0; i < readers; i++) this.#running.push(this.#read(`reader-${i}`));
  }
  /** Ends the writers, lets the readers come to the end, and reads everything once more. */
  async finish(): Promise<readonly HistoryEvent[]> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const topic of [this.#options.plainTopic, this.#options.transactionTopic]) this.history.push(...(await this.#final(topic)));
    return this.history;
  }

  #append(producer: Producer, name: string, topic: string, transaction: string | null, pending: PendingSend[]): void {
    const partition = Math.floor(this.#options.random() * this.#options.partitions);
    const value = `${name}/${this.#values++}`;
    const delivery = producer.append(topic, partition, PADDING, Buffer.from(value), Date.now(), []);
    const index = pending.filter((each) => each.delivery === delivery).length;
    pending.push({ event: { kind: "send", producer: name, topic, partition, value, offset: null, transaction }, delivery, index });
  }
  /** In the order in which they were sent. */
  #record(pending: readonly PendingSend[]): void {
    for (const { event, delivery, index } of pending)
      this.history.push(delivery.state === "acked" ? { ...event, offset: delivery.baseOffset + index } : event);
  }

  async #plain(name: string): Promise<void> {
    let producer: Producer | null = null;
    while (!this.#stopped) {
      const pending: PendingSend[] = [];
      try {
        producer ??= await this.#producer({ "enable.idempotence": "true", acks: "all" });
        await producer.partitions(this.#options.plainTopic);
        for (let i = 1 + Math.floor(this.#options.random() * 8); i > 0; i--)
          this.#append(producer, name, this.#options.plainTopic, null, pending);
        await producer.flush();
        await sleep(this.#options.random() * 3);
      } catch (error) {
        this.errors.push(`${name}: ${String(error)}`);
        await producer?.close(0).catch(() => {});
        producer = null;
      }
      this.#record(pending);
    }
    await producer?.close();
  }
  #producer(config: Readonly<Record<string, string>>): Promise<Producer> {
    return this.#clients.producer({ "bootstrap.servers": this.#options.bootstrap, "linger.ms": "0", ...CLIENT, ...config });
  }

  async #transactions(name: string): Promise<void> {
    let producer: Producer | null = null;
    for (let count = 0; !this.#stopped; count++) {
      const pending: PendingSend[] = [];
      const transaction = `${name}#${count}`;
      let outcome: TransactionEnd["outcome"] = "unknown";
      try {
        if (producer === null) {
          producer = await this.#producer({ "transactional.id": name, "transaction.timeout.ms": "20000" });
          await producer.initTransactions();
          await producer.partitions(this.#options.transactionTopic);
        }
        outcome = await this.#transaction(producer, name, transaction, pending);
        // Sometimes the producer is left where it is and a younger one takes its id: its open transaction has to be aborted.
        if (outcome === "unknown") producer = null;
      } catch (error) {
        this.errors.push(`${transaction}: ${String(error)}`);
        await producer?.close(0).catch(() => {});
        producer = null;
      }
      this.#record(pending);
      this.history.push({ kind: "end", transaction, outcome });
    }
    await producer?.close().catch(() => {});
  }
  async #transaction(producer: Producer, name: string, transaction: string, pending: PendingSend[]): Promise<TransactionEnd["outcome"]> {
    producer.beginTransaction();
    const choice = this.#options.random();
    for (let batch = 1 + Math.floor(this.#options.random() * 3); batch > 0; batch--) {
      for (let i = 1 + Math.floor(this.#options.random() * 4); i > 0; i--)
        this.#append(producer, name, this.#options.transactionTopic, transaction, pending);
      await producer.flush();
    }
    if (choice < 0.05) {
      await producer.close(0).catch(() => {});
      return "unknown";
    }
    if (choice < 0.25) {
      await producer.abortTransaction();
      return "aborted";
    }
    await producer.commitTransaction();
    return "committed";
  }

  async #consumer(partitions: readonly TopicPartition[]): Promise<Consumer> {
    const consumer = await this.#clients.consumer({
      "bootstrap.servers": this.#options.bootstrap,
      "isolation.level": "read_committed",
      "auto.offset.reset": "earliest",
      ...CLIENT,
    });
    consumer.assign(partitions);
    return consumer;
  }
  #partitions(topic: string): TopicPartition[] {
    return Array.from({ length: this.#options.partitions }, (_, partition) => ({ topic, partition }));
  }
  async #read(name: string): Promise<void> {
    const all = [...this.#partitions(this.#options.plainTopic), ...this.#partitions(this.#options.transactionTopic)];
    const consumer = await this.#consumer(all);
    let empty = 0;
    // After the end of the writers: until nothing has come for a while, also not from a transaction that had to time out.
    while (empty < 5) {
      const records = await consumer.poll(200);
      this.history.push(...polls(name, records));
      empty = this.#stopped && records.length === 0 && (await atEnd(consumer, all)) ? empty + 1 : 0;
    }
    await consumer.close();
  }
  async #final(topic: string): Promise<FinalRead[]> {
    const partitions = this.#partitions(topic);
    const consumer = await this.#consumer(partitions);
    const records: ConsumedRecord[] = [];
    do records.push(...(await consumer.poll(200)));
    while (!(await atEnd(consumer, partitions)));
    await consumer.close();
    return partitions.map(({ partition }) => ({
      kind: "final",
      topic,
      partition,
      records: records.filter((each) => each.partition === partition).map(entry),
    }));
  }
}

async function atEnd(consumer: Consumer, partitions: readonly TopicPartition[]): Promise<boolean> {
  const ends = await consumer.endOffsets(partitions);
  return partitions.every((partition, i) => (consumer.position(partition) ?? 0) >= (ends[i] ?? 0));
}
function entry({ offset, value }: ConsumedRecord): { offset: number; value: string } {
  return { offset, value: Buffer.from(value ?? "").toString() };
}
function polls(consumer: string, records: readonly ConsumedRecord[]): Poll[] {
  const keys = new Set(records.map(({ topic, partition }) => `${topic}-${partition}`));
  return [...keys].flatMap((key): Poll[] => {
    const mine = records.filter(({ topic, partition }) => `${topic}-${partition}` === key);
    const first = mine[0];
    return first === undefined
      ? []
      : [{ kind: "poll", consumer, topic: first.topic, partition: first.partition, records: mine.map(entry) }];
  });
}
