/** `--add-scram 'SCRAM-SHA-256=[name=alice,password=secret]'`, as kafka-storage takes it. */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { BrokerError } from "../base/errors.ts";
import type { ScramUpsertion } from "../controller/scram.ts";

const MECHANISMS = {
  "SCRAM-SHA-256": { code: 1, hash: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { code: 2, hash: "sha512", bytes: 64 },
} as const;
const DEFAULT_ITERATIONS = 4096;
const ITERATIONS_MAX = 16_384;
const SALT_BYTES = 24;
const invalid = (message: string): BrokerError => new BrokerError("INVALID_CONFIG", message);

/** Throws BrokerError(INVALID_CONFIG). */
export function scramUpsertion(argument: string): ScramUpsertion {
  const match = /^([A-Za-z0-9-]+)=\[(.*)\]$/s.exec(argument.trim());
  if (match === null) throw invalid(`Failed to parse --add-scram ${argument.split("=")[0]}: MECHANISM=[name=…,password=…] is expected.`);
  const [, name = "", body = ""] = match;
  const mechanism = Object.entries(MECHANISMS).find(([known]) => known === name)?.[1];
  if (mechanism === undefined) throw invalid(`The add-scram mechanism ${name} is not supported.`);
  const fields = fieldsOf(body);
  const user = fields.get("name");
  if (user === undefined) throw invalid("You must supply 'name' to add-scram");
  const password = fields.get("password");
  const given = fields.get("saltedpassword");
  if ((password === undefined) === (given === undefined))
    throw invalid("You must supply one of 'password' or 'saltedpassword' to add-scram");
  const iterations = Number(fields.get("iterations") ?? DEFAULT_ITERATIONS);
  if (!(iterations >= DEFAULT_ITERATIONS)) throw invalid(`The 'iterations' value must be >= ${DEFAULT_ITERATIONS} for add-scram`);
  if (iterations > ITERATIONS_MAX) throw invalid(`The 'iterations' value must be <= ${ITERATIONS_MAX} for add-scram`);
  const saltText = fields.get("salt");
  if (given !== undefined && saltText === undefined) throw invalid("You must supply 'salt' with 'saltedpassword' to add-scram");
  const salt = saltText === undefined ? randomBytes(SALT_BYTES) : Buffer.from(saltText, "base64");
  const saltedPassword =
    given === undefined
      ? pbkdf2Sync((password ?? "").normalize("NFKC"), salt, iterations, mechanism.bytes, mechanism.hash)
      : Buffer.from(given, "base64");
  return { name: user, mechanism: mechanism.code, iterations, salt, saltedPassword };
}
/** key=value, separated by commas; a value may be quoted. */
function fieldsOf(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, key = "", quoted, plain = ""] of body.matchAll(/([A-Za-z]+)=(?:"([^"]*)"|([^,]*))(?:,|$)/g)) {
    if (!["name", "password", "salt", "saltedpassword", "iterations"].includes(key)) throw invalid(`add-scram does not know '${key}'`);
    fields.set(key, quoted ?? plain);
  }
  return fields;
}
