import { expect, test } from "vitest";
import type { EventHeader } from "#connectors/mysql/binlog/types";
import { LogTracker } from "#connectors/mysql/log-tracker";

const UUID = "d11800e6-e637-11f1-954b-02fc00000001";
const from = { file: "b.000001", position: 100, gtids: `${UUID}:1-4`, event: 0, row: 0 };
const header = (nextPosition: number): EventHeader => ({ nextPosition, length: 50 }) as Partial<EventHeader> as EventHeader;
/** A transaction of two events, by `gtid` or anonymous. */
function transaction(log: LogTracker, at: number, gtid: bigint | null): void {
  log.begins(header(at + 50));
  if (gtid === null) log.anonymous();
  else log.mysqlGtid(UUID, "", gtid);
  log.began();
  log.begins(header(at + 100));
  log.committed();
}
test("GTIDs are of no use after a transaction without one, until the next log says what came before it", () => {
  const log = new LogTracker("mysql", from, true);
  transaction(log, 100, 5n);
  expect(log.at()).toMatchObject({ position: 200, gtids: `${UUID}:1-5` });
  transaction(log, 200, null);
  expect(log.at()).toMatchObject({ position: 300, gtids: null });
  transaction(log, 300, 6n);
  expect(log.at()).toMatchObject({ position: 400, gtids: null });
  log.rotated("b.000002", 4);
  log.before(`${UUID}:1-6`);
  expect(log.at()).toMatchObject({ file: "b.000002", position: 4, gtids: null });
  transaction(log, 100, 7n);
  expect(log.at()).toMatchObject({ file: "b.000002", position: 200, gtids: `${UUID}:1-7` });
});
test("what is said first of the GTIDs before the place counts", () => {
  const log = new LogTracker("mysql", from, true);
  log.before(`${UUID}:1-2`);
  transaction(log, 100, 5n);
  expect(log.executed).toBe(`${UUID}:1-5`);
});
