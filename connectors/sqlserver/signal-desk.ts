/** Signals and backfills for a database: incremental and blocking snapshots next to its stream. */
import type { SourceOffset } from "#connect/api/record";
import { blockingBackfill } from "../cdc/backfill-parts.ts";
import type { Backfills } from "../cdc/backfills.ts";
import { IncrementalSnapshot } from "../cdc/incremental-snapshot/snapshot.ts";
import { signalChannels } from "../cdc/signal-channels.ts";
import { type SignalHandler, signalHandler, type SignalOrigin } from "../cdc/signal-handler.ts";
import type { Signal } from "../cdc/signals.ts";
import { laterThan, type UnsettledSignals } from "../cdc/unsettled-signals.ts";
import { idOf } from "./catalog.ts";
import type { Session } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import { isTransient } from "./failures.ts";
import { SqlServerChunks } from "./incremental.ts";
import type { PlannedTable } from "./plans.ts";
import { historyOrder, streamOffset } from "./position.ts";
import type { SqlServer } from "./server-settings.ts";
import { openSnapshot } from "./snapshot-open.ts";
import { snapshotData, snapshotSchema } from "./snapshot-run.ts";
import type { DatabaseStream } from "./stream.ts";

export interface DeskSettings {
  readonly context: DatabaseContext;
  readonly server: SqlServer;
  readonly session: () => Promise<Session>;
  readonly stream: () => DatabaseStream | null;
  /** May hold an incremental snapshot to go on with. */
  readonly offset: SourceOffset;
  readonly unsettled: UnsettledSignals;
  readonly backfills: Backfills;
  readonly fail: (error: unknown) => void;
}
export class SignalDesk {
  readonly #s: DeskSettings;
  readonly #incremental: IncrementalSnapshot<PlannedTable> | null;
  readonly handler: SignalHandler;
  #blocking: Promise<void> | null = null;
  #resume: (() => void) | null = null;

  constructor(settings: DeskSettings) {
    this.#s = settings;
    const { context } = settings;
    const all = context.settings.all;
    const deletes = all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
    this.#incremental = this.#makeIncremental(deletes);
    this.#incremental?.restore(settings.offset);
    this.handler = signalHandler({
      deletes,
      incremental: this.#incremental,
      tables: () => Promise.resolve(this.captured()),
      log: context.log,
      position: () => JSON.stringify(settings.stream()?.emitter.offset ?? settings.offset),
      blocking: (from, tables, conditions) =>
        this.#reading(this.#snapshot(from, tables, conditions).catch((error: unknown) => settings.fail(error))),
    });
  }
  /** Streaming waits for it. */
  #reading(snapshot: Promise<void>): Promise<void> {
    const mine = snapshot.finally(() => {
      if (this.#blocking === mine) this.#blocking = null;
    });
    this.#blocking = mine;
    return mine;
  }
  /** Why there are no incremental backfills; null: there are. */
  get refusal(): string | null {
    if (this.#incremental !== null) return null;
    return `Reading tables beside the stream needs a table for signals in ${this.#s.context.database} (signal.data.collection)`;
  }
  captured(): readonly string[] {
    const { tracker, settings } = this.#s.context;
    return tracker
      .tables()
      .map((t) => ({ database: t.id.catalog ?? "", schema: t.id.schema ?? "", table: t.id.table }))
      .filter((t) => settings.captures(t))
      .map(idOf);
  }
  #makeIncremental(deletes: boolean): IncrementalSnapshot<PlannedTable> | null {
    const { context, session } = this.#s;
    const { settings, events, notifier, log } = context;
    const table = settings.signalTable;
    // The signal table is in one of the databases; its rows are for that one.
    if (table === null || !table.startsWith(`${context.database}.`) || !signalChannels(settings.all).includes("source")) return null;
    return new IncrementalSnapshot<PlannedTable>({
      signalTable: table,
      chunkSize: settings.all.int("incremental.snapshot.chunk.size"),
      deletes,
      database: new SqlServerChunks({ context, session, server: this.#s.server, signalTable: table, deletes }),
      notifier,
      emit: (planned, row) => {
        const emitter = this.#s.stream()?.emitter;
        if (emitter === undefined) return;
        const { commit, change, serial } = emitter.handled;
        const source = context.source.incremental(planned.name, commit, change, change === null ? null : serial, context.nowMicros());
        events.upsert(planned.plan, "r", row.key, null, row.row, source, null, emitter.refresh(), row.bytes);
      },
      warn: (message) => log.warn(message),
    });
  }
  opened(): void {
    const { backfills, offset, stream, context, fail } = this.#s;
    backfills.attach({
      restored: String(offset["incremental_snapshot_correlation_id"] ?? "") || null,
      incremental: this.#incremental,
      blocking: (tables, aborted) =>
        this.handler.inTurn(() =>
          blockingBackfill({ stream, stopping: context.stopping, endsStream: isTransient, fail }, tables, (names, conditions) =>
            this.#reading(this.#snapshot("channel", names, conditions, aborted)),
          ),
        ),
    });
    this.#incremental?.next();
  }
  /** Streaming may go on: no blocking snapshot is being taken, what a signal asked for is under way. */
  async settled(): Promise<void> {
    // A request looks for its tables first; that takes no more than this turn.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#blocking !== null) await this.#blocking.catch(() => {});
    this.#s.stream()?.emitter.release();
  }
  /** Of a channel: done when a restart finds what it changed in the offset. */
  served(signal: Signal): Promise<void> {
    return this.#s.unsettled.served(signal, {
      handler: this.handler,
      incremental: this.#incremental,
      settles: () => laterThan(this.#s.stream()?.emitter.offset ?? {}, historyOrder),
    });
  }
  resume(): void {
    this.#resume?.();
  }
  async close(): Promise<void> {
    this.#s.backfills.detach();
    await this.#incremental?.close();
  }
  /** `aborted` is asked between tables. Rejects where it could not be read. */
  async #snapshot(
    from: SignalOrigin,
    tables: readonly string[],
    conditions: ReadonlyMap<string, string>,
    aborted: () => boolean = () => false,
  ): Promise<void> {
    const { server } = this.#s;
    const plain = this.#s.context;
    const emitter = this.#s.stream()?.emitter;
    if (emitter === undefined) return;
    const context = { ...plain, stopping: () => plain.stopping() || aborted() };
    const opened = await openSnapshot(context.settings, server, context.database, tables);
    try {
      const during = from === "table" ? emitter.safeOffset : emitter.offset;
      const { commit, change, serial } = emitter.position;
      const at = { commit, change, serial: change === null ? null : serial };
      const run = { context, opened, offsets: { during, last: emitter.offset, at, progress: null }, conditions };
      context.notifier.send("Initial Snapshot", "STARTED");
      await snapshotSchema(run, { ...streamOffset(emitter.position), snapshot: "BLOCKING", snapshot_completed: false }, false);
      await snapshotData(run, (resume) => {
        this.#resume = resume;
      });
      context.notifier.send("Initial Snapshot", aborted() ? "ABORTED" : "COMPLETED");
    } finally {
      await opened.close();
    }
  }
}
