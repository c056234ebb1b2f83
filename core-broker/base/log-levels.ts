/** Loggers by name with levels that may change while the broker runs (KIP-412): a logger without one has its parent's. */
import type { Logger } from "./logger.ts";

/** Kafka's order of severity. */
export const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const ROOT_LOGGER = "root";
export const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

/** The parts of the broker that log, under the names of Kafka's packages. */
const BROKER_LOGGERS = [
  "kafka",
  "kafka.controller",
  "kafka.coordinator",
  "kafka.coordinator.group",
  "kafka.coordinator.transaction",
  "kafka.log",
  "kafka.network",
  "kafka.request.logger",
  "kafka.server",
  "kafka.server.KafkaApis",
  "kafka.authorizer.logger",
  "org.apache.kafka",
] as const;
export type BrokerLogger = (typeof BROKER_LOGGERS)[number];

export class LogLevels {
  readonly #sink: Logger;
  readonly #set = new Map<string, LogLevel>();
  readonly #names: ReadonlySet<string> = new Set<string>([ROOT_LOGGER, ...BROKER_LOGGERS]);
  /** Grows with each change, so that loggers need not look their level up for each line. */
  #version = 0;
  /** `sink` is given what passes; it must not filter by itself. */
  constructor(sink: Logger, root: LogLevel) {
    this.#sink = sink;
    this.#set.set(ROOT_LOGGER, root);
  }
  has(name: string): boolean {
    return this.#names.has(name);
  }
  /** Null: as the parent again. */
  set(name: string, level: LogLevel | null): void {
    if (level === null) this.#set.delete(name);
    else this.#set.set(name, level);
    this.#version++;
  }
  /** All loggers with the level that counts for each. */
  all(): ReadonlyMap<string, LogLevel> {
    return new Map([...this.#names].map((name) => [name, this.levelOf(name)]));
  }
  levelOf(name: string): LogLevel {
    for (let at = name; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
      const level = this.#set.get(at);
      if (level !== undefined) return level;
    }
    return this.#set.get(ROOT_LOGGER) ?? "INFO";
  }
  logger(name: BrokerLogger): Logger {
    return this.#named(name, this.#sink.child({ logger: name }));
  }
  #named(name: BrokerLogger, sink: Logger): Logger {
    let rank = 0;
    let version = -1;
    const passes = (level: LogLevel): boolean => {
      if (version !== this.#version) {
        rank = LOG_LEVELS.indexOf(this.levelOf(name));
        version = this.#version;
      }
      return LOG_LEVELS.indexOf(level) >= rank;
    };
    return {
      debug: (message, fields) => void (passes("DEBUG") && sink.debug(message, fields)),
      info: (message, fields) => void (passes("INFO") && sink.info(message, fields)),
      warn: (message, fields) => void (passes("WARN") && sink.warn(message, fields)),
      error: (message, fields) => void (passes("ERROR") && sink.error(message, fields)),
      child: (fields) => this.#named(name, sink.child(fields)),
    };
  }
}
