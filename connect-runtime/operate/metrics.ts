/**
 * `/metrics`: the names that dashboards of Kafka Connect and Debezium use when their beans go through the usual exporter, from the
 * counters of this worker's tasks. Averages are since the task started.
 */
import type { TaskSnapshot } from "../worker/types.ts";
import type { DeadLetterFigures } from "./dead-letter-figures.ts";
import { inPollMs } from "./health.ts";
import type { Progress } from "./progress.ts";
import { MetricText } from "./prometheus-text.ts";

export interface MetricsInput {
  readonly tasks: readonly TaskSnapshot[];
  readonly progress: (task: TaskSnapshot) => Progress;
  /** Data waits, and nothing moves. */
  readonly stalled: (task: TaskSnapshot) => boolean;
  /** By connector. */
  readonly deadLetters: ReadonlyMap<string, DeadLetterFigures>;
  readonly connectors: readonly {
    readonly name: string;
    readonly type: string;
    readonly className: string;
    readonly version: string;
    readonly state: string;
  }[];
  readonly starts: StartCounts;
  readonly rebalance: RebalanceFigures;
  /** Records of the worker's own topics that were skipped, by topic. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly uptimeMs: number;
  readonly nowMs: number;
  /** A poll that runs for longer counts as stalled. */
  readonly stalledMs: number;
  /** Attributes that are texts, all of them. */
  readonly texts: boolean;
}
export interface StartCounts {
  readonly connectors: { readonly success: number; readonly failure: number };
  readonly tasks: { readonly success: number; readonly failure: number };
}
export interface RebalanceFigures {
  readonly protocol: string;
  readonly leader: string;
  readonly epoch: number;
  readonly rebalancing: boolean;
  readonly completed: number;
  readonly lastMsAgo: number | null;
  readonly timeMsMax: number;
  readonly timeMsTotal: number;
}
type Labels = Readonly<Record<string, string>>;
const TASK_STATES = ["running", "paused", "failed", "unassigned", "destroyed", "restarting"] as const;
/** Gauges of connectors that are no Debezium attribute get our prefix. */
const OURS = /^[a-z]/;
/** Texts that stay for long. Of the others each scrape would make a new series: they are told who asks for them. */
const LASTING_TEXTS = new Set(["BinlogFilename", "Status"]);

