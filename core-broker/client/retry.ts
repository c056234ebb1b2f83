/** Retries of control requests: until a deadline, with backoff, on the errors that Kafka calls retriable. */
import { ErrorCode, isRetriable, KafkaError } from "../protocol/errors.ts";
import { backoffMs } from "./backoff.ts";
import type { CommonConfig } from "./config.ts";
import type { ClientDeps } from "./deps.ts";

export interface RetryScope {
  readonly config: CommonConfig;
  readonly deps: ClientDeps;
  readonly stopped: AbortSignal;
}
export const closedError = (): KafkaError => new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, "the client is closed");
export const shouldRetry = (error: unknown): error is KafkaError => error instanceof KafkaError && isRetriable(error.code);

/**
 * Runs `attempt` until it succeeds. Errors that are not retriable are thrown as they are; after `timeoutMs` the last one is
 * thrown again under its code, with the time spent in the message. `onRetry` repairs (refresh metadata, forget a coordinator).
 */
export async function retrying<T>(
  scope: RetryScope,
  what: string,
  timeoutMs: number,
  attempt: () => Promise<T>,
  onRetry: (error: KafkaError) => void = () => {},
): Promise<T> {
  const { clock, random } = scope.deps;
  const deadline = clock.monotonic() + timeoutMs;
  let before: KafkaError | null = null;
  for (let failures = 0; ; failures++) {
    if (scope.stopped.aborted) throw closedError();
    try {
      return await within(scope, what, deadline - clock.monotonic(), attempt());
    } catch (error) {
      if (scope.stopped.aborted) throw closedError();
      if (!shouldRetry(error)) throw error;
      const left = deadline - clock.monotonic();
      const wait = backoffMs(random, scope.config.retryBackoffMs, scope.config.retryBackoffMaxMs, failures);
      if (left <= wait) {
        // When time ran out in mid-attempt, the error before says more.
        const last: KafkaError = left <= 0 && before !== null ? before : error;
        throw new KafkaError(last.code, `${what}: no success within ${timeoutMs} ms; last: ${last.message}`, last);
      }
      before = error;
      onRetry(error);
      await clock.sleep(wait, scope.stopped);
    }
  }
}
/** Rejects with REQUEST_TIMED_OUT when `promise` is not settled in time. The work itself goes on. */
export function within<T>(scope: RetryScope, what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => fail(closedError());
    const timer = scope.deps.clock.after(Math.max(1, timeoutMs), () =>
      fail(new KafkaError(ErrorCode.REQUEST_TIMED_OUT, `${what}: no answer in time`)),
    );
    const done = (): void => {
      timer.cancel();
      scope.stopped.removeEventListener("abort", abort);
    };
    const fail = (error: unknown): void => {
      done();
      reject(error);
    };
    scope.stopped.addEventListener("abort", abort);
    promise.then((value) => {
      done();
      resolve(value);
    }, fail);
  });
}
