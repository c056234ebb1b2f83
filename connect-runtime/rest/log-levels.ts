/** Levels of named loggers, as `/admin/loggers` shows and changes them. */
import type { Clock } from "#broker/base/clock";

export interface LoggerLevel {
  readonly level: string;
  /** Milliseconds since the epoch; null: as the worker was started. */
  readonly last_modified: number | null;
}
const LEVELS: ReadonlySet<string> = new Set(["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"]);
const ROOT = "root";

export class LogLevels {
  readonly #levels = new Map<string, LoggerLevel>();
  readonly #clock: Clock;
  readonly #apply: (logger: string, level: string) => void;

  /** `apply` carries a change to the logger that writes. */
  constructor(initial: string, clock: Clock, apply: (logger: string, level: string) => void) {
    this.#clock = clock;
    this.#apply = apply;
    this.#levels.set(ROOT, { level: initial.toUpperCase(), last_modified: null });
  }
  static isLevel(level: string): boolean {
    return LEVELS.has(level.toUpperCase());
  }
  all(): Record<string, LoggerLevel> {
    return Object.fromEntries([...this.#levels].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  get(logger: string): LoggerLevel | null {
    return this.#levels.get(logger) ?? null;
  }
  /** Also of all loggers below it. Answers their names in order. */
  set(namespace: string, level: string): string[] {
    const upper = level.toUpperCase();
    const below = [...this.#levels.keys()].filter((name) => name.startsWith(`${namespace}.`));
    const names = [...new Set(namespace === ROOT ? this.#levels.keys() : [namespace, ...below])].sort();
    for (const name of names) {
      if (this.#levels.get(name)?.level === upper) continue;
      this.#levels.set(name, { level: upper, last_modified: this.#clock.now() });
      this.#apply(name, upper);
    }
    return names;
  }
}