export function metricsText(input: MetricsInput): string {
  const out = new MetricText();
  worker(out, input);
  rebalance(out, input.rebalance);
  for (const [topic, count] of input.skipped)
    out.counter("millrace_storage_records_skipped_total", { topic }, count, "Damaged or foreign records of the worker's topics");
  for (const c of input.connectors) {
    const labels = { connector: c.name };
    out.gauge("kafka_connect_connector_metrics_status", { ...labels, status: c.state.toLowerCase() }, 1, "State of a connector");
    const info = { ...labels, connector_class: c.className, connector_type: c.type, connector_version: c.version };
    out.gauge("kafka_connect_connector_metrics_info", info, 1, "Class, type and version of a connector");
  }
  for (const [connector, figures] of input.deadLetters) deadLetterMetrics(out, connector, figures, input.nowMs);
  for (const task of input.tasks) taskMetrics(out, task, input);
  return out.toString();
}
function worker(out: MetricText, { starts, tasks, connectors }: MetricsInput): void {
  const bean = "kafka_connect_connect_worker_metrics_";
  out.gauge(`${bean}connector_count`, {}, connectors.length, "Connectors that this worker runs");
  out.gauge(`${bean}task_count`, {}, tasks.length, "Tasks that this worker runs");
  for (const [kind, { success, failure }] of [
    ["connector", starts.connectors],
    ["task", starts.tasks],
  ] as const) {
    const attempts = success + failure;
    out.counter(`${bean}${kind}_startup_attempts_total`, {}, attempts, `Starts of a ${kind} that were tried`);
    out.counter(`${bean}${kind}_startup_success_total`, {}, success, `Starts of a ${kind} that succeeded`);
    out.counter(`${bean}${kind}_startup_failure_total`, {}, failure, `Starts of a ${kind} that failed`);
    out.gauge(`${bean}${kind}_startup_success_percentage`, {}, attempts === 0 ? 0 : success / attempts, "Share of starts that succeeded");
    out.gauge(`${bean}${kind}_startup_failure_percentage`, {}, attempts === 0 ? 0 : failure / attempts, "Share of starts that failed");
  }
  for (const { name } of connectors) {
    const own = tasks.filter((t) => t.id.connector === name);
    const count = (state: string): number => own.filter((t) => t.state.toLowerCase() === state).length;
    out.gauge(`${bean}connector_total_task_count`, { connector: name }, own.length, "Tasks of a connector on this worker");
    for (const state of TASK_STATES)
      out.gauge(`${bean}connector_${state}_task_count`, { connector: name }, count(state), `Tasks that are ${state}`);
  }
}
function rebalance(out: MetricText, r: RebalanceFigures): void {
  const bean = "kafka_connect_connect_worker_rebalance_metrics_";
  out.gauge(`${bean}connect_protocol`, { protocol: r.protocol }, 1, "Group protocol of the cluster");
  out.gauge(`${bean}leader_name`, { leader_name: r.leader }, 1, "Leader of the group");
  out.gauge(`${bean}epoch`, {}, r.epoch, "Generation of the group");
  out.gauge(`${bean}rebalancing`, {}, r.rebalancing ? 1 : 0, "Whether this worker is rebalancing");
  out.counter(`${bean}completed_rebalances_total`, {}, r.completed, "Rebalances that this worker completed");
  out.gauge(`${bean}time_since_last_rebalance_ms`, {}, r.lastMsAgo ?? -1, "Milliseconds since the last rebalance");
  out.gauge(`${bean}rebalance_max_time_ms`, {}, r.timeMsMax, "Longest rebalance in milliseconds");
  out.gauge(
    `${bean}rebalance_avg_time_ms`,
    {},
    r.completed === 0 ? 0 : r.timeMsTotal / r.completed,
    "Mean time of rebalances in milliseconds",
  );
}
function deadLetterMetrics(out: MetricText, connector: string, { topic, depth, ...times }: DeadLetterFigures, nowMs: number): void {
  const labels = { connector, topic };
  const age = (ms: number): number => Math.max(0, nowMs - ms) / 1000;
  out.gauge("millrace_dlq_depth", labels, depth, "Records in the connector's dead-letter queue");
  if (times.oldest_ms !== null)
    out.gauge("millrace_dlq_oldest_record_age_seconds", labels, age(times.oldest_ms), "Age of the oldest record in the dead-letter queue");
  if (times.newest_ms !== null)
    out.gauge("millrace_dlq_newest_record_age_seconds", labels, age(times.newest_ms), "Age of the newest record in the dead-letter queue");
}
function taskMetrics(out: MetricText, task: TaskSnapshot, input: MetricsInput): void {
  const labels = { connector: task.id.connector, task: String(task.id.task) };
  const c = (name: string): number => task.counters[name] ?? 0;
  const bean = "kafka_connect_connector_task_metrics_";
  const ratio = (part: number, of: number): number => (of === 0 ? 0 : part / of);
  const commits = c("offset-commit-success-total") + c("offset-commit-failure-total");
  out.gauge(`${bean}status`, { ...labels, status: task.state.toLowerCase() }, 1, "State of a task");
  const running = task.state === "RUNNING" ? 1 : 0;
  out.gauge(`${bean}running_ratio`, labels, running, "1 while the task is running");
  out.gauge(`${bean}pause_ratio`, labels, task.state === "PAUSED" ? 1 : 0, "1 while the task is paused");
  const moved = c("source-record-poll-total") + c("sink-record-read-total");
  out.gauge(`${bean}batch_size_avg`, labels, ratio(moved, c("batch-count")), "Mean number of records in a batch");
  out.gauge(`${bean}batch_size_max`, labels, c("batch-size-max"), "Largest number of records in a batch");
  out.gauge(`${bean}offset_commit_avg_time_ms`, labels, ratio(c("offset-commit-time-ms-total"), commits), "Mean time of offset commits");
  out.gauge(`${bean}offset_commit_max_time_ms`, labels, c("offset-commit-time-ms-max"), "Longest offset commit");
  out.gauge(
    `${bean}offset_commit_success_percentage`,
    labels,
    ratio(c("offset-commit-success-total"), commits),
    "Share of commits that succeeded",
  );
  out.gauge(
    `${bean}offset_commit_failure_percentage`,
    labels,
    ratio(c("offset-commit-failure-total"), commits),
    "Share of commits that failed",
  );
  if (task.kind === "source") sourceMetrics(out, labels, c, input.uptimeMs);
  else sinkMetrics(out, labels, c, input.uptimeMs);
  errorMetrics(out, labels, c);
  const { ageMs, never } = input.progress(task);
  out.gauge("millrace_task_last_progress_age_seconds", labels, ageMs / 1000, "Time since the task's counters moved");
  out.counter("millrace_task_restarts_total", labels, c("task-restarts-total"), "Times that a failed task was started again by itself");
  const pollMs = inPollMs(task, input.nowMs) ?? 0;
  if (task.kind === "source")
    out.gauge("millrace_task_poll_age_seconds", labels, pollMs / 1000, "How long the running poll has been running");
  const stalled = pollMs >= input.stalledMs || input.stalled(task);
  out.gauge("millrace_task_stalled", labels, stalled ? 1 : 0, "Whether poll does not come back, or data waits and nothing moves");
  out.gauge("millrace_task_moved", labels, never ? 0 : 1, "Whether anything has gone through the task yet");
  for (const gauge of task.gauges) connectorMetric(out, gauge, labels, input.texts);
}
function connectorMetric(out: MetricText, gauge: TaskSnapshot["gauges"][number], task: Labels, texts: boolean): void {
  const { name, value } = gauge;
  const isText = typeof value === "string";
  if (isText && !texts && !LASTING_TEXTS.has(name)) return;
  // As the usual exporter's rules for texts: a label of the attribute's name.
  const labels = isText ? { ...gauge.labels, [name]: value } : gauge.labels;
  const number = isText ? 1 : value;
  if (OURS.test(name)) out.gauge(`millrace_${name}`, { ...task, ...labels }, number, "Told by the connector");
  else out.gauge(`debezium_metrics_${name}`, labels, number, "As Debezium's bean of this attribute");
}
type Count = (name: string) => number;
function sourceMetrics(out: MetricText, labels: Labels, c: Count, uptimeMs: number): void {
  const bean = "kafka_connect_source_task_metrics_";
  const perSecond = (name: string): number => (uptimeMs <= 0 ? 0 : (c(name) * 1000) / uptimeMs);
  out.counter(`${bean}source_record_poll_total`, labels, c("source-record-poll-total"), "Records that the source gave");
  out.gauge(`${bean}source_record_poll_rate`, labels, perSecond("source-record-poll-total"), "Records a second that the source gave");
  out.counter(`${bean}source_record_write_total`, labels, c("source-record-write-total"), "Records that were written");
  out.gauge(`${bean}source_record_write_rate`, labels, perSecond("source-record-write-total"), "Records a second that were written");
  out.gauge(`${bean}source_record_active_count`, labels, c("source-record-active-count"), "Records that are not acknowledged yet");
  out.gauge(`${bean}poll_batch_max_time_ms`, labels, c("batch-time-ms-max"), "Longest poll");
  const batches = c("batch-count");
  out.gauge(`${bean}poll_batch_avg_time_ms`, labels, batches === 0 ? 0 : c("batch-time-ms-total") / batches, "Mean time of polls");
}
function sinkMetrics(out: MetricText, labels: Labels, c: Count, uptimeMs: number): void {
  const bean = "kafka_connect_sink_task_metrics_";
  const perSecond = (name: string): number => (uptimeMs <= 0 ? 0 : (c(name) * 1000) / uptimeMs);
  out.counter(`${bean}sink_record_read_total`, labels, c("sink-record-read-total"), "Records that were read");
  out.gauge(`${bean}sink_record_read_rate`, labels, perSecond("sink-record-read-total"), "Records a second that were read");
  out.counter(`${bean}sink_record_send_total`, labels, c("sink-record-send-total"), "Records that the sink was given");
  out.gauge(`${bean}sink_record_send_rate`, labels, perSecond("sink-record-send-total"), "Records a second that the sink was given");
  out.gauge(`${bean}sink_record_active_count`, labels, c("sink-record-active-count"), "Records that are not committed yet");
  out.gauge(`${bean}partition_count`, labels, c("partition-count"), "Partitions of the task");
  out.counter(`${bean}offset_commit_completion_total`, labels, c("offset-commit-success-total"), "Commits that were completed");
  out.gauge(
    `${bean}offset_commit_completion_rate`,
    labels,
    perSecond("offset-commit-success-total"),
    "Commits a second that were completed",
  );
  out.gauge(`${bean}put_batch_max_time_ms`, labels, c("batch-time-ms-max"), "Longest put");
  const batches = c("batch-count");
  out.gauge(`${bean}put_batch_avg_time_ms`, labels, batches === 0 ? 0 : c("batch-time-ms-total") / batches, "Mean time of puts");
}
function errorMetrics(out: MetricText, labels: Labels, c: Count): void {
  const bean = "kafka_connect_task_error_metrics_";
  for (const [name, help] of [
    ["total-record-errors", "Errors of records, tries again included"],
    ["total-record-failures", "Records that failed for good"],
    ["total-records-skipped", "Records that were skipped"],
    ["total-retries", "Times that a record was tried again"],
    ["total-errors-logged", "Errors that were logged"],
    ["deadletterqueue-produce-requests", "Records sent to the dead-letter queue"],
    ["deadletterqueue-produce-failures", "Records that could not be written there"],
  ] as const) {
    out.counter(bean + name.replaceAll("-", "_"), labels, c(name), help);
  }
  out.gauge(`${bean}last_error_timestamp`, labels, c("last-error-timestamp"), "When a record failed last, milliseconds since 1970");
}
