/** Runs a source task without a worker, and keeps its records and its offsets as the worker would. */
import type { Backfill, BackfillCommand } from "#connect/api/backfill";
import type { SourceConnectorPlugin, SourceTask } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";

/** Values without their schemas; bytes as base64, int64 as bigint. */
export function plain(value: ConnectValue): unknown {
  if (value instanceof Struct) return Object.fromEntries(value.schema.fields.map((f) => [f.name, plain(value.at(f.index))]));
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && "toPlainString" in value) return value.toPlainString();
  return value;
}

const isOwn = (partition: SourcePartition): boolean => !("backfills" in partition);

export class SourceBench {
  readonly records: SourceRecord[] = [];
  /** What the offset store holds. */
  stored: SourceOffset | null = null;
  /** What it holds beside the source's own position, by partition. */
  readonly kept = new Map<string, SourceOffset>();
  failure: Error | null = null;
  /** Everything that was logged. */
  readonly logged: string[] = [];
  readonly gauges = new Map<string, number>();
  readonly #plugin: SourceConnectorPlugin;
  readonly #config: Readonly<Record<string, string>>;
  #task: SourceTask | null = null;
  #loop: Promise<void> = Promise.resolve();
  #stop = false;
  /** False: records are written, but killed before their offsets are stored; only what the task saves itself is. */
  flushes = true;
  /** Called for each batch: what of it becomes durable. Default: all. */
  onBatch: (batch: readonly SourceRecord[]) => number = (batch) => batch.length;
  /** Of all that comes from now on only so many records become durable. */
  keepsOnly(most: number): void {
    let left = most;
    this.onBatch = (batch) => {
      const n = Math.min(left, batch.length);
      left -= n;
      return n;
    };
  }

  /** Topics begin with `p.`. */
  constructor(plugin: SourceConnectorPlugin, config: Readonly<Record<string, string>>) {
    this.#plugin = plugin;
    this.#config = { "topic.prefix": "p", ...config };
  }
  async start(): Promise<void> {
    this.#stop = false;
    this.failure = null;
    const log = (message: string, fields?: object): void => {
      this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    };
    const task = this.#plugin.task(this.#config, {
      connectorName: "c",
      taskId: 0,
      log: { debug: log, info: log, warn: log, error: log },
      offsets: {
        offsets: (partitions) =>
          Promise.resolve(partitions.map((p) => (isOwn(p) ? this.stored : (this.kept.get(JSON.stringify(p)) ?? null)))),
        save: (partition, offset) => {
          if (isOwn(partition)) this.stored = offset;
          else this.kept.set(JSON.stringify(partition), offset);
          return Promise.resolve();
        },
      },
      metrics: { gauge: (name, value) => void this.gauges.set(name, Number(value)) },
      signal: new AbortController().signal,
      kafka: {},
    });
    this.#task = task;
    await task.start();
    this.#loop = this.#run(task);
  }
  async #run(task: SourceTask): Promise<void> {
    try {
      while (!this.#stop) {
        const batch = await task.poll().catch((error: Error) => {
          // As the worker: what may heal is polled again.
          if (error.constructor.name !== "RetriableError") throw error;
          return new Promise<readonly SourceRecord[]>((r) => setTimeout(() => r([]), 100));
        });
        const durable = this.onBatch(batch);
        // The bytes behind a row are the task's again at the next poll: take the values out of them now.
        for (const r of batch) for (const value of [r.key, r.value, ...r.headers.map((h) => h.value)]) plain(value);
        this.records.push(...batch.slice(0, durable));
        const last = batch[durable - 1];
        if (last !== undefined && this.flushes) {
          this.stored = JSON.parse(JSON.stringify(last.sourceOffset)) as SourceOffset;
          await task.durable?.([{ partition: last.sourcePartition, offset: this.stored }]);
        }
        if (durable < batch.length) return;
      }
    } catch (error) {
      this.failure = error as Error;
    }
  }
  async backfill(command: BackfillCommand): Promise<readonly Backfill[]> {
    return (await this.#task?.backfill?.(command)) ?? [];
  }
  async stop(): Promise<void> {
    this.#stop = true;
    await this.#loop;
    await this.#task?.stop();
    this.#task = null;
  }
  /** Waits until so many records are there; fails after `timeoutMs`. */
  async until(count: number, timeoutMs = 15_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (this.records.length < count) {
      if (this.failure !== null) throw this.failure;
      if (Date.now() > end) throw new Error(`${this.records.length} of ${count} records after ${timeoutMs} ms`);
      await new Promise((r) => setTimeout(r, 10));
    }
  }
  /** `[op, key, before, after]` of the records of a table; a tombstone is `["tombstone", key]`. */
  events(table: string): unknown[] {
    return this.records
      .filter((r) => r.topic === `p.${table}`)
      .map((r) => {
        if (!(r.value instanceof Struct)) return ["tombstone", plain(r.key)];
        return [r.value.get("op"), plain(r.key), plain(r.value.get("before")), plain(r.value.get("after"))];
      });
  }
}
