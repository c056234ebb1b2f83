/** Commands by which a replica asks for the binary log, and the session variables that the server looks at before it sends. */
import type { MysqlGtidSet } from "./binlog/gtid-mysql.ts";
import { StreamError } from "./replication-failures.ts";

/** Where the stream begins: a file and position, or everything that a GTID set does not contain. */
export type StreamStart =
  | { readonly by: "position"; readonly file: string; readonly position: number }
  | { readonly by: "mysqlGtid"; readonly executed: MysqlGtidSet }
  /** Text as in gtid_binlog_pos; "" is the beginning of the oldest log. */
  | { readonly by: "mariadbGtid"; readonly position: string };

const COM_REGISTER_REPLICA = 0x15;
const COM_BINLOG_DUMP = 0x12;
const COM_BINLOG_DUMP_GTID = 0x1e;
/** MariaDB: also send the statements of row events. */
const SEND_ANNOTATE_ROWS = 0x02;
/** MySQL: the set of GTIDs decides, not the position. */
const THROUGH_GTID = 0x04;
/** A log starts with 4 bytes of magic. */
const LOG_START = 4;
const POSITION_MAX = 0xffffffff;

function packet(command: number, body: Buffer): Buffer {
  const out = Buffer.alloc(5 + body.length);
  out.writeUIntLE(1 + body.length, 0, 3);
  out[4] = command;
  body.copy(out, 5);
  return out;
}
/** Makes the replica visible in SHOW REPLICAS. */
export function registerReplica(serverId: number): Buffer {
  const body = Buffer.alloc(4 + 3 + 2 + 4 + 4);
  body.writeUInt32LE(serverId, 0);
  return packet(COM_REGISTER_REPLICA, body);
}
/** Throws StreamError for a position that the command has no room for. */
export function dump(start: StreamStart, serverId: number, mariadb: boolean, annotated = false): Buffer {
  if (start.by === "mysqlGtid") {
    const set = start.executed.encode();
    const body = Buffer.alloc(2 + 4 + 4 + 8 + 4);
    body.writeUInt16LE(THROUGH_GTID, 0);
    body.writeUInt32LE(serverId, 2);
    body.writeBigUInt64LE(BigInt(LOG_START), 10);
    body.writeUInt32LE(set.length, 18);
    return packet(COM_BINLOG_DUMP_GTID, Buffer.concat([body, set]));
  }
  if (start.by === "position" && start.position > POSITION_MAX)
    throw new StreamError(
      `The stored position ${start.position} of ${start.file} is beyond 4 GB, which the protocol cannot ask for. If that log ends there, set the connector's offset to position 4 of the next log (SHOW BINARY LOGS), or use GTIDs.`,
      {},
    );
  const body = Buffer.alloc(10);
  body.writeUInt32LE(start.by === "position" ? start.position : LOG_START, 0);
  body.writeUInt16LE(mariadb && annotated ? SEND_ANNOTATE_ROWS : 0, 4);
  body.writeUInt32LE(serverId, 6);
  return packet(COM_BINLOG_DUMP, start.by === "position" ? Buffer.concat([body, Buffer.from(start.file)]) : body);
}

export interface ReplicaSession {
  readonly mariadb: boolean;
  readonly heartbeatMs: number;
  readonly start: StreamStart;
}
/** Statements to run before `dump`. */
export function sessionStatements(s: ReplicaSession): readonly string[] {
  const nanos = `${Math.max(1, Math.round(s.heartbeatMs))}000000`;
  const statements = [
    // The replica understands checksums: the log is sent with those it has.
    "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
    `SET @master_heartbeat_period = ${nanos}, @source_heartbeat_period = ${nanos}`,
  ];
  if (!s.mariadb) return statements;
  // 4: understands GTIDs and everything before them.
  statements.push("SET @mariadb_slave_capability = 4");
  if (s.start.by === "mariadbGtid")
    statements.push(
      `SET @slave_connect_state = '${s.start.position.replaceAll(/[^0-9,-]/g, "")}'`,
      "SET @slave_gtid_strict_mode = 0",
      "SET @slave_gtid_ignore_duplicates = 0",
    );
  return statements;
}
