import { expect, test } from "vitest";
import { ConfigError, RetriableError } from "#connect/api/errors";
import { RecordQueue } from "#connectors/cdc/record-queue";
import { type TaskReading, readRecords, Retries, startReading } from "#connectors/cdc/retries";
import { Settings } from "#connectors/cdc/settings";
import { SourceError } from "#connectors/cdc/source-error";
import { emptyRecord } from "../../fakes/source-record.ts";

const retries = (most: number): Retries => new Retries(new Settings({ "errors.max.retries": String(most) }, []));
const away = (): Error => new RetriableError("the server is away");
const ended = /^The maximum number of 2 retries has been attempted \(errors\.max\.retries\)\.\nthe server is away$/;

test("-1 is without limit, 0 none, and other errors are not counted", () => {
  const unlimited = retries(-1);
  for (let i = 0; i < 1000; i++) expect(unlimited.failed(away())).toBeInstanceOf(RetriableError);
  expect(retries(0).failed(away())).toBeInstanceOf(SourceError);
  const two = retries(2);
  const other = new ConfigError("no");
  for (let i = 0; i < 5; i++) expect(two.failed(other)).toBe(other);
  expect(two.failed(away())).toBeInstanceOf(RetriableError);
});
/** A server that is away as often as `outcomes` say; the records of `queue` are there otherwise. */
function reading(most: number, outcomes: Error[]): TaskReading & { readonly warned: string[] } {
  const queue = new RecordQueue({ maxBatchRecords: 10, maxRecords: 100, maxBytes: 1 << 20 });
  return {
    retries: retries(most),
    queue,
    waitMs: 1,
    running: () => false,
    begin: () => {
      const failure = outcomes.shift();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
    warned: [],
  };
}
const log = (warned: string[]) => ({ debug: () => {}, info: () => {}, error: () => {}, warn: (m: string) => void warned.push(m) });

test("start leaves to poll what may pass, and both count together", async () => {
  const task = reading(2, [away(), away(), away()]);
  await startReading(task, log(task.warned));
  expect(task.warned).toEqual(["cannot start yet, trying again: the server is away"]);
  await expect(readRecords(task)).rejects.toBeInstanceOf(RetriableError);
  await expect(readRecords(task)).rejects.toThrow(ended);
  await expect(startReading(reading(0, [away()]), log([]))).rejects.toBeInstanceOf(SourceError);
});
test("a stream that opens and hands nothing on before it fails again still counts; records start the count anew", async () => {
  const task = reading(2, []);
  const failing = async (): Promise<unknown> => {
    task.queue.fail(away());
    return readRecords(task).catch((error: unknown) => error);
  };
  for (let i = 0; i < 2; i++) {
    expect(await failing()).toBeInstanceOf(RetriableError);
    expect(await failing()).toBeInstanceOf(RetriableError);
    expect(await readRecords(task)).toEqual([]);
    task.queue.add(emptyRecord("t"), 1, false);
    expect(await readRecords(task)).toEqual([emptyRecord("t")]);
  }
  await failing();
  await failing();
  expect(await readRecords(task)).toEqual([]);
  expect(String(await failing())).toMatch(/maximum number of 2 retries/);
});
