/**
 * A source for tests of delivery: each task counts from its durable offset on and sends `TASK:COUNT`. What is in the topic shows
 * by itself whether anything is missing or twice. A worker process gets it by `--import` of this file, in its threads as well.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { SourceConnectorPlugin, SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { SourceRecord } from "#connect/api/record";
import { STRING } from "#connect/api/schema";
import { connectorEntries, type ConnectorEntry } from "#connect/catalog/builtin";

const CLASS = "test.CountingSource";

class CountingTask implements SourceTask {
  readonly #topic: string;
  readonly #batch: number;
  readonly #pauseMs: number;
  readonly #padding: string;
  readonly #transactionSize: number;
  readonly #task: string;
  readonly #context: SourceTaskContext;
  #count = 0;

  constructor(config: TaskConfig, context: SourceTaskContext) {
    this.#context = context;
    this.#topic = config["topic"] ?? "";
    this.#task = config["task.number"] ?? "0";
    this.#batch = Number(config["batch"] ?? 10);
    this.#pauseMs = Number(config["pause.ms"] ?? 20);
    this.#padding = "x".repeat(Number(config["padding"] ?? 0));
    this.#transactionSize = Number(config["transaction.size"] ?? 0);
  }
  async start(): Promise<void> {
    const [stored] = await this.#context.offsets.offsets([{ task: this.#task }]);
    this.#count = Number(stored?.["count"] ?? 0);
  }
  async poll(): Promise<readonly SourceRecord[]> {
    await sleep(this.#pauseMs);
    const records: SourceRecord[] = [];
    for (let n = 0; n < this.#batch; n++) records.push(this.#next());
    return records;
  }
  #next(): SourceRecord {
    const count = this.#count++;
    const record: SourceRecord = {
      topic: this.#topic,
      partition: 0,
      keySchema: STRING,
      key: this.#task,
      valueSchema: STRING,
      value: `${this.#task}:${count}${this.#padding}`,
      timestamp: null,
      headers: [],
      sourcePartition: { task: this.#task },
      sourceOffset: { count: count + 1 },
    };
    if (this.#transactionSize > 0 && (count + 1) % this.#transactionSize === 0) this.#context.transaction?.commit(record);
    return record;
  }
  async stop(): Promise<void> {}
}

export const countingSource: SourceConnectorPlugin = {
  kind: "source",
  name: "counting",
  classes: [CLASS],
  taskClass: "test.CountingSourceTask",
  version: "1",
  config: [{ name: "topic", type: "STRING", importance: "HIGH", doc: "Where to." }],
  start: (config) => ({
    taskConfigs: (max) => Array.from({ length: max }, (_, n) => ({ ...config, "task.number": String(n) })),
  }),
  task: (config, context) => new CountingTask(config, context),
  exactlyOnce: "supported",
  ownsTransactions: true,
};

const entry: ConnectorEntry = {
  kind: "source",
  name: countingSource.name,
  classes: countingSource.classes,
  version: countingSource.version,
  load: () => Promise.resolve(countingSource),
};
(connectorEntries as ConnectorEntry[]).push(entry);
