/** What the task tells of its log, its snapshots and its history (`cdc/streaming-metrics.ts`). */
import type { HistoryFigures } from "../cdc/schema-history/history-figures.ts";
import type { SnapshotFigures } from "../cdc/snapshot-figures.ts";
import { beanLabels, type ReportedTask, reportQueue, reportStream, type SeenEvents } from "../cdc/streaming-metrics.ts";
import { EVENT } from "./binlog/event-types.ts";
import type { EventHeader } from "./binlog/types.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { TablePlans } from "./plans.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { StreamReader } from "./stream.ts";

export interface TaskFigures {
  readonly flavor: Flavor;
  /** Null: not streaming (yet). */
  readonly reader: StreamReader | null;
  /** Times that the log's connection was lost. */
  readonly disconnects: number;
  /** The server gives GTIDs. */
  readonly gtids: boolean;
  readonly snapshot: SnapshotFigures;
  /** Null: none is open. */
  readonly history: Pick<HistoryFigures, "report"> | null;
  readonly tables: readonly string[];
}

export function report(task: ReportedTask, figures: TaskFigures): void {
  const { flavor, reader, snapshot, history } = figures;
  const { sheet } = task;
  const streaming = beanLabels(task, flavor, "streaming");
  const put = (name: string, value: number | string | boolean | null): void => sheet.put(name, value, streaming);
  reportQueue(task, streaming);
  const { file, position } = reader?.reached ?? { file: null, position: 4 };
  const gtids = reader?.begun ?? null;
  reportStream(
    task,
    streaming,
    reader === null
      ? null
      : {
          seen: seenOf(reader),
          total: reader.seen.events,
          transactionId: reader.gtid,
          position: { filename: file ?? "", position: String(position), ...(gtids !== null && { gtid: gtids }) },
          tables: figures.tables,
        },
  );
  put("Connected", reader !== null);
  put("BinlogFilename", file);
  put("BinlogPosition", position);
  put("GtidSet", gtids);
  put("IsGtidModeEnabled", reader !== null && figures.gtids);
  put("NumberOfDisconnects", figures.disconnects);
  put("NumberOfRolledBackTransactions", reader?.seen.rolledBack ?? 0);
  // Nothing is held back until the end of its transaction, and an event that cannot be decoded ends the task.
  for (const none of ["NumberOfNotWellFormedTransactions", "NumberOfLargeTransactions", "NumberOfSkippedEvents"]) put(none, 0);
  put("LastEvent", lastEvent(reader?.lastHeader ?? null));

  const taken = beanLabels(task, flavor, "snapshot");
  reportQueue(task, taken);
  snapshot.report(sheet, taken);
  sheet.put("HoldingGlobalLock", snapshot.holdingGlobalLock, taken);
  history?.report(sheet, beanLabels(task, flavor, "schema-history"));
}
/** As in the reference, the events of tables that are not captured are among those that were seen. */
function seenOf(reader: StreamReader): SeenEvents {
  const { seen, leftOut } = reader;
  const { write, update, delete: deleted } = leftOut.filtered;
  return {
    c: seen.c + write,
    u: seen.u + update,
    d: seen.d + deleted,
    transactions: seen.transactions,
    filtered: write + update + deleted,
    erroneous: leftOut.erroneous,
    lastMs: reader.lastHeaderMs,
    behindMs: seen.behindMs,
  };
}
const NAMES = new Map<number, string>(Object.entries(EVENT).map(([name, type]) => [type, name]));
function lastEvent(header: EventHeader | null): string | null {
  if (header === null) return null;
  return `${NAMES.get(header.type) ?? `TYPE_${header.type}`}/${header.timestampSeconds * 1000} from server ${header.serverId}`;
}

/** Ids of the tables that are captured, looked for again when a definition changes. */
export class CapturedTables {
  #of: SchemaTracker | null = null;
  #version = -1;
  #ids: readonly string[] = [];
  of(schema: SchemaTracker, plans: TablePlans): readonly string[] {
    if (this.#of === schema && this.#version === schema.version) return this.#ids;
    this.#of = schema;
    this.#version = schema.version;
    const ids = [...schema.schema.tables.values()].map(({ id }) => [id.catalog ?? "", id.table] as const);
    this.#ids = ids.filter(([database, table]) => plans.captures(database, table)).map((id) => id.join("."));
    return this.#ids;
  }
}
