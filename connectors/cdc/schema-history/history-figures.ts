/** What Debezium's schema-history bean tells: how much was recovered, and what was recorded since. */
import type { MetricLabels, MetricSheet } from "../metric-sheet.ts";
import type { HistoryRecord } from "./history.ts";
import { historyJson } from "./history-json.ts";

export class HistoryFigures {
  #status: "RECOVERING" | "RUNNING" = "RUNNING";
  #recoveryStartMs = -1;
  #recovered = 0;
  #recorded = 0;
  #lastRecovered: HistoryRecord | null = null;
  #lastRecoveredMs = 0;
  #lastApplied: HistoryRecord | null = null;
  #lastAppliedMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }
  status(status: "RECOVERING" | "RUNNING"): void {
    this.#status = status;
    if (status === "RECOVERING") this.#recoveryStartMs = this.#nowMs();
  }
  recovered(record: HistoryRecord): void {
    this.#recovered++;
    this.#lastRecovered = this.#lastApplied = record;
    this.#lastRecoveredMs = this.#lastAppliedMs = this.#nowMs();
  }
  recorded(records: readonly HistoryRecord[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.#recorded += records.length;
    this.#lastApplied = last;
    this.#lastAppliedMs = this.#nowMs();
  }
  report(sheet: MetricSheet, labels: MetricLabels): void {
    const put = (name: string, value: number | string): void => sheet.put(name, value, labels);
    const since = (record: HistoryRecord | null, ms: number): number => (record === null ? -1 : this.#nowMs() - ms);
    const text = (record: HistoryRecord | null): string => (record === null ? "" : historyJson(record));
    put("Status", this.#status);
    // The reference tells it in seconds.
    put("RecoveryStartTime", this.#recoveryStartMs === -1 ? -1 : Math.floor(this.#recoveryStartMs / 1000));
    put("ChangesRecovered", this.#recovered);
    // As in the reference, what was recovered was applied too.
    put("ChangesApplied", this.#recovered + this.#recorded);
    put("MilliSecondsSinceLastRecoveredChange", since(this.#lastRecovered, this.#lastRecoveredMs));
    put("MilliSecondsSinceLastAppliedChange", since(this.#lastApplied, this.#lastAppliedMs));
    put("LastRecoveredChange", text(this.#lastRecovered));
    put("LastAppliedChange", text(this.#lastApplied));
  }
}
