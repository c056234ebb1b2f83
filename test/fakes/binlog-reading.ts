/** A reader of the binary log without a server. */
import type { SourceRecord } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { EventWriter } from "#connectors/cdc/event-writer";
import { RecordQueue } from "#connectors/cdc/record-queue";
import type { HistoryRecord, SchemaHistory } from "#connectors/cdc/schema-history/history";
import type { StreamSignals } from "#connectors/cdc/signal-handler";
import type { BinlogEvent, EventHeader, MariadbGtidEvent, QueryEvent, XaPrepareEvent, XidEvent } from "#connectors/mysql/binlog/types";
import type { Server } from "#connectors/mysql/catalog";
import type { Flavor } from "#connectors/mysql/ddl/ddl";
import { TablePlans } from "#connectors/mysql/plans";
import { SchemaTracker } from "#connectors/mysql/schema-tracker";
import { SourceInfo } from "#connectors/mysql/source-info";
import { StreamReader } from "#connectors/mysql/stream";
import { taskSettings } from "#connectors/mysql/task-settings";

const log = { debug() {}, info() {}, warn() {}, error() {} };
export interface ReadingOptions {
  readonly config?: Readonly<Record<string, string>>;
  /** What the stream looks at while something wants to know of rows. */
  readonly signals?: () => StreamSignals | null;
  /** Resolves when the history has what is recorded. */
  readonly recorded?: () => Promise<void>;
  /** Most records that wait. */
  readonly room?: number;
}
/** A reader without a server: events go in, records come out. */
export function binlogReading(
  flavor: Flavor,
  { config = {}, signals = () => null, recorded = async () => {}, room = 100 }: ReadingOptions,
) {
  const settings = taskSettings(
    flavor,
    {
      "topic.prefix": "t",
      "database.hostname": "h",
      "database.user": "u",
      "database.server.id": "7",
      ...config,
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
    },
    0,
    0,
    () => {},
  );
  const positions: HistoryRecord["position"][] = [];
  const history: SchemaHistory = {
    description: "a list",
    figures: { report: () => {} },
    storageExists: () => Promise.resolve(true),
    exists: () => Promise.resolve(true),
    initialize: () => Promise.resolve(),
    async record(records) {
      positions.push(...records.map((r) => r.position));
      if (records.length > 0) await recorded();
    },
    recover: () => Promise.reject(new Error("nothing is recovered")),
    close: () => Promise.resolve(),
  };
  const info = { version: 80_400, ignoreTableCase: false } as Partial<Server> as Server;
  const sql = (): Promise<never> => Promise.reject(new Error("nobody asks the server"));
  const schema = new SchemaTracker({ settings, partition: {}, info, history, log, sql });
  const queue = new RecordQueue({ maxBatchRecords: 100, maxRecords: room, maxBytes: 100_000 });
  const events = new EventWriter({ partition: {}, headers: [], tombstones: true, nowMicros: () => 1000 }, queue);
  const failures: Error[] = [];
  const reader = new StreamReader(
    {
      settings,
      partition: {},
      gtids: true,
      schema,
      plans: new TablePlans(settings.planSettings(new Map())),
      get signals() {
        return signals();
      },
      resume: () => {},
      fail: (error) => failures.push(error),
      warn: () => {},
    },
    events,
    new SourceInfo(flavor, "t"),
    { file: "b.000001", position: 4, gtids: null, event: 0, row: 0 },
    {},
  );
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 50 && !reader.ready; i++) await Promise.resolve();
  };
  let at = 4;
  const header = (): EventHeader => ({ type: 0, timestampSeconds: 1, serverId: 1, length: 50, nextPosition: (at += 50), flags: 0 });
  const take = async (made: readonly ((h: EventHeader) => BinlogEvent)[]): Promise<readonly SourceRecord[]> => {
    for (const event of made) {
      reader.event(event(header()));
      await settle();
      reader.flushed();
    }
    if (failures[0] !== undefined) throw failures[0];
    return queue.take(0);
  };
  /** Topics of the records, of transactions their contents. */
  const feed = async (...made: readonly ((h: EventHeader) => BinlogEvent)[]): Promise<readonly string[]> =>
    (await take(made)).map(({ topic, value }) => (topic === "t.transaction" && value instanceof Struct ? textOf(value) : topic));
  /** The last column of each row after its change. */
  const values = async (...made: readonly ((h: EventHeader) => BinlogEvent)[]): Promise<readonly unknown[]> =>
    (await take(made)).map(({ value }) => {
      const after = value instanceof Struct ? value.get("after") : null;
      return after instanceof Struct ? after.slots.at(-1) : after;
    });
  return { feed, values, positions, reader, queue, settle };
}
/** Status, id and, at the end, the number of events. */
const textOf = (value: Struct): string =>
  ["status", "id", "event_count"]
    .map((field) => value.get(field))
    .filter((v) => typeof v === "string" || typeof v === "bigint")
    .join(" ");
export const gtid =
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
export const query =
  (sql: string) =>
  (header: EventHeader): QueryEvent =>
    ({ kind: "query", header, threadId: 5, database: "d", sql, status: { sqlMode: null } }) as Partial<QueryEvent> as QueryEvent;
export const prepared = (header: EventHeader): XaPrepareEvent =>
  ({ kind: "xaPrepare", header, onePhase: false }) as Partial<XaPrepareEvent> as XaPrepareEvent;
export const xid = (header: EventHeader): XidEvent => ({ kind: "xid", header, xid: 1n });
