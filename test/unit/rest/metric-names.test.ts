/** Every attribute of Kafka Connect's beans is in `/metrics`, or docs/rest.md says that it is not. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricsText } from "#connect/operate/metrics";
import type { TaskSnapshot } from "#connect/worker/types";

/** Of ConnectMetricsRegistry of Kafka Connect 4.1. */
const ATTRIBUTES = (
  "batch-size-avg batch-size-max completed-rebalances-total connect-protocol connector-class connector-count connector-destroyed-task-count " +
  "connector-failed-task-count connector-paused-task-count connector-restarting-task-count connector-running-task-count " +
  "connector-startup-attempts-total connector-startup-failure-percentage connector-startup-failure-total " +
  "connector-startup-success-percentage connector-startup-success-total connector-total-task-count connector-type " +
  "connector-unassigned-task-count connector-version deadletterqueue-produce-failures deadletterqueue-produce-requests epoch " +
  "header-converter-class header-converter-version key-converter-class key-converter-version last-error-timestamp leader-name " +
  "offset-commit-avg-time-ms offset-commit-completion-rate offset-commit-completion-total offset-commit-failure-percentage " +
  "offset-commit-max-time-ms offset-commit-seq-no offset-commit-skip-rate offset-commit-skip-total offset-commit-success-percentage " +
  "partition-count pause-ratio poll-batch-avg-time-ms poll-batch-max-time-ms predicate-class predicate-version put-batch-avg-time-ms " +
  "put-batch-max-time-ms rebalance-avg-time-ms rebalance-max-time-ms rebalancing running-ratio sink-record-active-count " +
  "sink-record-active-count-avg sink-record-active-count-max sink-record-lag-max sink-record-read-rate sink-record-read-total " +
  "sink-record-send-rate sink-record-send-total source-record-active-count source-record-active-count-avg source-record-active-count-max " +
  "source-record-poll-rate source-record-poll-total source-record-write-rate source-record-write-total status task-class task-count " +
  "task-startup-attempts-total task-startup-failure-percentage task-startup-failure-total task-startup-success-percentage " +
  "task-startup-success-total task-version time-since-last-rebalance-ms total-errors-logged total-record-errors total-record-failures " +
  "total-records-skipped total-retries transaction-size-avg transaction-size-max transaction-size-min transform-class transform-version " +
  "value-converter-class value-converter-version"
).split(" ");
const task = (kind: "source" | "sink"): TaskSnapshot => ({
  id: { connector: kind, task: 0 },
  kind,
  state: "RUNNING",
  counters: {},
  gauges: [],
  restart: null,
});

test("each attribute is there or listed as absent, never both", () => {
  const tally = { success: 1, failure: 0 };
  const text = metricsText({
    tasks: [task("source"), task("sink")],
    progress: () => ({ records: 0, ageMs: 0, never: true }),
    stalled: () => false,
    deadLetters: new Map(),
    connectors: [{ name: "c", type: "source", className: "C", version: "1", state: "RUNNING" }],
    starts: { connectors: tally, tasks: tally },
    rebalance: {
      protocol: "sessioned",
      leader: "w",
      epoch: 1,
      rebalancing: false,
      completed: 1,
      lastMsAgo: 1,
      timeMsMax: 1,
      timeMsTotal: 1,
    },
    skipped: new Map(),
    uptimeMs: 1,
    nowMs: 1,
    stalledMs: 1,
    texts: false,
  });
  const present = new Set([...text.matchAll(/^# TYPE kafka_connect_[a-z_]+?_metrics_(\S+)/gm)].map((m) => m[1]));
  const page = readFileSync(new URL("../../../docs/rest.md", import.meta.url), "utf8");
  const rows = page.slice(page.indexOf("Attributes of Kafka Connect's beans"), page.indexOf("## Changing more"));
  const absent = new Set([...rows.matchAll(/`([a-z-]+)`/g)].map((m) => m[1]));
  const wrong = ATTRIBUTES.filter((name) => present.has(name.replaceAll("-", "_")) === absent.has(name));
  expect(wrong).toEqual([]);
});
