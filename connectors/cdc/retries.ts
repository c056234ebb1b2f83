/** How a task of a database starts and polls: what may pass is tried again, as often as `errors.max.retries` lets it. */
import type { SourceTaskContext } from "#connect/api/connector";
import { RetriableError } from "#connect/api/errors";
import type { SourceRecord } from "#connect/api/record";
import type { RecordQueue } from "./record-queue.ts";
import type { Settings } from "./settings.ts";
import { SourceError } from "./source-error.ts";

/** Counts failures that may pass, in a row: records that are handed on end it, as in Debezium's ErrorHandler. */
export class Retries {
  readonly #most: number;
  #inARow = 0;

  /** `errors.max.retries`: -1 is without limit, 0 none. */
  constructor(settings: Settings) {
    this.#most = settings.int("errors.max.retries");
  }
  /** What to throw for a failure: a RetriableError as long as there is another try. */
  failed(error: unknown): Error {
    if (!(error instanceof RetriableError)) return error instanceof Error ? error : new Error(String(error));
    if (this.#most < 0 || ++this.#inARow <= this.#most) return error;
    const message = `The maximum number of ${this.#most} retries has been attempted (errors.max.retries).\n${error.message}`;
    return new SourceError(message, { cause: error });
  }
  handedOn(): void {
    this.#inARow = 0;
  }
}

export interface TaskReading {
  readonly retries: Retries;
  readonly queue: RecordQueue;
  /** Of `take`. */
  readonly waitMs: number;
  /** A reader is at work. */
  readonly running: () => boolean;
  /** Settles when a reader that has failed is closed, and its failure noted; it may take no longer than a poll can wait. */
  readonly closed?: () => Promise<void>;
  /** Connects and begins to read from where the last reader ended. Throws RetriableError for what may pass. */
  readonly begin: () => Promise<void>;
  /** What has to be done in `poll`, if there is something. */
  readonly due?: () => Promise<void> | null;
}
/** What may pass is left to `poll`. */
export async function startReading({ begin, retries }: TaskReading, log: SourceTaskContext["log"]): Promise<void> {
  try {
    await begin();
  } catch (error) {
    const failure = retries.failed(error);
    if (!(failure instanceof RetriableError)) throw failure;
    log.warn(`cannot start yet, trying again: ${failure.message}`);
  }
}
/** The next records; begins to read again when a reader has failed and all that it had read was handed on. */
export async function readRecords({ running, queue, closed, begin, due, waitMs, retries }: TaskReading): Promise<readonly SourceRecord[]> {
  try {
    if (!running() && queue.empty) {
      await closed?.();
      queue.throwFailure();
      await begin();
    }
    const duty = due?.() ?? null;
    if (duty !== null) await duty;
    const records = await queue.take(waitMs);
    if (records.length > 0) retries.handedOn();
    return records;
  } catch (error) {
    throw retries.failed(error);
  }
}
/** Waits as a setting asks, but not longer than until the task is stopped. */
export async function waited(ms: number, stopped: () => boolean): Promise<void> {
  for (let left = ms; left > 0 && !stopped(); left -= 100) await new Promise((r) => setTimeout(r, Math.min(100, left)));
}
/** Resolves when the work is over, whatever comes of it, or after so long: nobody waits for ever for a server that does not answer. */
export async function atMost(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.resolve(work).catch(() => {}), limit]);
  clearTimeout(timer);
}
