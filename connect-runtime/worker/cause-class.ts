/** What kind of cause made a task fail: whether trying again can help is decided by it. */
import { type CauseClass, ConnectError } from "../api/errors.ts";

const CAUSES_MAX = 16;
/** Node's codes of peers that are away, or of resources that were short for a moment. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EMFILE",
  "ENFILE",
  "ENOSPC",
]);
/** Kafka's codes that trying again does not change: rights, names, sizes. */
const LASTING_KAFKA: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_REPLICATION_FACTOR",
  "INVALID_CONFIG",
  "POLICY_VIOLATION",
  "UNSUPPORTED_VERSION",
  // A newer instance of the same task has taken over: starting again would take it back.
  "PRODUCER_FENCED",
  "INVALID_PRODUCER_EPOCH",
  "FENCED_INSTANCE_ID",
]);
/** Kafka's codes that concern one record and would come again for it. */
const RECORD_KAFKA: ReadonlySet<string> = new Set(["RECORD_TOO_LARGE", "MESSAGE_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"]);
export const isRecordError = (error: unknown): boolean => error instanceof Error && RECORD_KAFKA.has(error.name);

function classOfOne(error: Error): CauseClass {
  if (error instanceof ConnectError) return error.causeClass;
  if (!("code" in error)) return "bug";
  if (typeof error.code === "string") return TRANSIENT_CODES.has(error.code) ? "transient" : "bug";
  // An error of Kafka's protocol has its number as code and its name as name.
  if (typeof error.code !== "number" || !/^[A-Z][A-Z_]+$/.test(error.name)) return "bug";
  if (LASTING_KAFKA.has(error.name)) return "config";
  return RECORD_KAFKA.has(error.name) ? "data" : "transient";
}
/**
 * Of an error and its causes the most telling one decides: a wrong setting, then something that passes, then data; `bug` is what is
 * left. Wrappers say little ("Exiting WorkerSinkTask …").
 */
export function causeClassOf(error: unknown): CauseClass {
  const found = new Set<CauseClass>();
  for (let each = error, depth = 0; each instanceof Error && depth < CAUSES_MAX; each = each.cause, depth++) found.add(classOfOne(each));
  return (["config", "transient", "data"] as const).find((c) => found.has(c)) ?? "bug";
}
