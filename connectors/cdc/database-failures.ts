/** Errors of a database as the worker sees them: whether trying again may help is the connector's to know. */
import { ConnectError, RetriableError } from "#connect/api/errors";
import { messageOf, SourceError } from "./source-error.ts";

/** A driver's or Node's own code of an error; "": it has none. */
export const errorCode = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "";

const NETWORK_CODES = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** Node's codes for a server that cannot be reached, or for a connection that broke. */
export const isNetworkCode = (code: string): boolean => NETWORK_CODES.test(code);

/** What happened, the server's own code for it ("" for none), and what to do about it. */
export const explained = (error: unknown, code: string, hint: string | undefined, before = ". "): string =>
  `${messageOf(error)}${code === "" ? "" : ` (${code})`}${hint === undefined ? "" : `${before}${hint}`}`;
/** What to do, by the server's numbers. */
export type NumberHints = readonly (readonly [numbers: readonly number[], hint: string])[];
/** `number` 0: it is not the server's error. */
export function explainedByNumber(error: unknown, number: number, hints: NumberHints, before?: string): string {
  const hint = hints.find(([numbers]) => numbers.includes(number))?.[1];
  return explained(error, number === 0 ? "" : String(number), hint, before);
}

export interface KnownErrors {
  /** As in "The MySQL source could not start". */
  readonly database: string;
  /** Whether trying again may help. */
  readonly isTransient: (error: unknown) => boolean;
  /** What happened, and what to do about it. */
  readonly described: (error: unknown) => string;
  /** `SourceError.code` */
  readonly code: (error: unknown) => string;
}
export interface DatabaseFailures {
  /** Preparing failed: our own errors as they are, the server's with what to do. */
  readonly startFailure: (error: unknown) => ConnectError;
  /** `headline` and, on the next line, what happened. RetriableError where trying again may help. */
  readonly wrapped: (headline: string, error: unknown, javaClass?: string) => ConnectError;
}
export function databaseFailures({ database, isTransient, described, code }: KnownErrors): DatabaseFailures {
  const failure = (message: string, error: unknown, javaClass?: string): ConnectError =>
    isTransient(error)
      ? new RetriableError(message, error)
      : new SourceError(message, { cause: error, code: code(error), ...(javaClass !== undefined && { javaClass }) });
  return {
    startFailure: (error) =>
      error instanceof ConnectError ? error : failure(`The ${database} source could not start: ${described(error)}`, error),
    wrapped: (headline, error, javaClass) => failure(`${headline}\n${described(error)}`, error, javaClass),
  };
}
