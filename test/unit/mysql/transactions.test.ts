/** BEGIN and END records of the log's groups (`provide.transaction.metadata`), as the reference announced them on both servers. */
import { expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { EventWriter } from "#connectors/cdc/event-writer";
import { RecordQueue } from "#connectors/cdc/record-queue";
import type { HistoryRecord, SchemaHistory } from "#connectors/cdc/schema-history/history";
import type { BinlogEvent, EventHeader, MariadbGtidEvent, QueryEvent, XaPrepareEvent, XidEvent } from "#connectors/mysql/binlog/types";
import type { Server } from "#connectors/mysql/catalog";
import { TablePlans } from "#connectors/mysql/plans";
import { SchemaTracker } from "#connectors/mysql/schema-tracker";
import { SourceInfo } from "#connectors/mysql/source-info";
import { StreamReader } from "#connectors/mysql/stream";
import { taskSettings } from "#connectors/mysql/task-settings";

const log = { debug() {}, info() {}, warn() {}, error() {} };
function reading(flavor: "mysql" | "mariadb") {
  const settings = taskSettings(
    flavor,
    {
      "topic.prefix": "t",
      "database.hostname": "h",
      "database.user": "u",
      "database.server.id": "7",
      "provide.transaction.metadata": "true",
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
    },
    0,
    0,
    () => {},
  );
  const positions: HistoryRecord["position"][] = [];
  const history: SchemaHistory = {
    description: "a list",
    storageExists: () => Promise.resolve(true),
    exists: () => Promise.resolve(true),
    initialize: () => Promise.resolve(),
    record: (records) => Promise.resolve(void positions.push(...records.map((r) => r.position))),
    recover: () => Promise.reject(new Error("nothing is recovered")),
    close: () => Promise.resolve(),
  };
  const info = { version: 80_400, ignoreTableCase: false } as Partial<Server> as Server;
  const sql = (): Promise<never> => Promise.reject(new Error("nobody asks the server"));
  const schema = new SchemaTracker({ settings, partition: {}, info, history, log, sql });
  const queue = new RecordQueue({ maxBatchRecords: 100, maxRecords: 100, maxBytes: 100_000 });
  const events = new EventWriter({ partition: {}, headers: [], tombstones: true, nowMicros: () => 1000 }, queue);
  const failures: Error[] = [];
  const reader = new StreamReader(
    {
      settings,
      partition: {},
      gtids: true,
      schema,
      plans: new TablePlans(settings.planSettings(new Map())),
      signals: null,
      resume: () => {},
      fail: (error) => failures.push(error),
      warn: () => {},
    },
    events,
    new SourceInfo(flavor, "t"),
    { file: "b.000001", position: 4, gtids: null, event: 0, row: 0 },
    {},
  );
  let at = 4;
  const header = (): EventHeader => ({ type: 0, timestampSeconds: 1, serverId: 1, length: 50, nextPosition: (at += 50), flags: 0 });
  const feed = async (...made: readonly ((h: EventHeader) => BinlogEvent)[]): Promise<readonly string[]> => {
    for (const event of made) {
      reader.event(event(header()));
      for (let i = 0; i < 50 && !reader.ready; i++) await Promise.resolve();
      reader.flushed();
    }
    if (failures[0] !== undefined) throw failures[0];
    return (await queue.take(0)).map(({ topic, value }) => (topic === "t.transaction" && value instanceof Struct ? textOf(value) : topic));
  };
  return { feed, positions };
}
/** Status, id and, at the end, the number of events. */
const textOf = (value: Struct): string =>
  ["status", "id", "event_count"]
    .map((field) => value.get(field))
    .filter((v) => typeof v === "string" || typeof v === "bigint")
    .join(" ");
const gtid =
  (sequence: bigint, standalone: boolean) =>
  (header: EventHeader): MariadbGtidEvent => ({
    kind: "mariadbGtid",
    header,
    gtid: { domain: 0, server: 1, sequence },
    text: `0-1-${sequence}`,
    standalone,
    transactional: !standalone,
    ddl: standalone,
  });
const query =
  (sql: string) =>
  (header: EventHeader): QueryEvent =>
    ({ kind: "query", header, threadId: 5, database: "d", sql, status: { sqlMode: null } }) as Partial<QueryEvent> as QueryEvent;
const prepared = (header: EventHeader): XaPrepareEvent =>
  ({ kind: "xaPrepare", header, onePhase: false }) as Partial<XaPrepareEvent> as XaPrepareEvent;
const xid = (header: EventHeader): XidEvent => ({ kind: "xid", header, xid: 1n });

test("MariaDB: every GTID begins, a commit ends; statements and XA begin what never ends, and the history names it", async () => {
  const { feed, positions } = reading("mariadb");
  expect(await feed(gtid(1n, false), xid)).toEqual(["BEGIN 0-1-1", "END 0-1-1 0"]);
  expect(await feed(gtid(2n, true), query("CREATE TABLE n (id int PRIMARY KEY)"))).toEqual(["BEGIN 0-1-2", "t"]);
  expect(positions).toEqual([expect.objectContaining({ transaction_id: "0-1-2", event: 1 })]);
  expect(await feed(gtid(3n, false), prepared)).toEqual(["BEGIN 0-1-3"]);
  expect(await feed(gtid(4n, true), query("XA COMMIT 'x'"))).toEqual(["BEGIN 0-1-4"]);
  expect(await feed(gtid(5n, false), xid)).toEqual(["BEGIN 0-1-5", "END 0-1-5 0"]);
});
test("MySQL: BEGIN begins; XA belongs to no transaction", async () => {
  const { feed, positions } = reading("mysql");
  expect(await feed(query("BEGIN"), xid)).toEqual([expect.stringMatching(/^BEGIN file=/), expect.stringMatching(/^END file=.* 0$/)]);
  expect(await feed(query("XA START X'78',X'',1"), query("XA END X'78',X'',1"), query("XA COMMIT X'78',X'',1"))).toEqual([]);
  expect(await feed(query("CREATE TABLE n (id int PRIMARY KEY)"))).toEqual(["t"]);
  expect(positions).toEqual([expect.not.objectContaining({ transaction_id: expect.anything() })]);
});
