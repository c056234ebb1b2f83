/** Replication slots: looked up, created with an exported snapshot, dropped. */
import type { Client } from "pg";
import { SourceError } from "../cdc/source-error.ts";
import { sqlState } from "./failures.ts";
import { lsnOf } from "./pgoutput/integers.ts";
import type { RawSession } from "./raw-session.ts";

export interface SlotInfo {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly active: boolean;
  readonly confirmedFlushLsn: number | null;
  readonly restartLsn: number | null;
  /** reserved, extended, unreserved, lost; null before version 13. */
  readonly walStatus: string | null;
}
export interface CreatedSlot {
  /** Changes of transactions that commit after this LSN are streamed; all others are in the snapshot. */
  readonly consistentLsn: number;
  readonly snapshot: string | null;
}

export async function readSlot(client: Pick<Client, "query">, name: string): Promise<SlotInfo | null> {
  const { rows } = await client.query<Record<string, string | boolean | null>>(
    "SELECT s.* FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1",
    [name],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const text = (key: string): string | null => (typeof row[key] === "string" ? row[key] : null);
  const lsn = (key: string): number | null => {
    const value = text(key);
    return value === null ? null : lsnOf(value);
  };
  return {
    plugin: text("plugin"),
    database: text("database"),
    active: row["active"] === true,
    confirmedFlushLsn: lsn("confirmed_flush_lsn"),
    restartLsn: lsn("restart_lsn"),
    walStatus: text("wal_status"),
  };
}

/** Throws SourceError when the slot cannot be used by this connector. */
export function checkSlot(name: string, slot: SlotInfo, database: string): void {
  if (slot.plugin !== "pgoutput" || slot.database !== database)
    throw new SourceError(
      `Replication slot "${name}" belongs to plugin ${slot.plugin ?? "none"} and database ${slot.database ?? "none"}. Choose another slot.name, or drop it: SELECT pg_drop_replication_slot('${name}')`,
    );
}

export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const quoteLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** `exported`: the snapshot stays valid until the session's next command. Waits for transactions that are open now. */
export async function createSlot(
  session: RawSession,
  name: string,
  options: { readonly temporary?: boolean; readonly exported: boolean; readonly failover?: boolean },
): Promise<CreatedSlot> {
  const snapshot = options.exported ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
  const tail = options.failover === true ? `(SNAPSHOT '${options.exported ? "export" : "nothing"}', FAILOVER)` : snapshot;
  const [row] = await session.query(
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)}${options.temporary === true ? " TEMPORARY" : ""} LOGICAL pgoutput ${tail}`,
  );
  return { consistentLsn: lsnOf(row?.[1] ?? "0/0"), snapshot: row?.[2] ?? null };
}

/** Waits a little for a reader that is still shutting down. False: there was no such slot. */
export async function dropSlot(client: Pick<Client, "query">, name: string): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.query("SELECT pg_catalog.pg_drop_replication_slot($1)", [name]);
      return true;
    } catch (error) {
      if (sqlState(error) === "42704") return false;
      if (sqlState(error) !== "55006" || attempt >= 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
