/** What Debezium's schema-history bean tells: how much was recovered, and what was recorded since. */
import type { MetricLabels, MetricSheet } from "../metric-sheet.ts";
import type { HistoryRecord } from "./history.ts";
import { historyJson } from "./history-json.ts";

/** Of the text of a change, in characters: it becomes a label, and definitions of large tables are long. */
const CHANGE_TEXT_MAX = 1000;

export class HistoryFigures {
  #status: "RECOVERING" | "RUNNING" = "RUNNING";
  #recoveryStartMs = -1;
  #recovered = 0;
  #recorded = 0;
  #lastRecovered: HistoryRecord | null = null;
  #lastRecoveredMs = 0;
  #lastApplied: HistoryRecord | null = null;
  #lastAppliedMs = 0;
  /** Made once, told every second. */
  readonly #texts = new WeakMap<HistoryRecord, string>();
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
    const text = (record: HistoryRecord | null): string => (record === null ? "" : this.#textOf(record));
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
  #textOf(record: HistoryRecord): string {
    const known = this.#texts.get(record);
    if (known !== undefined) return known;
    const text = historyJson(record).slice(0, CHANGE_TEXT_MAX);
    this.#texts.set(record, text);
    return text;
  }
}
