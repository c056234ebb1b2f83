/** The replication session: opened, told how far we are, closed. */
import { connect } from "./connection.ts";
import type { PostgresServer } from "./server-settings.ts";
import { sqlState } from "./failures.ts";
import { lsnText, POSTGRES_EPOCH_MICROS, writeInt64 } from "./pgoutput/integers.ts";
import { type CopyConsumer, RawSession } from "./raw-session.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";

export const openSession = async (server: PostgresServer, replication: boolean, onEnd: (error: Error) => void): Promise<RawSession> =>
  new RawSession(await connect(server, { replication, applicationName: replication ? "Millrace Streaming" : "Millrace Snapshot" }), onEnd);

export interface StreamOptions {
  readonly slot: string;
  readonly publication: string;
  readonly startLsn: number;
  readonly messages: boolean;
  /** Transactions are sent while they are in progress (PostgreSQL 14). */
  readonly streaming: boolean;
  /** `slot.stream.params`: more options for pgoutput. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly aborted: () => boolean;
}

/** Waits while another reader holds the slot: our own earlier one may still be closing. */
export async function startStreaming(session: RawSession, options: StreamOptions, consumer: CopyConsumer): Promise<void> {
  const parameters: (readonly [string, string])[] = [
    ["proto_version", options.streaming ? "2" : "1"],
    ...(options.streaming ? [["streaming", "on"] as const] : []),
    ["publication_names", quoteIdentifier(options.publication)],
    ...(options.messages ? [["messages", "true"] as const] : []),
    ...options.parameters,
  ];
  const list = parameters.map(([name, value]) => `${quoteIdentifier(name)} ${quoteLiteral(value)}`).join(", ");
  const sql = `START_REPLICATION SLOT ${quoteIdentifier(options.slot)} LOGICAL ${lsnText(options.startLsn)} (${list})`;
  const deadline = Date.now() + options.retries * options.retryDelayMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, options.retryDelayMs)) {
    try {
      await session.startReplication(sql, consumer);
      return;
    } catch (error) {
      if (sqlState(error) !== "55006" || Date.now() + pauseMs > deadline || options.aborted()) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Standby status update: everything before `flushed` may be forgotten. `ask`: the server is to say how far it is. */
export function sendStatus(session: RawSession, received: number, flushed: number, nowMicros: number, ask = false): void {
  const body = Buffer.alloc(34);
  body[0] = 0x72;
  writeInt64(body, 1, Math.max(received, flushed));
  writeInt64(body, 9, flushed);
  writeInt64(body, 17, flushed);
  writeInt64(body, 25, Math.floor(nowMicros) - POSTGRES_EPOCH_MICROS);
  if (ask) body[33] = 1;
  session.sendCopyData(body);
}
