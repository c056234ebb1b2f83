/**
 * Kafka's error codes (protocol guide, "Error Codes") and the two errors of this layer. Retriable: a client may send the
 * same request again.
 */
const TABLE = [
  ["UNKNOWN_SERVER_ERROR", -1, 0],
  ["NONE", 0, 0],
  ["OFFSET_OUT_OF_RANGE", 1, 0],
  ["CORRUPT_MESSAGE", 2, 1],
  ["UNKNOWN_TOPIC_OR_PARTITION", 3, 1],
  ["INVALID_FETCH_SIZE", 4, 0],
  ["LEADER_NOT_AVAILABLE", 5, 1],
  ["NOT_LEADER_OR_FOLLOWER", 6, 1],
  ["REQUEST_TIMED_OUT", 7, 1],
  ["BROKER_NOT_AVAILABLE", 8, 0],
  ["REPLICA_NOT_AVAILABLE", 9, 1],
  ["MESSAGE_TOO_LARGE", 10, 0],
  ["STALE_CONTROLLER_EPOCH", 11, 0],
  ["OFFSET_METADATA_TOO_LARGE", 12, 0],
  ["NETWORK_EXCEPTION", 13, 1],
  ["COORDINATOR_LOAD_IN_PROGRESS", 14, 1],
  ["COORDINATOR_NOT_AVAILABLE", 15, 1],
  ["NOT_COORDINATOR", 16, 1],
  ["INVALID_TOPIC_EXCEPTION", 17, 0],
  ["RECORD_LIST_TOO_LARGE", 18, 0],
  ["NOT_ENOUGH_REPLICAS", 19, 1],
  ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", 20, 1],
  ["INVALID_REQUIRED_ACKS", 21, 0],
  ["ILLEGAL_GENERATION", 22, 0],
  ["INCONSISTENT_GROUP_PROTOCOL", 23, 0],
  ["INVALID_GROUP_ID", 24, 0],
  ["UNKNOWN_MEMBER_ID", 25, 0],
  ["INVALID_SESSION_TIMEOUT", 26, 0],
  ["REBALANCE_IN_PROGRESS", 27, 0],
  ["INVALID_COMMIT_OFFSET_SIZE", 28, 0],
  ["TOPIC_AUTHORIZATION_FAILED", 29, 0],
  ["GROUP_AUTHORIZATION_FAILED", 30, 0],
  ["CLUSTER_AUTHORIZATION_FAILED", 31, 0],
  ["INVALID_TIMESTAMP", 32, 0],
  ["UNSUPPORTED_SASL_MECHANISM", 33, 0],
  ["ILLEGAL_SASL_STATE", 34, 0],
  ["UNSUPPORTED_VERSION", 35, 0],
  ["TOPIC_ALREADY_EXISTS", 36, 0],
  ["INVALID_PARTITIONS", 37, 0],
  ["INVALID_REPLICATION_FACTOR", 38, 0],
  ["INVALID_REPLICA_ASSIGNMENT", 39, 0],
  ["INVALID_CONFIG", 40, 0],
  ["NOT_CONTROLLER", 41, 1],
  ["INVALID_REQUEST", 42, 0],
  ["UNSUPPORTED_FOR_MESSAGE_FORMAT", 43, 0],
  ["POLICY_VIOLATION", 44, 0],
  ["OUT_OF_ORDER_SEQUENCE_NUMBER", 45, 0],
  ["DUPLICATE_SEQUENCE_NUMBER", 46, 0],
  ["INVALID_PRODUCER_EPOCH", 47, 0],
  ["INVALID_TXN_STATE", 48, 0],
  ["INVALID_PRODUCER_ID_MAPPING", 49, 0],
  ["INVALID_TRANSACTION_TIMEOUT", 50, 0],
  ["CONCURRENT_TRANSACTIONS", 51, 1],
  ["TRANSACTION_COORDINATOR_FENCED", 52, 0],
  ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", 53, 0],
  ["SECURITY_DISABLED", 54, 0],
  ["OPERATION_NOT_ATTEMPTED", 55, 0],
  ["KAFKA_STORAGE_ERROR", 56, 1],
  ["LOG_DIR_NOT_FOUND", 57, 0],
  ["SASL_AUTHENTICATION_FAILED", 58, 0],
  ["UNKNOWN_PRODUCER_ID", 59, 0],
  ["REASSIGNMENT_IN_PROGRESS", 60, 0],
  ["DELEGATION_TOKEN_AUTH_DISABLED", 61, 0],
  ["DELEGATION_TOKEN_NOT_FOUND", 62, 0],
  ["DELEGATION_TOKEN_OWNER_MISMATCH", 63, 0],
  ["DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", 64, 0],
  ["DELEGATION_TOKEN_AUTHORIZATION_FAILED", 65, 0],
  ["DELEGATION_TOKEN_EXPIRED", 66, 0],
  ["INVALID_PRINCIPAL_TYPE", 67, 0],
  ["NON_EMPTY_GROUP", 68, 0],
  ["GROUP_ID_NOT_FOUND", 69, 0],
  ["FETCH_SESSION_ID_NOT_FOUND", 70, 1],
  ["INVALID_FETCH_SESSION_EPOCH", 71, 1],
  ["LISTENER_NOT_FOUND", 72, 1],
  ["TOPIC_DELETION_DISABLED", 73, 0],
  ["FENCED_LEADER_EPOCH", 74, 1],
  ["UNKNOWN_LEADER_EPOCH", 75, 1],
  ["UNSUPPORTED_COMPRESSION_TYPE", 76, 0],
  ["STALE_BROKER_EPOCH", 77, 0],
  ["OFFSET_NOT_AVAILABLE", 78, 1],
  ["MEMBER_ID_REQUIRED", 79, 0],
  ["PREFERRED_LEADER_NOT_AVAILABLE", 80, 1],
  ["GROUP_MAX_SIZE_REACHED", 81, 0],
  ["FENCED_INSTANCE_ID", 82, 0],
  ["ELIGIBLE_LEADERS_NOT_AVAILABLE", 83, 1],
  ["ELECTION_NOT_NEEDED", 84, 1],
  ["NO_REASSIGNMENT_IN_PROGRESS", 85, 0],
  ["GROUP_SUBSCRIBED_TO_TOPIC", 86, 0],
  ["INVALID_RECORD", 87, 0],
  ["UNSTABLE_OFFSET_COMMIT", 88, 1],
  ["THROTTLING_QUOTA_EXCEEDED", 89, 1],
  ["PRODUCER_FENCED", 90, 0],
  ["RESOURCE_NOT_FOUND", 91, 0],
  ["DUPLICATE_RESOURCE", 92, 0],
  ["UNACCEPTABLE_CREDENTIAL", 93, 0],
  ["INCONSISTENT_VOTER_SET", 94, 0],
  ["INVALID_UPDATE_VERSION", 95, 0],
  ["FEATURE_UPDATE_FAILED", 96, 0],
  ["PRINCIPAL_DESERIALIZATION_FAILURE", 97, 0],
  ["SNAPSHOT_NOT_FOUND", 98, 0],
  ["POSITION_OUT_OF_RANGE", 99, 0],
  ["UNKNOWN_TOPIC_ID", 100, 1],
  ["DUPLICATE_BROKER_REGISTRATION", 101, 0],
  ["BROKER_ID_NOT_REGISTERED", 102, 0],
  ["INCONSISTENT_TOPIC_ID", 103, 1],
  ["INCONSISTENT_CLUSTER_ID", 104, 0],
  ["TRANSACTIONAL_ID_NOT_FOUND", 105, 0],
  ["FETCH_SESSION_TOPIC_ID_ERROR", 106, 1],
  ["INELIGIBLE_REPLICA", 107, 0],
  ["NEW_LEADER_ELECTED", 108, 0],
  ["OFFSET_MOVED_TO_TIERED_STORAGE", 109, 0],
  ["FENCED_MEMBER_EPOCH", 110, 0],
  ["UNRELEASED_INSTANCE_ID", 111, 0],
  ["UNSUPPORTED_ASSIGNOR", 112, 0],
  ["STALE_MEMBER_EPOCH", 113, 0],
  ["MISMATCHED_ENDPOINT_TYPE", 114, 0],
  ["UNSUPPORTED_ENDPOINT_TYPE", 115, 0],
  ["UNKNOWN_CONTROLLER_ID", 116, 0],
  ["UNKNOWN_SUBSCRIPTION_ID", 117, 0],
  ["TELEMETRY_TOO_LARGE", 118, 0],
  ["INVALID_REGISTRATION", 119, 0],
  ["TRANSACTION_ABORTABLE", 120, 0],
  ["INVALID_RECORD_STATE", 121, 0],
  ["SHARE_SESSION_NOT_FOUND", 122, 1],
  ["INVALID_SHARE_SESSION_EPOCH", 123, 1],
  ["FENCED_STATE_EPOCH", 124, 0],
  ["INVALID_VOTER_KEY", 125, 0],
  ["DUPLICATE_VOTER", 126, 0],
  ["VOTER_NOT_FOUND", 127, 0],
  ["INVALID_REGULAR_EXPRESSION", 128, 0],
  ["REBOOTSTRAP_REQUIRED", 129, 0],
] as const;

type Name = (typeof TABLE)[number][0];
export const ErrorCode = Object.fromEntries(TABLE.map(([name, code]) => [name, code])) as { readonly [N in Name]: number };
const NAMES: ReadonlyMap<number, string> = new Map(TABLE.map(([name, code]) => [code, name]));
const RETRIABLE: ReadonlySet<number> = new Set(TABLE.filter((row) => row[2] === 1).map((row) => row[1]));

/** The code's name; unknown codes read as UNKNOWN_SERVER_ERROR(code), never throw. */
export const errorName = (code: number): string => NAMES.get(code) ?? `UNKNOWN_SERVER_ERROR(${code})`;
export const isRetriable = (code: number): boolean => RETRIABLE.has(code);

/** An answer of the protocol: what a request failed with. `message` is what the peer or we say beside the code. */
export class KafkaError extends Error {
  readonly code: number;
  constructor(code: number, message?: string, cause?: unknown) {
    super(message ?? errorName(code), cause === undefined ? undefined : { cause });
    this.name = errorName(code);
    this.code = code;
  }
}
/** Bytes that are no message. The connection they came from cannot be trusted any more and is closed. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtocolError";
  }
}
