/**
 * Watches what the slot keeps on the server: as metrics, as warnings with the time that is left, and, where a limit is set, by
 * dropping what is captured less important than the database's disk: the policy is the operator's.
 */
import type { Client } from "pg";
import type { Logger } from "#connect/api/connector";
import { messageOf } from "../cdc/source-error.ts";
import type { SourceInfo } from "./source-info.ts";

/** `source.xmin` of events, as `xmin.fetch.interval.ms` asks. */
export async function readXmin(sql: () => Promise<Client>, slot: string, source: SourceInfo, log: Logger): Promise<void> {
  try {
    const client = await sql();
    const { rows } = await client.query<{ xmin: string | null }>(
      "SELECT catalog_xmin::text AS xmin FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
      [slot],
    );
    const xmin = rows[0]?.xmin ?? null;
    source.xmin = xmin === null ? null : BigInt(xmin);
  } catch (error) {
    log.warn(`the slot's xmin could not be read: ${messageOf(error)}`);
  }
}
