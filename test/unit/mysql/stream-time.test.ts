/** The time in source blocks, as MySqlStreamingChangeEventSource and its sibling for MariaDB keep it. */
import { expect, test } from "vitest";
import type { EventHeader, MariadbGtidEvent, MysqlGtidEvent, QueryEvent, RowsEvent, XidEvent } from "#connectors/mysql/binlog/types";
import type { TablePlans } from "#connectors/mysql/plans";
import { SourceInfo } from "#connectors/mysql/source-info";
import { StreamReader, type StreamSettings } from "#connectors/mysql/stream";
import type { EventWriter } from "#connectors/cdc/event-writer";
import { taskSettings } from "#connectors/mysql/task-settings";

const UUID = "d11800e6-e637-11f1-954b-02fc00000001";
const from = { file: "b.000001", position: 100, gtids: null, event: 0, row: 0 };
let position = 100;
const header = (timestampSeconds: number): EventHeader =>
  ({ nextPosition: (position += 50), length: 50, timestampSeconds, serverId: 1 }) as Partial<EventHeader> as EventHeader;
const gtid = (seconds: number, original: number): MysqlGtidEvent =>
  ({
    kind: "mysqlGtid",
    header: header(seconds),
    gtid: { uuid: UUID, tag: "", number: 5n, text: `${UUID}:5` },
    originalCommitMicros: original,
    immediateCommitMicros: original + 7_000_000,
  }) as Partial<MysqlGtidEvent> as MysqlGtidEvent;
const begin = (seconds: number): QueryEvent =>
  ({ kind: "query", header: header(seconds), sql: "BEGIN", threadId: 9 }) as Partial<QueryEvent> as QueryEvent;
const rows = (seconds: number): RowsEvent =>
  ({ kind: "rows", header: header(seconds), table: { schema: "d", table: "t" } }) as Partial<RowsEvent> as RowsEvent;
const xid = (seconds: number): XidEvent => ({ kind: "xid", header: header(seconds) }) as Partial<XidEvent> as XidEvent;

function reading(flavor: "mysql" | "mariadb", gtids: boolean): { reader: StreamReader; times: () => unknown[] } {
  const config = {
    "connector.class": flavor === "mysql" ? "io.debezium.connector.mysql.MySqlConnector" : "io.debezium.connector.mariadb.MariaDbConnector",
    "database.hostname": "h",
    "database.user": "u",
    "database.server.id": "7",
    "topic.prefix": "p",
  };
  const source = new SourceInfo(flavor, "p");
  const s = {
    settings: taskSettings(flavor, config, 0, 0, () => {}),
    gtids,
    signals: null,
    plans: { captures: () => false } as Partial<TablePlans> as TablePlans,
    schema: { version: 1 } as StreamSettings["schema"],
    fail: (error: Error) => {
      throw error;
    },
  } as Partial<StreamSettings> as StreamSettings;
  const events = { full: false, tick: () => {}, flush: () => {} } as Partial<EventWriter> as EventWriter;
  const reader = new StreamReader(s, events, source, from, {});
  return { reader, times: () => source.block("d", "t", 0, 0, "false").slots.slice(7, 8) };
}

test("MySQL with GTIDs: all events have the microsecond at which their transaction was committed on its first server", () => {
  const { reader, times } = reading("mysql", true);
  const seen: unknown[] = [];
  for (const event of [gtid(1_700_000_010, 1_700_000_003_123_456), begin(1_700_000_001), rows(1_700_000_002), xid(1_700_000_004)]) {
    reader.event(event);
    seen.push(...times());
  }
  expect(seen).toEqual([1_700_000_003_123_456n, 1_700_000_003_123_456n, 1_700_000_003_123_456n, 1_700_000_003_123_456n]);
  expect(reader.restartOffset["ts_sec"]).toBe(1_700_000_003);
  // A server before 8.0.1 does not say it.
  reader.event(gtid(1_700_000_020, 0));
  expect(times()).toEqual([1_700_000_020_000_000n]);
});
test("without GTIDs, and MariaDB: each event has the second in which it was written", () => {
  const { reader, times } = reading("mysql", false);
  const seen: unknown[] = [];
  const anonymous: MysqlGtidEvent = { ...gtid(1_700_000_010, 1_700_000_003_123_456), gtid: null };
  for (const event of [anonymous, begin(1_700_000_001), rows(1_700_000_002), xid(1_700_000_004)]) {
    reader.event(event);
    seen.push(...times());
  }
  expect(seen).toEqual([1_700_000_010_000_000n, 1_700_000_001_000_000n, 1_700_000_002_000_000n, 1_700_000_004_000_000n]);
  const mariadb = reading("mariadb", true);
  const group = {
    kind: "mariadbGtid",
    header: header(1_700_000_001),
    gtid: { domain: 0, server: 1, sequence: 5n },
    text: "0-1-5",
    standalone: false,
  } as Partial<MariadbGtidEvent> as MariadbGtidEvent;
  mariadb.reader.event(group);
  mariadb.reader.event(rows(1_700_000_003));
  expect(mariadb.times()).toEqual([1_700_000_003_000_000n]);
});
