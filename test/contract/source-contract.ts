/**
 * What every source connector has to keep: one suite, run for each connector with a harness. The rules stand in
 * connect-runtime/api/connector.ts.
 */
import { expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import type { SourceConnectorPlugin, SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { OffsetValue, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { canonicalKey, offsetToJson, parseOffset } from "#connect/store/offset-json";

export interface SourceHarness {
  /** Prepares a source with `count` changes and answers the connector's configuration. */
  setUp(count: number): Promise<TaskConfig>;
  /** Makes `count` more changes. */
  change(count: number): Promise<void>;
  tearDown(): Promise<void>;
  /** What tells changes apart in the records; the same change read twice has the same. */
  identity(record: SourceRecord): string;
}
class Reading {
  readonly stored = new Map<string, SourceOffset>();
  readonly stop = new AbortController();
  readonly records: SourceRecord[] = [];
  task: SourceTask | null = null;
  readonly #plugin: SourceConnectorPlugin;
  constructor(plugin: SourceConnectorPlugin, stored: ReadonlyMap<string, SourceOffset> = new Map()) {
    this.#plugin = plugin;
    this.stored = new Map(stored);
  }
  async begin(config: TaskConfig): Promise<SourceTask> {
    const connector = await this.#plugin.start(config, {
      connectorName: "contract",
      log: silentLogger,
      signal: this.stop.signal,
      requestTaskReconfiguration: () => {},
      raiseError: (error) => {
        throw error;
      },
    });
    const configs = await connector.taskConfigs(1);
    expect(configs).toHaveLength(1);
    const context: SourceTaskContext = {
      connectorName: "contract",
      taskId: 0,
      log: silentLogger,
      signal: this.stop.signal,
      kafka: {},
      metrics: { gauge: () => {} },
      offsets: { offsets: async (ps) => ps.map((p) => this.stored.get(canonicalKey("", p)) ?? null) },
    };
    const task = this.#plugin.task(configs[0] ?? {}, context);
    await task.start();
    this.task = task;
    return task;
  }
  async read(count: number): Promise<readonly SourceRecord[]> {
    const deadline = systemClock.monotonic() + 20_000;
    while (this.records.length < count && systemClock.monotonic() < deadline) this.records.push(...((await this.task?.poll()) ?? []));
    return this.records;
  }
  /** Stores the offset of a record as the runtime would, through its JSON form. */
  keep(record: SourceRecord): void {
    this.stored.set(canonicalKey("", record.sourcePartition), parseOffset(offsetToJson(record.sourceOffset)) ?? {});
  }
  async end(): Promise<void> {
    this.stop.abort();
    await this.task?.stop();
  }
}
const plain = (map: SourcePartition | SourceOffset): OffsetValue[] => Object.values(map);

export function sourceContract(plugin: SourceConnectorPlugin, harness: SourceHarness): void {
  const reading = async (config: TaskConfig, stored?: ReadonlyMap<string, SourceOffset>): Promise<Reading> => {
    const r = new Reading(plugin, stored);
    await r.begin(config);
    return r;
  };
  test("delivers every change once and in order, each with an offset that JSON can hold", async () => {
    const r = await reading(await harness.setUp(5));
    const records = await r.read(5);
    expect(new Set(records.map((x) => harness.identity(x))).size).toBe(5);
    for (const record of records) {
      expect(parseOffset(offsetToJson(record.sourceOffset))).toEqual(record.sourceOffset);
      for (const value of [...plain(record.sourcePartition), ...plain(record.sourceOffset)]) {
        expect(value === null || ["string", "number", "bigint", "boolean"].includes(typeof value)).toBe(true);
      }
    }
    await r.end();
    await harness.tearDown();
  });

  test("goes on after a stored offset: nothing is missing, nothing before it comes again", async () => {
    const config = await harness.setUp(6);
    const first = await reading(config);
    const all = [...(await first.read(6))];
    const third = all[2];
    if (third !== undefined) first.keep(third);
    await first.end();
    await harness.change(1);
    const second = await reading(config, first.stored);
    const rest = await second.read(4);
    expect(rest.slice(0, 3).map((x) => harness.identity(x))).toEqual(all.slice(3).map((x) => harness.identity(x)));
    expect(rest).toHaveLength(4);
    await second.end();
    await harness.tearDown();
  });

  test("poll answers an empty array when nothing comes, and soon when it is stopped", async () => {
    const r = await reading(await harness.setUp(1));
    await r.read(1);
    const started = systemClock.monotonic();
    expect(await r.task?.poll()).toEqual([]);
    expect(systemClock.monotonic() - started).toBeLessThan(5_000);
    const waiting = r.task?.poll();
    const stopped = systemClock.monotonic();
    r.stop.abort();
    await waiting;
    expect(systemClock.monotonic() - stopped).toBeLessThan(1_000);
    await r.end();
    await harness.tearDown();
  });

  test("stop can be called after start alone, and takes durable offsets at any time", async () => {
    const r = await reading(await harness.setUp(2));
    const [record] = await r.read(1);
    if (record !== undefined) await r.task?.durable?.([{ partition: record.sourcePartition, offset: record.sourceOffset }]);
    await r.end();
    const idle = await reading(await harness.setUp(0));
    await idle.end();
    await harness.tearDown();
  });
}
