/** Metrics of a task as they stand: only what has changed since they were told last is told again. */
import type { TaskMetrics } from "#connect/api/connector";

export type MetricLabels = Readonly<Record<string, string>>;
type Value = number | string;
interface Sample {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly value: Value;
}

export class MetricSheet {
  readonly #metrics: TaskMetrics;
  #told = new Map<string, Sample>();
  #now = new Map<string, Sample>();

  constructor(metrics: TaskMetrics) {
    this.#metrics = metrics;
  }
  /** Null: there is nothing to tell. Texts are told as texts, true as 1. */
  put(name: string, value: Value | boolean | null, labels: MetricLabels): void {
    if (value === null) return;
    const told = typeof value === "boolean" ? Number(value) : value;
    this.#now.set(`${name}\n${Object.values(labels).join("\n")}`, { name, labels, value: told });
  }
  /** What was not put since the last time is gone. */
  send(): void {
    const before = this.#told;
    const now = this.#now;
    this.#told = now;
    this.#now = new Map();
    for (const [key, { name, labels, value }] of now) {
      if (before.get(key)?.value !== value) this.#metrics.gauge(name, value, labels);
      before.delete(key);
    }
    for (const { name, labels } of before.values()) this.#metrics.gauge(name, null, labels);
  }
}
