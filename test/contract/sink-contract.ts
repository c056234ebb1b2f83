/** What every sink connector has to keep. The rules stand in connect-runtime/api/connector.ts. */
import { expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import type { SinkConnectorPlugin, SinkTask, TaskConfig } from "#connect/api/connector";
import type { SinkRecord } from "#connect/api/record";

export interface SinkHarness {
  setUp(): Promise<TaskConfig>;
  /** The n-th of a row of different records. */
  record(n: number): SinkRecord;
  /** What stands at the destination, in order if the destination has one. */
  content(): Promise<readonly string[]>;
  /** How `record(n)` looks there. */
  expected(n: number): string;
  /** True: putting a record twice leaves one. */
  readonly idempotent: boolean;
  tearDown(): Promise<void>;
}
const partition = { topic: "contract", partition: 0 };

export function sinkContract(plugin: SinkConnectorPlugin, harness: SinkHarness): void {
  const begin = async (): Promise<{ task: SinkTask; end: () => Promise<void> }> => {
    const config = await harness.setUp();
    const stop = new AbortController();
    const connector = await plugin.start(config, {
      connectorName: "contract",
      log: silentLogger,
      signal: stop.signal,
      requestTaskReconfiguration: () => {},
      raiseError: () => {},
    });
    const configs = await connector.taskConfigs(2);
    expect(configs.length).toBeGreaterThanOrEqual(1);
    expect(configs.length).toBeLessThanOrEqual(2);
    const task = plugin.task(configs[0] ?? {}, {
      connectorName: "contract",
      taskId: 0,
      log: silentLogger,
      metrics: { gauge: () => {} },
      signal: stop.signal,
      reportErrant: null,
      pause: () => {},
      resume: () => {},
      seek: () => {},
    });
    await task.start();
    await task.opened?.([partition]);
    return {
      task,
      async end() {
        await task.closed?.([partition]);
        stop.abort();
        await task.stop();
      },
    };
  };
  test("what was put is at the destination after flush, in order", async () => {
    const { task, end } = await begin();
    await task.put([harness.record(1), harness.record(2)]);
    await task.put([harness.record(3)]);
    await task.flush?.();
    expect(await harness.content()).toEqual([1, 2, 3].map((n) => harness.expected(n)));
    await end();
    await harness.tearDown();
  });
  test("a batch that comes again after a restart leaves nothing out", async () => {
    const { task, end } = await begin();
    await task.put([harness.record(1)]);
    await task.put([harness.record(1), harness.record(2)]);
    await task.flush?.();
    const expected = harness.idempotent ? [1, 2] : [1, 1, 2];
    expect(await harness.content()).toEqual(expected.map((n) => harness.expected(n)));
    await end();
    await harness.tearDown();
  });
  test("an empty put and a flush without records are fine; stop follows start alone", async () => {
    const { task, end } = await begin();
    await task.put([]);
    await task.flush?.();
    await end();
    expect(await harness.content()).toEqual([]);
    await harness.tearDown();
  });
}
