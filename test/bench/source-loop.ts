/**
 * How fast the source loop is: records made beforehand, over and over, through the loop into a producer that copies and
 * acknowledges. `node --cpu-prof test/bench/source-loop.ts [seconds]`.
 */
import { systemClock } from "#broker/base/clock";
import type { Delivery, KafkaClients, Producer, RecordRanges } from "#broker/client/types";
import { rangesOf } from "#broker/protocol/records/builder";
import type { ByteSink } from "#connect/api/byte-sink";
import type { SourceRecord } from "#connect/api/record";
import { runSourceTask } from "#connect/worker/source-task";
import { fakeKafkaClients } from "../fakes/kafka-clients.ts";
import { FakeCluster } from "../fakes/kafka-cluster.ts";
import { testCatalog } from "../fakes/plugins.ts";
import { PushedSource, testHost, textRecord } from "../fakes/task-host.ts";

const seconds = Number(process.argv[2] ?? 3);
const BATCH_RECORDS = 1_000;

class CopyingProducer implements Producer {
  onSettled: ((delivery: Delivery) => void) | null = null;
  bufferedBytes = 0;
  appended = 0;
  #batch: { -readonly [K in keyof Delivery]: Delivery[K] } | null = null;
  #count = 0;
  #at = 0;
  readonly #bytes = Buffer.allocUnsafeSlow(4 * 1024 * 1024);
  partitions = async (): Promise<number> => 1;
  append(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null): Delivery {
    return this.appendRanges(topic, partition, rangesOf(key, value));
  }
  appendRanges(topic: string, partition: number | null, r: RecordRanges): Delivery {
    if (this.#at > this.#bytes.length - 65_536) this.#at = 0;
    if (r.keyLength > 0) this.#at += r.keyBytes.copy(this.#bytes, this.#at, r.keyStart, r.keyStart + r.keyLength);
    if (r.valueLength > 0) this.#at += r.valueBytes.copy(this.#bytes, this.#at, r.valueStart, r.valueStart + r.valueLength);
    this.appended++;
    const batch = (this.#batch ??= { topic, partition: partition ?? 0, state: "pending", baseOffset: -1, error: null });
    if (++this.#count === BATCH_RECORDS) {
      batch.state = "acked";
      this.onSettled?.(batch);
      this.#batch = null;
      this.#count = 0;
    }
    return batch;
  }
  room = async (): Promise<void> => {};
  flush = async (): Promise<void> => {};
  send = async (): Promise<{ partition: number; offset: number }> => ({ partition: 0, offset: 0 });
  beginTransaction(): void {}
  sendOffsetsToTransaction = async (): Promise<void> => {};
  commitTransaction = async (): Promise<void> => {};
  abortTransaction = async (): Promise<void> => {};
  initTransactions = async (): Promise<void> => {};
  close = async (): Promise<void> => {};
}

const base = testCatalog([]);
const text: typeof base = {
  ...base,
  connector: async () => plugin,
  converter: async () => ({
    kind: "converter",
    name: "FastText",
    classes: ["bench.FastText"],
    version: "1",
    config: [],
    create: () => ({
      fromConnect: (_t, _s, value) => (value === null ? null : Buffer.from(value as string)),
      toConnect: () => ({ schema: null, value: null }),
      write(_topic, _schema, value, out: ByteSink) {
        if (value === null) return -1;
        const s = value as string;
        out.reserve(s.length * 3);
        const n = out.bytes.latin1Write(s, out.length);
        out.length += n;
        return n;
      },
    }),
  }),
};
const records: SourceRecord[] = Array.from({ length: 2_000 }, (_, i) => ({ ...textRecord("x".repeat(100), i), key: `key-${i}` }));
const source = new PushedSource();
const plugin = { ...source.plugin, task: () => ({ start: async () => {}, poll: async () => records, stop: async () => {} }) };

const producer = new CopyingProducer();
const clients: KafkaClients = { ...fakeKafkaClients(new FakeCluster()), producer: async () => producer };
const transforms =
  process.argv[3] === "transform" ? { transforms: "s", "transforms.s.type": "test.Suffix$Value", "transforms.s.suffix": "!" } : {};
const host = testHost(clients, text, { name: "c", "connector.class": "x", ...transforms });
const run = runSourceTask(host);
await systemClock.sleep(500);
const [count, cpu, at] = [producer.appended, process.cpuUsage(), performance.now()];
await systemClock.sleep(seconds * 1_000);
const used = process.cpuUsage(cpu);
const n = producer.appended - count;
const elapsed = performance.now() - at;
host.end.abort();
await run;
const cpuSeconds = (used.user + used.system) / 1e6;
console.log(
  `${Math.round((n / elapsed) * 1_000)} records/s, ${Math.round(n / cpuSeconds)} records per CPU second, ` +
    `${Math.round((cpuSeconds * 1e9) / n)} ns each; committed ${host.written.at(-1)?.offset?.["position"]}; rss ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
);
