/** Errors of the server and of the connection: whether trying again may help, and what to do about them. */
import { ConnectError } from "#connect/api/errors";
import { databaseFailures, errorCode, explainedByNumber, isNetworkCode, type NumberHints } from "../cdc/database-failures.ts";
import { messageOf } from "../cdc/source-error.ts";
import { StreamError } from "./replication-failures.ts";

export const errorNumber = (error: unknown): number =>
  typeof error === "object" && error !== null && "errno" in error && typeof error.errno === "number" ? error.errno : 0;

/** Server goes away or is not there yet, deadlocks, lock waits, a table that is altered under a snapshot: by the server's error numbers. */
const TRANSIENT_NUMBERS = new Set([
  1040, 1053, 1077, 1079, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1317, 1412, 1927, 1969, 2002, 2003, 2006, 2013, 3024,
  4031,
]);
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectError) return error.causeClass === "transient";
  const code = errorCode(error);
  if (isNetworkCode(code) || /^PROTOCOL_(CONNECTION_LOST|SEQUENCE_TIMEOUT)$/.test(code)) return true;
  if (TRANSIENT_NUMBERS.has(errorNumber(error))) return true;
  if (typeof error === "object" && error !== null && "transient" in error && error.transient === true) return true;
  return (
    errorNumber(error) === 0 && /closed state|connection (was )?(closed|lost|ended)|socket hang up|timed? ?out/i.test(messageOf(error))
  );
}

const HINTS: NumberHints = [
  [[1045, 1698], "Check database.user and database.password, and from which hosts the user may log in."],
  [[1049], "Check database.include.list."],
  [[1227], "Grant the user REPLICATION SLAVE, REPLICATION CLIENT, RELOAD and SELECT (MariaDB: also BINLOG MONITOR)."],
  [[1142, 1044, 1370], "Grant the user SELECT on the captured tables, and LOCK TABLES where it has no RELOAD."],
  [[1969, 3024], "Raise database.query.timeout.ms if the server is not merely busy."],
  [
    [1236],
    "The log that the connector needs is not on the server any more; set snapshot.mode=when_needed, or delete the connector's offsets, for a new snapshot.",
  ],
];
/** A stream's failure says itself what to do. */
const described = (error: unknown): string => explainedByNumber(error, errorNumber(error), error instanceof StreamError ? [] : HINTS);
export const { startFailure, wrapped } = databaseFailures({ database: "MySQL", isTransient, described, code: errorCode });
