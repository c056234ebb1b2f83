import { expect, test } from "vitest";
import { RetriableError } from "#connect/api/errors";
import { isTransient, startFailure } from "#connectors/postgres/failures";

const refused = (code: string, message: string): Error => Object.assign(new Error(message), { code });

// The texts are the server's own, of PostgreSQL 15 and 16.
test.each([
  ["0A000", "logical decoding cannot be used while in recovery"],
  ["55000", "recovery is in progress"],
  ["57P03", "the database system is starting up"],
  ["25006", "cannot execute CREATE PUBLICATION in a read-only transaction"],
])("%s %s: a server that is being promoted is waited for", (code, message) => {
  const error = refused(code, message);
  expect(isTransient(error)).toBe(true);
  const failure = startFailure(error);
  expect(failure).toBeInstanceOf(RetriableError);
  if (code !== "57P03") expect(failure.message).toContain("The server is in recovery");
});
test.each([
  ["55000", "logical decoding on standby requires wal_level >= logical on the primary"],
  ["0A000", "CREATE PUBLICATION ... is not supported"],
  ["55000", "logical decoding requires wal_level >= logical"],
  ["55000", 'replication slot "a" was not created in this database'],
])("%s %s: waiting would not help", (code, message) => {
  expect(isTransient(refused(code, message))).toBe(false);
  expect(startFailure(refused(code, message))).not.toBeInstanceOf(RetriableError);
});
