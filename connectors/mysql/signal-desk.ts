/** Signals and backfills of a task: incremental and blocking snapshots next to the stream. */
import type { Connection } from "mysql2/promise";
import type { Logger } from "#connect/api/connector";
import type { SourceOffset } from "#connect/api/record";
import { blockingBackfill } from "../cdc/backfill-parts.ts";
import type { Backfills } from "../cdc/backfills.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { IncrementalSnapshot } from "../cdc/incremental-snapshot/snapshot.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { signalChannels } from "../cdc/signal-channels.ts";
import { type SignalHandler, signalHandler, type SignalOrigin, type StreamSignals } from "../cdc/signal-handler.ts";
import type { Signal } from "../cdc/signals.ts";
import { laterThan, type UnsettledSignals } from "../cdc/unsettled-signals.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { Server } from "./catalog.ts";
import { isTransient } from "./failures.ts";
import { MysqlChunks } from "./incremental.ts";
import type { TablePlans } from "./plans.ts";
import { historyOrder, snapshotOffset } from "./position.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import { LogWindows } from "./log-windows.ts";
import type { MysqlServer } from "./server-settings.ts";
import { openSnapshot } from "./snapshot-open.ts";
import { type Reading, type SnapshotRun, snapshotData, snapshotSchema } from "./snapshot-run.ts";
import { SourceInfo } from "./source-info.ts";
import type { StreamReader } from "./stream.ts";
import type { TaskSettings } from "./task-settings.ts";
import { textConnection, TextSession } from "./text-session.ts";

export interface DeskSettings {
  readonly settings: TaskSettings;
  readonly server: MysqlServer;
  readonly info: Server;
  readonly schema: SchemaTracker;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  readonly log: Logger;
  /** May hold an incremental snapshot to go on with. */
  readonly offset: SourceOffset;
  readonly sql: () => Promise<Connection>;
  readonly reader: () => StreamReader | null;
  /** The position before there is a reader. */
  readonly at: () => SourceOffset;
  readonly run: (opened: SnapshotRun["opened"], offsets: SnapshotRun["offsets"]) => SnapshotRun;
  readonly unsettled: UnsettledSignals;
  readonly backfills: Backfills;
  readonly stopping: () => boolean;
  readonly fail: (error: unknown) => void;
}

export class SignalDesk {
  readonly #s: DeskSettings;
  readonly #signalTable: string | null;
  /** Signals may ask for incremental snapshots. Backfills by REST may in any case. */
  readonly #bySignal: boolean;
  readonly #windows: LogWindows | null;
  readonly #incremental: IncrementalSnapshot<TablePlan>;
  readonly #handler: SignalHandler;
  #session: Reading | null = null;

