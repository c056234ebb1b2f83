/** Errors of the server and of the connection: whether trying again may help, and what to do about them. */
import { ConnectError, RetriableError } from "#connect/api/errors";
import { messageOf, SourceError } from "../cdc/source-error.ts";

const field = (error: unknown, name: "code" | "number"): unknown =>
  typeof error === "object" && error !== null && name in error ? Reflect.get(error, name) : undefined;
export const errorCode = (error: unknown): string => {
  const code = field(error, "code");
  return typeof code === "string" ? code : "";
};
/** The server's number; 0: it is not the server's error. */
export const errorNumber = (error: unknown): number => {
  const number = field(error, "number");
  return typeof number === "number" ? number : 0;
};
export const INVALID_OBJECT = 208;

/** Deadlocks, lock and query timeouts, databases that come up or move, a change table that is being replaced. */
const TRANSIENT_NUMBERS = new Set([
  -2, 64, 208, 233, 921, 922, 924, 926, 927, 983, 1204, 1205, 1222, 3960, 4060, 4221, 6005, 10053, 10054, 10060, 10928, 10929, 40143, 40197,
  40501, 40540, 40613, 49918, 49919, 49920,
]);
const TRANSIENT_CODES =
  /^(ESOCKET|ECONNCLOSED|ENOTOPEN|ETIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EINSTLOOKUP|ECANCEL|EABORT)$/;

export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectError) return error.causeClass === "transient";
  const number = errorNumber(error);
  if (number !== 0) return TRANSIENT_NUMBERS.has(number);
  return TRANSIENT_CODES.test(errorCode(error)) || /connection (was )?(closed|lost)|socket hang up|timed? ?out/i.test(messageOf(error));
}

const HINTS: readonly (readonly [numbers: readonly number[], hint: string])[] = [
  [[18456, 18452], "Check database.user and database.password, and that the server takes this kind of login."],
  [[4060, 911], "Check database.names, and that the user may use these databases."],
  [
    [208],
    "A capture instance was disabled or its table is gone. Run millrace doctor to see which tables are captured; enable capture again with sys.sp_cdc_enable_table.",
  ],
  [[229, 230, 262, 300], "Make the user a member of db_owner, or grant it SELECT on the captured tables and the gating role of cdc."],
  [[313], "The changes asked for are outside of what the change tables hold: the clean-up job has removed them."],
  [[3952], "Allow snapshot isolation: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON, or choose another snapshot.isolation.mode."],
  [[22901], "Enable change data capture for the database: EXEC sys.sp_cdc_enable_db."],
];
export function described(error: unknown): string {
  const number = errorNumber(error);
  const hint = HINTS.find(([numbers]) => numbers.includes(number))?.[1];
  return `${messageOf(error)}${number === 0 ? "" : ` (${number})`}${hint === undefined ? "" : ` ${hint}`}`;
}
/** Of errors that say by themselves what stops the task. */
export const DEBEZIUM_EXCEPTION = "io.debezium.DebeziumException";
/** Preparing failed: our own errors as they are, the server's with what to do. */
export function startFailure(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const message = `The SQL Server source could not start: ${described(error)}`;
  return isTransient(error)
    ? new RetriableError(message, error)
    : new SourceError(message, { cause: error, code: String(errorNumber(error)) });
}
/** `headline` and, on the next line, what happened. RetriableError where trying again may help. */
export function wrapped(headline: string, error: unknown): ConnectError {
  // What cannot even begin is said without the headline, as by the reference.
  if (error instanceof SourceError && error.javaClass === DEBEZIUM_EXCEPTION) return error;
  const message = `${headline}\n${described(error)}`;
  if (isTransient(error)) return new RetriableError(message, error);
  return new SourceError(message, { cause: error, code: String(errorNumber(error)) });
}
