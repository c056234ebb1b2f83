/** Why a stream of the binary log ended, and whether opening it again may help. */
import { BinlogError } from "./binlog/failures.ts";

/**
 * purged: the log that is asked for is no longer there; events are lost and only a new snapshot helps. anonymous: what follows has no
 * GTIDs, the stream was asked for by them.
 */
export type StreamFailureCode = "purged" | "server-id-taken" | "binlog-off" | "rights" | "anonymous" | "corrupt" | "connection" | "server";

export class StreamError extends Error {
  readonly code: StreamFailureCode;
  /** The server's error number; 0 when it was not the server. */
  readonly errno: number;
  readonly sqlState: string;
  readonly transient: boolean;
  constructor(message: string, o: { code?: StreamFailureCode; errno?: number; sqlState?: string; transient?: boolean; cause?: unknown }) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause });
    this.name = "StreamError";
    this.transient = o.transient ?? false;
    this.code = o.code ?? (this.transient ? "connection" : "server");
    this.errno = o.errno ?? 0;
    this.sqlState = o.sqlState ?? "";
  }
}

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: its text says which of many. */
const ER_FATAL_READING = 1236;
const PURGED =
  /Could not find first log file|purged|required binary logs|could not find GTID state|which is not in the (master|source)'?s? ?binlog|missing transactions|does not exist/i;
const SAME_ID = /same (server_uuid|server_id|replica_uuid|slave_uuid)|server.?id as this/i;
/** Server goes down, was told to kill, restarts, has too many connections; the network. */
const TRANSIENT_ERRNO = new Set([
  1040, 1053, 1077, 1078, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1317, 1927, 2006, 2013, 3169, 4031,
]);
const TRANSIENT_CODES = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST)$/;
const RIGHTS_ERRNO = new Set([1044, 1045, 1142, 1227, 1698]);

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function codeOf(errno: number, text: string): StreamFailureCode {
  if (RIGHTS_ERRNO.has(errno)) return "rights";
  if (errno === ER_FATAL_READING && SAME_ID.test(text)) return "server-id-taken";
  if (errno === ER_FATAL_READING && /not configured|binary log is not open/i.test(text)) return "binlog-off";
  if (errno === ER_FATAL_READING && /anonymous transaction/i.test(text)) return "anonymous";
  if (errno === ER_FATAL_READING && PURGED.test(text)) return "purged";
  return "server";
}
const HINTS: Readonly<Record<StreamFailureCode, string>> = {
  purged:
    "The server no longer has the changes after the stored position. Take a new snapshot (snapshot.mode=when_needed does so), and keep the logs longer (binlog_expire_logs_seconds).",
  "server-id-taken": "Another replica uses the same database.server.id: choose one that nobody else has.",
  "binlog-off": "Start the server with log_bin and binlog_format=ROW.",
  rights: "Check database.user and database.password, and grant REPLICATION SLAVE and REPLICATION CLIENT.",
  anonymous:
    "gtid_mode was switched: transactions without a GTID follow, which a server with gtid_mode=ON sends to nobody, and no server to who asks by GTIDs. Nothing is lost: set gtid_mode=OFF_PERMISSIVE, restart the task, which goes on by file and position, and switch on once it has read to the end of the log.",
  corrupt: "",
  connection: "",
  server: "",
};

/** Any failure as a StreamError, with what to do about it. */
export function streamFailure(error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  const text = textOf(field(error, "message"));
  // A checksum may be wrong because of the network: reading again tells.
  if (error instanceof BinlogError)
    return new StreamError(`The binary log cannot be read: ${text}`, {
      code: "corrupt",
      transient: error.code === "checksum",
      cause: error,
    });
  const errno = Number(field(error, "errno") ?? 0) || 0;
  const name = textOf(field(error, "code"));
  const sqlState = textOf(field(error, "sqlState"));
  if (TRANSIENT_ERRNO.has(errno) || TRANSIENT_CODES.test(name))
    return new StreamError(text, { code: "connection", errno: Math.max(0, errno), sqlState, transient: true, cause: error });
  const code = codeOf(errno, text);
  const hint = HINTS[code];
  return new StreamError(`${text}${errno > 0 ? ` (${errno})` : ""}${hint === "" ? "" : `. ${hint}`}`, {
    code,
    errno: Math.max(0, errno),
    sqlState,
    cause: error,
  });
}
