/**
 * Watches what the slot keeps on the server: as metrics, as warnings with the time that is left, and, where the operator says that the
 * database's disk counts for more than the changes, by dropping the slot (`millrace.slot.guard=drop`).
 */
import type { Client } from "pg";
import type { Logger, TaskMetrics } from "#connect/api/connector";
import { messageOf, SourceError } from "../cdc/source-error.ts";
import { connect } from "./connection.ts";
import { dropSlot } from "./slot.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/** Less time than this until the limit is worth a warning. */
const WARN_SECONDS = 3600;
/** The same warning is not repeated before. */
const REPEAT_MS = 600_000;

interface Retained {
  /** WAL written by the server so far. */
  readonly head: number;
  readonly retainedBytes: number;
  /** Until the server gives the slot up; null: never (max_slot_wal_keep_size = -1), or before PostgreSQL 13. */
  readonly safeBytes: number | null;
  readonly status: string | null;
  readonly from: string;
  readonly to: string;
}
async function retained(client: Pick<Client, "query">, slot: string): Promise<Retained | null> {
  // As JSON: columns that a version does not have are null.
  const { rows } = await client.query<{
    head: string;
    retained: string | null;
    safe: string | null;
    status: string | null;
    from: string | null;
    to: string;
  }>(
    `SELECT (w.lsn - '0/0')::text AS head, (w.lsn - s.restart_lsn)::text AS retained, to_jsonb(s) ->> 'safe_wal_size' AS safe,
     to_jsonb(s) ->> 'wal_status' AS status, s.confirmed_flush_lsn::text AS "from", w.lsn::text AS "to"
     FROM pg_catalog.pg_replication_slots s, (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) w
     WHERE s.slot_name = $1`,
    [slot],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    head: Number(row.head),
    retainedBytes: Number(row.retained ?? 0),
    safeBytes: row.safe === null ? null : Math.max(0, Number(row.safe)),
    status: row.status,
    from: row.from ?? "0/0",
    to: row.to,
  };
}

interface SlotGuardParts {
  readonly sql: () => Promise<Client>;
  readonly metrics: TaskMetrics;
  readonly log: Logger;
  readonly monotonicMs: () => number;
  /** Stops the source, which lets go of the slot. */
  readonly stop: (error: SourceError) => void;
}
class SlotGuard {
  readonly #s: TaskSettings;
  readonly #parts: SlotGuardParts;
  readonly #slot: string;
  /** 0: no limit of ours. */
  readonly #limitBytes: number;
  #last: { readonly head: number; readonly atMs: number } | null = null;
  #warnedMs = -REPEAT_MS;
  #busy = false;

  constructor(s: TaskSettings, parts: SlotGuardParts) {
    this.#s = s;
    this.#parts = parts;
    this.#slot = s.all.string("slot.name");
    this.#limitBytes = s.all.int("millrace.slot.guard.max.bytes");
  }
  /** Looks once; never throws. */
  async look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const found = await retained(await this.#parts.sql(), this.#slot);
      if (found !== null) await this.#judge(found);
    } catch (error) {
      this.#parts.log.warn(`what slot ${this.#slot} keeps could not be read: ${messageOf(error)}`);
    } finally {
      this.#busy = false;
    }
  }
  async #judge(found: Retained): Promise<void> {
    const atMs = this.#parts.monotonicMs();
    const last = this.#last;
    this.#last = { head: found.head, atMs };
    const bytesPerSecond = last === null || atMs <= last.atMs ? 0 : Math.max(0, (found.head - last.head) / ((atMs - last.atMs) / 1000));
    const own = this.#limitBytes === 0 ? null : Math.max(0, this.#limitBytes - found.retainedBytes);
    const left = own === null ? found.safeBytes : found.safeBytes === null ? own : Math.min(own, found.safeBytes);
    const seconds = left === null || bytesPerSecond === 0 ? null : left / bytesPerSecond;
    this.#report(found, seconds);
    if (own === 0 && this.#s.all.choice("millrace.slot.guard") === "drop") return this.#drop(found);
    const critical = own === 0 || found.status === "unreserved" || found.status === "lost" || (seconds !== null && seconds < WARN_SECONDS);
    if (!critical || atMs - this.#warnedMs < REPEAT_MS) return;
    this.#warnedMs = atMs;
    const limit = left === null ? "" : `, ${left} bytes from the limit`;
    const time = seconds === null ? "" : `, which the server writes in about ${Math.round(seconds)} s`;
    this.#parts.log.warn(
      `slot ${this.#slot} keeps ${found.retainedBytes} bytes of WAL (wal_status ${found.status ?? "unknown"})${limit}${time}: see why its changes are not stored (the connector's state, the brokers), or give it more room`,
    );
  }
  #report(found: Retained, seconds: number | null): void {
    const labels = { plugin: "postgres", name: this.#s.naming.prefix, context: "streaming" };
    this.#parts.metrics.gauge("SlotRetainedBytes", found.retainedBytes, labels);
    this.#parts.metrics.gauge("SlotSafeWalBytes", found.safeBytes ?? -1, labels);
    this.#parts.metrics.gauge("SlotSecondsToLimit", seconds === null ? -1 : Math.round(seconds), labels);
  }
  async #drop(found: Retained): Promise<void> {
    this.#parts.stop(
      new SourceError(
        `Slot ${this.#slot} kept ${found.retainedBytes} bytes of WAL, more than millrace.slot.guard.max.bytes=${this.#limitBytes} allows, and was dropped: changes from ${found.from} to ${found.to} cannot be read any more. Restart the task with snapshot.mode=when_needed, or delete the connector's offsets, to read the tables anew; raise the limit, or set millrace.slot.guard=warn, to keep the slot at the cost of the disk.`,
        { javaClass: "io.debezium.DebeziumException" },
      ),
    );
    const client = await connect(this.#s.server);
    try {
      await dropSlot(client, this.#slot);
    } finally {
      await client.end();
    }
  }
}

/** `source.xmin` of events, as `xmin.fetch.interval.ms` asks. */
async function readXmin(sql: () => Promise<Client>, slot: string, source: SourceInfo, log: Logger): Promise<void> {
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

/** Looks after the slot from time to time, as the settings say. */
export function watchSlot(
  s: TaskSettings,
  parts: SlotGuardParts & { readonly source: SourceInfo },
  every: (intervalMs: number, action: () => void) => void,
): void {
  if (s.all.choice("millrace.slot.guard") !== "off") {
    const guard = new SlotGuard(s, parts);
    every(s.all.int("millrace.slot.guard.interval.ms"), () => void guard.look());
  }
  const xminMs = s.all.int("xmin.fetch.interval.ms");
  if (xminMs > 0) every(xminMs, () => void readXmin(parts.sql, s.all.string("slot.name"), parts.source, parts.log));
}
