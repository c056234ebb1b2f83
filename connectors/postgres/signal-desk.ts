/** Signals of a task: incremental and blocking snapshots next to the stream. */
import type { Client } from "pg";
import type { Logger } from "#connect/api/connector";
import type { SourceOffset } from "#connect/api/record";
import type { Backfills } from "../cdc/backfills.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { type SignalHandler, signalHandler, type StreamSignals } from "../cdc/signal-handler.ts";
import type { Signal } from "../cdc/signals.ts";
import type { UnsettledSignals } from "../cdc/unsettled-signals.ts";
import { blockingBackfill, type BlockingParts, blockingSnapshot } from "./blocking-snapshot.ts";
import { capturedTables } from "./incremental.ts";
import { type IncrementalRun, incrementalRun } from "./incremental-run.ts";
import type { TablePlans } from "./plans.ts";
import { readOffset } from "./position.ts";
import type { ReadOnlyWatermarks } from "./read-only-watermarks.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import type { SourceInfo } from "./source-info.ts";
import type { StreamReader } from "./stream.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface DeskSettings {
  readonly settings: TaskSettings;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  readonly log: Logger;
  readonly sql: () => Promise<Client>;
  readonly reader: () => StreamReader | null;
  /** What records carry now. */
  readonly offset: () => SourceOffset;
  readonly askPosition: () => void;
  readonly backfills: Backfills;
  readonly unsettled: UnsettledSignals;
  readonly stopping: () => boolean;
  readonly nowMicros: () => number;
  readonly fail: (error: unknown) => void;
}
/** Of the whole life of a task: an incremental snapshot outlives a broken connection. */
export class SignalDesk {
  readonly #s: DeskSettings;
  readonly #incremental: IncrementalRun;
  /** Of the stream that is being opened, or is open. */
  #handler: SignalHandler | null = null;
  /** Of a blocking snapshot. */
  #snapshot: OpenSnapshot | null = null;
  #restored: string | null = null;

  constructor(settings: DeskSettings) {
    this.#s = settings;
    const { plans, sql, notifier, events, source, offset, askPosition, log } = settings;
    const warn = (message: string): void => log.warn(message);
    this.#incremental = incrementalRun(settings.settings, { plans, sql, notifier, events, source, offset, askPosition, warn });
  }
  /** A stream is being opened; `offset` may hold an incremental snapshot to go on with. */
  restore(offset: SourceOffset): void {
    const { snapshot, bySignal } = this.#incremental;
    const { settings, plans, log, fail } = this.#s;
    if (!snapshot.active && (bySignal || this.#s.backfills.owns(offset))) snapshot.restore(offset);
    this.#restored = String(offset["incremental_snapshot_correlation_id"] ?? "") || null;
    this.#handler = signalHandler({
      deletes: settings.all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete",
      incremental: bySignal ? snapshot : null,
      unasked: snapshot,
      tables: async () => capturedTables(await this.#s.sql(), plans),
      log,
      position: () => JSON.stringify(this.#s.offset()),
      blocking: (from, tables, overrides) => blockingSnapshot(this.#blocking(), from, tables, overrides, this.#s.stopping).catch(fail),
    });
  }
  /** For the stream: rows are looked at only while somebody wants to know. */
  get stream(): StreamSignals | null {
    const { bySignal, snapshot } = this.#incremental;
    return bySignal || snapshot.active ? (this.#handler?.stream ?? null) : null;
  }
  get marks(): ReadOnlyWatermarks | null {
    return this.#incremental.marks;
  }
  /** Streaming is open. */
  opened(): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#s.backfills.attach({
      restored: this.#restored,
      incremental: this.#incremental.snapshot,
      blocking: (tables, aborted) => handler.inTurn(() => blockingBackfill(this.#blocking(), tables, aborted)),
    });
    this.#incremental.snapshot.next();
  }
  /** Of a channel: done when a restart finds what it changed in the offset. */
  async served(signal: Signal): Promise<void> {
    const handler = this.#handler;
    if (handler === null) return;
    const settles = (): ((durable: SourceOffset) => boolean) => {
      const lsn = this.#s.reader()?.position.lsn ?? 0;
      return (durable) => (readOffset(durable)?.at.lsn ?? 0) > lsn;
    };
    await this.#s.unsettled.served(signal, { handler, incremental: this.#incremental.snapshot, settles });
  }
  /** Rows of tables are being read, or are not durable yet: the stored offset must not move on by itself. */
  get busy(): boolean {
    return this.#incremental.busy || this.#snapshot !== null;
  }
  durable(offset: SourceOffset): void {
    this.#incremental.settled(offset);
  }
  resume(): void {
    this.#snapshot?.resume();
  }
  async close(): Promise<void> {
    const snapshot = this.#snapshot;
    this.#snapshot = null;
    await Promise.allSettled([snapshot?.close(), this.#incremental.snapshot.close()]);
  }
  #blocking(): BlockingParts {
    return { ...this.#s, reading: (snapshot) => void (this.#snapshot = snapshot) };
  }
}
