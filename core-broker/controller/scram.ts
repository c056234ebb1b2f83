/** SCRAM credentials (KIP-554). The broker is given the salted password and keeps only what RFC 5802 lets it derive. */
import { createHash, createHmac } from "node:crypto";
import { ErrorCode } from "../protocol/errors.ts";
import { removeUserScramCredentialRecord, userScramCredentialRecord } from "../protocol/state/metadata-records.ts";
import { type MetadataImage, scramKey } from "./image.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";
import type { CommandResult, Refusal } from "./topics.ts";

/** Kafka's codes of the mechanisms. */
const SCRAM_HASHES: ReadonlyMap<number, string> = new Map([
  [1, "sha256"],
  [2, "sha512"],
]);
const ITERATIONS_MIN = 4096;
const ITERATIONS_MAX = 16_384;

export interface ScramDeletion {
  readonly name: string;
  readonly mechanism: number;
}
export interface ScramUpsertion extends ScramDeletion {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly saltedPassword: Uint8Array;
}
export interface UserOutcome extends Refusal {
  readonly user: string;
}
/** One outcome per user; a user who comes twice with the same mechanism is refused as a whole. */
export function alterScram(
  image: MetadataImage,
  deletions: readonly ScramDeletion[],
  upsertions: readonly ScramUpsertion[],
): CommandResult<readonly UserOutcome[]> {
  const records: MetadataRecord[] = [];
  const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
  const response = [...users].map((user): UserOutcome => {
    const gone = deletions.filter(({ name }) => name === user);
    const put = upsertions.filter(({ name }) => name === user);
    const refusal = userRefusal(image, user, gone, put);
    if (refusal !== null) return { user, ...refusal };
    for (const { name, mechanism } of gone) records.push(metadataRecord(removeUserScramCredentialRecord, { name, mechanism }));
    for (const upsertion of put) records.push(credentialRecord(upsertion));
    return { user, errorCode: ErrorCode.NONE, errorMessage: null };
  });
  return { records, response };
}
function userRefusal(
  image: MetadataImage,
  user: string,
  deletions: readonly ScramDeletion[],
  upsertions: readonly ScramUpsertion[],
): Refusal | null {
  const unacceptable = (errorMessage: string): Refusal => ({ errorCode: ErrorCode.UNACCEPTABLE_CREDENTIAL, errorMessage });
  const mechanisms = [...deletions, ...upsertions].map(({ mechanism }) => mechanism);
  if (user === "") return unacceptable("Username must not be empty");
  if (mechanisms.some((mechanism) => !SCRAM_HASHES.has(mechanism))) {
    return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, errorMessage: "Unknown SCRAM mechanism" };
  }
  if (new Set(mechanisms).size < mechanisms.length) {
    const errorMessage = "A user credential cannot be altered twice in the same request";
    return { errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage };
  }
  for (const { iterations } of upsertions) {
    if (iterations < ITERATIONS_MIN) return unacceptable("Too few iterations");
    if (iterations > ITERATIONS_MAX) return unacceptable("Too many iterations");
  }
  if (deletions.some(({ mechanism }) => !image.scram.has(scramKey(user, mechanism)))) {
    return { errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage: "Attempt to delete a user credential that does not exist" };
  }
  return null;
}
function credentialRecord({ name, mechanism, iterations, salt, saltedPassword }: ScramUpsertion): MetadataRecord {
  const hash = SCRAM_HASHES.get(mechanism) ?? "sha512";
  const clientKey = createHmac(hash, saltedPassword).update("Client Key").digest();
  const storedKey = createHash(hash).update(clientKey).digest();
  const serverKey = createHmac(hash, saltedPassword).update("Server Key").digest();
  return metadataRecord(userScramCredentialRecord, { name, mechanism, salt: Uint8Array.from(salt), storedKey, serverKey, iterations });
}