  constructor(settings: DeskSettings) {
    this.#s = settings;
    const { info } = settings;
    const all = settings.settings.all;
    const readOnly = all.bool("read.only") && info.gtidMode;
    this.#signalTable = signalChannels(all).includes("source") ? all.optional("signal.data.collection") || null : null;
    this.#bySignal = readOnly || this.#signalTable !== null;
    this.#windows =
      readOnly || this.#signalTable === null
        ? new LogWindows({
            flavor: settings.settings.flavor,
            info,
            sql: settings.sql,
            reader: settings.reader,
            events: settings.events,
            opened: (id) => this.#incremental.opened(id),
            closed: (id) => this.#incremental.closed(id),
          })
        : null;
    this.#incremental = this.#makeIncremental();
    if (this.#bySignal || settings.backfills.owns(settings.offset)) this.#incremental.restore(settings.offset);
    this.#handler = signalHandler({
      deletes: all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete",
      incremental: this.#bySignal ? this.#incremental : null,
      unasked: this.#incremental,
      tables: () => Promise.resolve(this.captured()),
      log: settings.log,
      position: () => JSON.stringify(settings.reader()?.offset ?? settings.at()),
      blocking: (from, tables, conditions) =>
        this.#blocking(from, tables, conditions, () => false).catch((error: unknown) => settings.fail(error)),
    });
  }
  /** For the stream: rows are looked at only while somebody wants to know. */
  get stream(): StreamSignals | null {
    return this.#bySignal || this.#incremental.active ? this.#handler.stream : null;
  }
  /** Ids of the captured tables. */
  captured(): readonly string[] {
    const ids: string[] = [];
    for (const { id } of this.#s.schema.schema.tables.values())
      if (this.#s.plans.captures(id.catalog ?? "", id.table)) ids.push(`${id.catalog ?? ""}.${id.table}`);
    return ids;
  }
  #makeIncremental(): IncrementalSnapshot<TablePlan> {
    const { settings, plans, schema, events, notifier, log } = this.#s;
    const all = settings.all;
    const windows = this.#windows;
    const deletes = all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
    return new IncrementalSnapshot<TablePlan>({
      signalTable: this.#signalTable,
      chunkSize: all.int("incremental.snapshot.chunk.size"),
      deletes,
      looksFirst: all.bool("incremental.snapshot.allow.schema.changes"),
      database: new MysqlChunks({
        watermarks: windows ?? this.#signalTable ?? "",
        deletes,
        plans,
        schema,
        sql: this.#s.sql,
        openSession: async () => {
          const connection = await textConnection(this.#s.server);
          await connection.query("SET time_zone = '+00:00'");
          return new TextSession(connection);
        },
      }),
      notifier,
      emit: (plan, row) => {
        const reader = this.#s.reader();
        if (reader === null) return;
        const offset = windows?.offset ?? reader.offset;
        events.upsert(plan, "r", row.key, null, row.row, reader.incrementalSource(plan), null, offset, row.bytes);
      },
      warn: (message) => log.warn(message),
    });
  }
  /** Streaming is open. */
  opened(): void {
    const { backfills, offset, reader: stream, stopping, fail } = this.#s;
    backfills.attach({
      restored: String(offset["incremental_snapshot_correlation_id"] ?? "") || null,
      incremental: this.refusal === null ? this.#incremental : null,
      blocking: (tables, aborted) =>
        this.#handler.inTurn(() =>
          blockingBackfill({ stream, stopping, endsStream: isTransient, fail }, tables, (names, conditions) =>
            this.#blocking("channel", names, conditions, aborted),
          ),
        ),
    });
    this.#incremental.next();
  }
  /** Why there are no incremental backfills; null: there are. */
  get refusal(): string | null {
    if (this.#s.info.gtidMode || this.#signalTable !== null) return null;
    return "Without GTIDs (gtid_mode) reading tables beside the stream needs a table for signals (signal.data.collection)";
  }
  /** Of a channel: done when a restart finds what it changed in the offset. */
  served(signal: Signal): Promise<void> {
    return this.#s.unsettled.served(signal, {
      handler: this.#handler,
      incremental: this.#incremental,
      settles: () => laterThan(this.#s.reader()?.offset ?? {}, historyOrder(this.#s.settings.flavor)),
    });
  }
  resume(): void {
    this.#session?.resume();
  }
  async close(): Promise<void> {
    this.#s.backfills.detach();
    this.#windows?.close();
    await Promise.allSettled([this.#incremental.close(), this.#session?.close()]);
  }
  /** `aborted` is asked between tables. Rejects where it could not be read. */
  async #blocking(
    from: SignalOrigin,
    tables: readonly string[],
    conditions: ReadonlyMap<string, string>,
    aborted: () => boolean,
  ): Promise<void> {
    const reader = this.#s.reader();
    if (reader === null) return;
    await reader.stopWhile(async () => {
      const { settings, server, info, log } = this.#s;
      const chosen = tables.map((id) => ({ database: id.split(".")[0] ?? "", table: id.split(".").slice(1).join(".") }));
      const opened = await openSnapshot({ settings, server, info, log, sessions: 1, only: chosen, holding: () => {} });
      try {
        const offsets = {
          during: from === "table" ? reader.heldOffset : reader.offset,
          last: reader.offset,
          position: reader.eventPosition,
        };
        const source = new SourceInfo(settings.flavor, settings.naming.prefix);
        source.file(opened.at.file);
        const plain = this.#s.run(opened, offsets);
        const run: SnapshotRun = {
          ...plain,
          schema: this.#s.schema.scratch(),
          conditions,
          aborted: () => plain.aborted() || aborted(),
        };
        this.#s.notifier.send("Initial Snapshot", "STARTED");
        const historyPosition = snapshotOffset(opened.at, Math.floor(Date.now() / 1000), "INITIAL");
        await snapshotSchema({ ...run, source }, { historyPosition, announced: true, last: false });
        await snapshotData(run, opened.tables, (reading) => {
          this.#session = reading;
        }).catch((error: unknown) => {
          // Given up is no failure.
          if (!aborted()) throw error;
        });
        this.#s.notifier.send("Initial Snapshot", aborted() ? "ABORTED" : "COMPLETED");
      } finally {
        await opened.close();
      }
    });
  }
}
