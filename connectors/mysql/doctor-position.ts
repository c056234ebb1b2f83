/** How far the server's log is ahead of a connector. */
import type { Connection } from "mysql2/promise";
import type { TaskConfig } from "#connect/api/connector";
import type { SourcePosition } from "#connect/api/diagnosis";
import type { SourceOffset } from "#connect/api/record";
import { DOCTOR_CONNECT_TIMEOUT_MS } from "../cdc/doctor-checks.ts";
import { type LogPosition, readLogPosition, readServer, rowsOf, type Server } from "./catalog.ts";
import { settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { containsGtids, readOffset, type StoredPosition } from "./position.ts";
import { serverOf } from "./server-settings.ts";

/** "Source has sent all binlog to replica; waiting for more updates", with older words in MariaDB. */
const SENT_ALL = /has sent all binlog/i;

/**
 * The stored position moves only with what is captured, and with heartbeats; the rest of the log is passed over. What has been sent is
 * therefore taken from the server's threads for this user that send the log: nothing waits as long as one has sent all. Several
 * connectors with one user are not told apart.
 */
export async function position(flavor: Flavor, config: TaskConfig, offset: SourceOffset | null): Promise<SourcePosition | null> {
  const server = serverOf(settingsOf(flavor, config));
  const connectTimeoutMs = Math.min(server.connectTimeoutMs, DOCTOR_CONNECT_TIMEOUT_MS);
  const connection = await connect({ ...server, connectTimeoutMs, initialStatements: [] });
  try {
    const info = await readServer(connection);
    const head = await readLogPosition(connection, info);
    const stored = readOffset(offset);
    const threads = (await rowsOf(connection, "SHOW PROCESSLIST")).filter(
      (row) => row["User"] === server.user && (row["Command"] ?? "").startsWith("Binlog Dump"),
    );
    const sentAll = threads.some((row) => SENT_ALL.test(row["State"] ?? ""));
    const storedBehind = stored === null ? null : await bytesBehind(connection, flavor, info, stored, head);
    const shown = `${head.file}:${head.position}`;
    const behindBytes = sentAll ? 0 : storedBehind;
    return {
      position: stored === null ? null : `${stored.file}:${stored.position}`,
      head: shown,
      reached: sentAll ? shown : null,
      behindBytes,
      waiting: behindBytes === null ? `the server has not sent all of its log (${shown})` : null,
      details: {
        gtids: stored?.gtids ?? null,
        head_gtids: head.gtids,
        stored_behind_bytes: storedBehind,
        sending: threads[0]?.["State"] ?? null,
      },
    };
  } finally {
    connection.destroy();
  }
}
/** Null: the log of the position is not there, or another server's. */
async function bytesBehind(
  connection: Connection,
  flavor: Flavor,
  info: Server,
  stored: StoredPosition,
  head: LogPosition,
): Promise<number | null> {
  if (info.gtidMode && stored.gtids !== null && head.gtids !== null && containsGtids(flavor, stored.gtids, head.gtids)) return 0;
  const logs = (await rowsOf(connection, "SHOW BINARY LOGS")).map((row) => ({
    name: row["Log_name"] ?? "",
    bytes: Number(row["File_size"] ?? 0),
  }));
  const from = logs.findIndex((log) => log.name === stored.file),
    to = logs.findIndex((log) => log.name === head.file);
  if (from === -1 || to < from) return null;
  const whole = logs.slice(from, to).reduce((sum, log) => sum + log.bytes, 0);
  return Math.max(0, whole + head.position - stored.position);
}
