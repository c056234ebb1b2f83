/** Errors of this connector: what happened, and what to do about it. */
import { ConnectError } from "#connect/api/errors";
import { databaseFailures, errorCode, explained, isNetworkCode } from "../cdc/database-failures.ts";
import { messageOf } from "../cdc/source-error.ts";

/** SQLSTATE of the server's errors; errors of the socket have Node's code. */
export const sqlState = errorCode;

/**
 * Connection classes of SQLSTATE, server start and stop, and errors of the socket; too many connections or slots, too, as those of a process
 * that was killed are freed once the server has noticed.
 */
const TRANSIENT_STATES = /^(08|57P0[123]|53300|53400|55006|40001|40P01)/;

/** feature_not_supported, object_not_in_prerequisite_state, read_only_sql_transaction: what a server in recovery answers with. */
const RECOVERY_STATES = /^(0A000|55000|25006)$/;
const IN_RECOVERY = /in recovery|during recovery|recovery is in progress|in a read-only transaction/i;

/**
 * The server still replays WAL: it was promoted a moment ago, or is a standby that an address leads to until the new primary is up.
 * Passes by itself, so it is waited for like a server that is away; the same states for other reasons are not.
 */
const isRecovering = (error: unknown): boolean => RECOVERY_STATES.test(sqlState(error)) && IN_RECOVERY.test(messageOf(error));

/** Whether trying again may help: the server restarts or is being promoted, the network was cut. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectError) return error.causeClass === "transient";
  const code = sqlState(error);
  if (TRANSIENT_STATES.test(code) || isNetworkCode(code) || isRecovering(error)) return true;
  return (
    code === "" &&
    /connection (was )?(closed|terminated|ended)|timeout expired|ended the replication stream|Connection terminated/i.test(messageOf(error))
  );
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^28P01$|^28000$/, "Check database.user, database.password and pg_hba.conf."],
  [/^3D000$/, "Check database.dbname."],
  [/^42501$/, "Grant the user the REPLICATION attribute, CREATE on the database and SELECT on the captured tables."],
  [/^53400$/, "Raise max_replication_slots or drop slots that are no longer used (SELECT * FROM pg_replication_slots)."],
  [/^55000$/, "Set wal_level = logical in postgresql.conf and restart the server."],
];

const RECOVERY_HINT =
  "The server is in recovery, or read-only: it is waited for until it takes writes. Let database.hostname lead to the primary; a standby can be read from PostgreSQL 16 on.";

function described(error: unknown): string {
  const code = sqlState(error);
  const hint = isRecovering(error) ? RECOVERY_HINT : HINTS.find(([state]) => state.test(code))?.[1];
  return explained(error, code, hint);
}
const failures = databaseFailures({ database: "PostgreSQL", isTransient, described, code: sqlState });
export const { startFailure } = failures;
/** `headline` and, on the next line, what happened. RetriableError where trying again may help. */
export function wrapped(headline: string, error: unknown): ConnectError {
  const named = error instanceof ConnectError && error.javaClass !== "org.apache.kafka.connect.errors.RetriableException";
  return failures.wrapped(headline, error, named ? error.javaClass : undefined);
}
