/** The life of a task, without a database. */
import { expect, test } from "vitest";
import { ConfigError } from "#connect/api/errors";
import { TaskFrame, type TaskLife } from "#connectors/cdc/task-frame";
import { taskSettings } from "#connectors/mysql/task-settings";
import { emptyRecord } from "../../fakes/source-record.ts";

const CONFIG = {
  "database.hostname": "127.0.0.1",
  "database.user": "u",
  "topic.prefix": "p",
  "database.server.id": "1",
  "poll.interval.ms": "1",
  "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
};
const LOG = { debug() {}, info() {}, warn() {}, error() {} };

test("who polls while a reader that has failed is still being closed gets its failure, and nothing begins anew before", async () => {
  let closed = (): void => {};
  let begun = 0;
  const life: TaskLife = {
    prepare: async () => {
      begun++;
      frame.running = true;
    },
    close: () => new Promise((resolve) => (closed = resolve)),
    interrupted: () => {},
    failures: { startFailure: () => new ConfigError("start"), wrapped: (_, error) => new ConfigError(`wrapped: ${String(error)}`) },
    goOn: () => {},
    report: () => {},
  };
  const frame = new TaskFrame(
    taskSettings("mysql", CONFIG, 0, 0, () => {}),
    {
      connectorName: "c",
      taskId: 0,
      log: LOG,
      offsets: { offsets: async () => [] },
      metrics: { gauge() {} },
      signal: new AbortController().signal,
      kafka: {},
    },
    life,
  );
  await frame.start();
  frame.queue.add(emptyRecord("t"), 1, false);
  frame.failed("gone");
  expect(await frame.poll()).toHaveLength(1);
  const poll = frame.poll();
  let settled = false;
  poll.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([settled, begun]).toEqual([false, 1]);
  closed();
  await expect(poll).rejects.toThrow("wrapped: gone");
  expect(begun).toBe(1);
  await frame.poll();
  expect(begun).toBe(2);
});
