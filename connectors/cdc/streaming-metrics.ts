/**
 * Debezium's metrics of a task, by the names that its dashboards know: attributes of the beans `streaming`, `snapshot` and `schema-history`
 * (https://debezium.io/documentation/reference/3.4/connectors/mysql.html#mysql-monitoring), with the labels of the usual exporter.
 */
import type { MetricLabels, MetricSheet } from "./metric-sheet.ts";
import type { RecordQueue } from "./record-queue.ts";

/** Events that a stream has seen. */
export interface SeenEvents {
  readonly c: number;
  readonly u: number;
  readonly d: number;
  readonly transactions: number;
  /** Of tables that are not captured. */
  readonly filtered: number;
  /** That could not be read, and were passed over because a setting says so. */
  readonly erroneous: number;
  /** When the last one came; 0: none did. */
  readonly lastMs: number;
  /** -1: none came. */
  readonly behindMs: number;
}
/** What a stream tells beside its counters. */
export interface StreamFigures {
  readonly seen: SeenEvents;
  /** Of all kinds. */
  readonly total: number;
  /** Null: none was seen, or it has no name. */
  readonly transactionId: string | null;
  /** Of the last event, by name; null: none was seen. */
  readonly position: MetricLabels | null;
  readonly tables: readonly string[];
}
/** The queue of a task. */
export interface ReportedTask {
  readonly sheet: MetricSheet;
  /** `topic.prefix` and `custom.metric.tags` */
  readonly labels: MetricLabels;
  readonly queue: RecordQueue;
  readonly nowMs: number;
}
/** Labels of a bean. `plugin`: the last part of the domain of the reference's beans. */
export const beanLabels = ({ labels }: ReportedTask, plugin: string, context: string): MetricLabels => ({ plugin, ...labels, context });

/** What two beans of a task tell of its queue. */
export function reportQueue({ sheet, queue }: ReportedTask, labels: MetricLabels): void {
  const { maxRecords, maxBytes } = queue.limits;
  sheet.put("QueueTotalCapacity", maxRecords, labels);
  sheet.put("QueueRemainingCapacity", Math.max(0, maxRecords - queue.size), labels);
  sheet.put("MaxQueueSizeInBytes", maxBytes, labels);
  sheet.put("CurrentQueueSizeInBytes", queue.bytes, labels);
}
/** Null: there is no stream yet. */
export function reportStream({ sheet, nowMs }: ReportedTask, labels: MetricLabels, stream: StreamFigures | null): void {
  const put = (metric: string, value: number | string | null): void => sheet.put(metric, value, labels);
  const { c, u, d, transactions, filtered, erroneous, lastMs, behindMs } = stream?.seen ?? NOTHING;
  put("TotalNumberOfEventsSeen", stream?.total ?? 0);
  put("TotalNumberOfCreateEventsSeen", c);
  put("TotalNumberOfUpdateEventsSeen", u);
  put("TotalNumberOfDeleteEventsSeen", d);
  put("NumberOfEventsFiltered", filtered);
  put("NumberOfErroneousEvents", erroneous);
  put("NumberOfCommittedTransactions", transactions);
  put("MilliSecondsBehindSource", behindMs);
  put("MilliSecondsSinceLastEvent", lastMs === 0 ? -1 : nowMs - lastMs);
  put("LastTransactionId", stream?.transactionId ?? null);
  const at = stream?.position ?? null;
  put("SourceEventPosition", at === null ? null : JSON.stringify(at));
  for (const table of stream?.tables ?? []) sheet.put("CapturedTables", 1, { ...labels, table });
}
const NOTHING: SeenEvents = { c: 0, u: 0, d: 0, transactions: 0, filtered: 0, erroneous: 0, lastMs: 0, behindMs: -1 };

/** `custom.metric.tags`: name=value, with commas. */
export function metricTags(text: string | null): MetricLabels {
  const pairs = (text ?? "").split(",").flatMap((pair) => {
    const [name = "", value] = pair.split("=", 2);
    return value === undefined ? [] : [[name.trim(), value.trim()] as const];
  });
  return Object.fromEntries(pairs);
}
