/** Errors of the server and of the connection: whether trying again may help, and what to do about them. */
import { ConnectError } from "#connect/api/errors";
import { databaseFailures, errorCode, explainedByNumber, isNetworkCode, type NumberHints } from "../cdc/database-failures.ts";
import { messageOf, SourceError } from "../cdc/source-error.ts";

/** The server's number; 0: it is not the server's error. */
export const errorNumber = (error: unknown): number =>
  typeof error === "object" && error !== null && "number" in error && typeof error.number === "number" ? error.number : 0;
export const INVALID_OBJECT = 208;
const NO_SUCH_DATABASE = 4060;

/** Deadlocks, lock and query timeouts, databases that come up or move, a change table that is being replaced. */
const TRANSIENT_NUMBERS = new Set([
  -2, 64, 208, 233, 921, 922, 924, 926, 927, 983, 1204, 1205, 1222, 3960, 4060, 4221, 6005, 10053, 10054, 10060, 10928, 10929, 40143, 40197,
  40501, 40540, 40613, 49918, 49919, 49920,
]);
/** Of tedious. */
const TRANSIENT_CODES = /^(ESOCKET|ECONNCLOSED|ENOTOPEN|ETIMEOUT|EINSTLOOKUP|ECANCEL|EABORT)$/;

export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectError) return error.causeClass === "transient";
  const number = errorNumber(error);
  // A database that is not there when one logs in is most likely written wrong.
  if (number === NO_SUCH_DATABASE && errorCode(error) === "ELOGIN") return false;
  if (number !== 0) return TRANSIENT_NUMBERS.has(number);
  const code = errorCode(error);
  return (
    isNetworkCode(code) ||
    TRANSIENT_CODES.test(code) ||
    /connection (was )?(closed|lost)|socket hang up|timed? ?out/i.test(messageOf(error))
  );
}

const HINTS: NumberHints = [
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
export const described = (error: unknown): string => explainedByNumber(error, errorNumber(error), HINTS, " ");
/** Of errors that say by themselves what stops the task. */
export const DEBEZIUM_EXCEPTION = "io.debezium.DebeziumException";
const failures = databaseFailures({
  database: "SQL Server",
  isTransient,
  described,
  code: (error) => String(errorNumber(error)),
});
export const { startFailure } = failures;
/** `headline` and, on the next line, what happened. RetriableError where trying again may help. */
export function wrapped(headline: string, error: unknown): ConnectError {
  // What cannot even begin is said without the headline, as by the reference.
  if (error instanceof SourceError && error.javaClass === DEBEZIUM_EXCEPTION) return error;
  return failures.wrapped(headline, error);
}
