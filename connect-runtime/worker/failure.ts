/**
 * What happens to a record that a stage refuses: retries for retriable errors, then reports, then `errors.tolerance` decides
 * (KIP-298). Nothing here runs for records that pass.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Random } from "#broker/base/random";
import type { ConsumedRecord } from "#broker/client/types";
import { ConnectError, RetriableError } from "../api/errors.ts";
import type { SourceRecord } from "../api/record.ts";
import type { Counters } from "./counters.ts";
import type { ErrorSettings } from "./settings.ts";
import { traceOf } from "./trace.ts";
import type { TaskId } from "./types.ts";

export type Stage = "TRANSFORMATION" | "KEY_CONVERTER" | "VALUE_CONVERTER" | "HEADER_CONVERTER" | "KAFKA_PRODUCE" | "TASK_PUT";

/** One record that failed for good. */
export interface Failure {
  readonly stage: Stage;
  readonly className: string;
  readonly error: unknown;
  /** Sink side: the record as it was consumed. */
  readonly consumed: ConsumedRecord | null;
  readonly source: SourceRecord | null;
}
export interface FailureReporter {
  /** Throws when the report cannot be made, which ends the task: a record must not vanish. */
  report(failure: Failure): void;
}
export type Retried<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

const FIRST_DELAY_MS = 300;

/** Kafka's back-off: 300 ms doubled each time; above the maximum a random delay below it. */
export function retryDelayMs(attempt: number, maxMs: number, random: Random): number {
  const delay = FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 30);
  return delay > maxMs ? random.below(Math.max(1, Math.min(maxMs, 2 ** 31))) : delay;
}

export interface FailurePolicyOptions {
  readonly settings: ErrorSettings;
  readonly reporters: readonly FailureReporter[];
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: Random;
  readonly stop: AbortSignal;
}
export class FailurePolicy {
  readonly #o: FailurePolicyOptions;
  constructor(options: FailurePolicyOptions) {
    this.#o = options;
  }
  /** Tries again while the error is retriable and `errors.retry.timeout` allows. */
  async retry<T>(first: unknown, again: () => T): Promise<Retried<T>> {
    const { settings, clock, random, stop, counters } = this.#o;
    const deadline = settings.retryTimeoutMs < 0 ? Number.POSITIVE_INFINITY : clock.monotonic() + settings.retryTimeoutMs;
    counters.add("total-record-errors");
    let error = first;
    for (let attempt = 1; error instanceof RetriableError && settings.retryTimeoutMs !== 0; attempt++) {
      const leftMs = deadline - clock.monotonic();
      if (leftMs <= 0) break;
      await clock.sleep(Math.min(retryDelayMs(attempt, settings.retryDelayMaxMs, random), leftMs), stop);
      if (stop.aborted) break;
      counters.add("total-retries");
      try {
        return { ok: true, value: again() };
      } catch (next) {
        error = next;
        counters.add("total-record-errors");
      }
    }
    return { ok: false, error };
  }
  /** Reports the failure. Returns when the record is to be skipped; throws when the task has to fail. */
  settle(failure: Failure): void {
    const { settings, reporters, counters, clock } = this.#o;
    counters.add("total-record-failures");
    counters.set("last-error-timestamp", clock.now());
    for (const reporter of reporters) reporter.report(failure);
    if (!settings.tolerateAll) throw new ConnectError("Tolerance exceeded in error handler", { causeClass: "data", cause: failure.error });
    counters.add("total-records-skipped");
  }
  get toleratesAll(): boolean {
    return this.#o.settings.tolerateAll;
  }
}

const TIMESTAMP_TYPES = { CREATE_TIME: "CreateTime", LOG_APPEND_TIME: "LogAppendTime", NO_TIMESTAMP_TYPE: "NoTimestampType" } as const;

/** The sentence of Kafka's log reporter; with the record's address (never its content) when asked for. */
function describeFailure(id: TaskId, failure: Failure, withRecord: boolean): string {
  let text = `Error encountered in task ${id.connector}-${id.task}. Executing stage '${failure.stage}' with class '${failure.className}'`;
  if (withRecord && failure.consumed !== null) {
    const r = failure.consumed;
    text +=
      `, where consumed record is {topic='${r.topic}', partition=${r.partition}, offset=${r.offset}` +
      `${r.timestampType === "NO_TIMESTAMP_TYPE" ? "" : `, timestamp=${r.timestamp}, timestampType=${TIMESTAMP_TYPES[r.timestampType]}`}}`;
  } else if (withRecord && failure.source !== null) {
    const r = failure.source;
    const print = (value: object): string => JSON.stringify(value, (_k, v: unknown) => (typeof v === "bigint" ? v.toString() : v));
    text += `, where source record is = SourceRecord{topic='${r.topic}', sourcePartition=${print(r.sourcePartition)}, sourceOffset=${print(r.sourceOffset)}}`;
  }
  return `${text}.`;
}
/** `errors.log.enable`. */
export function logReporter(id: TaskId, settings: ErrorSettings, counters: Counters, log: Logger): FailureReporter {
  return {
    report(failure) {
      counters.add("total-errors-logged");
      log.error(describeFailure(id, failure, settings.logMessages), { trace: traceOf(failure.error) });
    },
  };
}
