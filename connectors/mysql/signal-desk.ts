/** Signals of a task: incremental and blocking snapshots next to the stream. */
import type { Connection } from "mysql2/promise";
import type { Logger } from "#connect/api/connector";
import type { SourceOffset } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import { IncrementalSnapshot } from "../cdc/incremental-snapshot/snapshot.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { signalChannels } from "../cdc/signal-channels.ts";
import { type SignalHandler, signalHandler, type SignalOrigin } from "../cdc/signal-handler.ts";
import type { Signal } from "../cdc/signals.ts";
import { laterThan, type UnsettledSignals } from "../cdc/unsettled-signals.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { Server } from "./catalog.ts";
import { executedGtids, MysqlChunks, type ReadOnlyWindows } from "./incremental.ts";
import type { TablePlans } from "./plans.ts";
import { containsGtids, historyOrder, snapshotOffset } from "./position.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
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
  readonly fail: (error: unknown) => void;
}
const WATERMARK_POLL_MS = 50;

export class SignalDesk {
  readonly #s: DeskSettings;
  readonly #incremental: IncrementalSnapshot<TablePlan> | null;
  readonly handler: SignalHandler;
  #session: Reading | null = null;
  #closed = false;

  constructor(settings: DeskSettings) {
    this.#s = settings;
    this.#incremental = this.#makeIncremental();
    this.#incremental?.restore(settings.offset);
    const all = settings.settings.all;
    this.handler = signalHandler({
      deletes: all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete",
      incremental: this.#incremental,
      tables: () => Promise.resolve(this.#captured()),
      log: settings.log,
      position: () => JSON.stringify(settings.reader()?.offset ?? settings.at()),
      blocking: (from, tables, conditions) => this.#blocking(from, tables, conditions),
    });
  }
  /** Ids of the captured tables. */
  #captured(): readonly string[] {
    const ids: string[] = [];
    for (const { id } of this.#s.schema.schema.tables.values())
      if (this.#s.plans.captures(id.catalog ?? "", id.table)) ids.push(`${id.catalog ?? ""}.${id.table}`);
    return ids;
  }
  #makeIncremental(): IncrementalSnapshot<TablePlan> | null {
    const { settings, plans, schema, events, notifier, log } = this.#s;
    const all = settings.all;
    const readOnly = all.bool("read.only") && this.#s.info.gtidMode;
    const table = all.optional("signal.data.collection");
    const hasTable = table !== null && table !== "" && signalChannels(all).includes("source");
    if (!readOnly && !hasTable) return null;
    return new IncrementalSnapshot<TablePlan>({
      signalTable: hasTable ? table : null,
      chunkSize: all.int("incremental.snapshot.chunk.size"),
      deletes: all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete",
      database: new MysqlChunks({
        watermarks: readOnly || table === null ? this.#windows() : table,
        deletes: all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete",
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
        events.upsert(plan, "r", row.key, null, row.row, reader.incrementalSource(plan), null, reader.offset, row.bytes);
      },
      warn: (message) => log.warn(message),
    });
  }
  /** A window without a signal table: it closes when the stream has passed what the server had executed by then. */
  #windows(): ReadOnlyWindows {
    const { info, settings } = this.#s;
    return {
      opened: (id) => this.#incremental?.opened(id),
      closes: async (id) => {
        const target = await executedGtids(await this.#s.sql(), info.mariadb);
        const wait = (): void => {
          if (this.#closed) return;
          const reader = this.#s.reader();
          const passed = reader !== null && containsGtids(settings.flavor, reader.passed ?? "", target);
          if (passed) this.#incremental?.closed(id);
          else setTimeout(wait, WATERMARK_POLL_MS);
        };
        wait();
      },
    };
  }
  /** Streaming is open. */
  opened(): void {
    this.#incremental?.next();
  }
  /** Of a channel: done when a restart finds what it changed in the offset. */
  served(signal: Signal): Promise<void> {
    return this.#s.unsettled.served(signal, {
      handler: this.handler,
      incremental: this.#incremental,
      settles: () => laterThan(this.#s.reader()?.offset ?? {}, historyOrder(this.#s.settings.flavor)),
    });
  }
  resume(): void {
    this.#session?.resume();
  }
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#incremental?.close(), this.#session?.close()]);
  }
  async #blocking(from: SignalOrigin, tables: readonly string[], conditions: ReadonlyMap<string, string>): Promise<void> {
    const reader = this.#s.reader();
    if (reader === null) return;
    await reader
      .stopWhile(async () => {
        const { settings, server, info, log } = this.#s;
        const chosen = tables.map((id) => ({ database: id.split(".")[0] ?? "", table: id.split(".").slice(1).join(".") }));
        const opened = await openSnapshot({ settings, server, info, log, sessions: 1, only: chosen });
        try {
          const offsets = {
            during: from === "table" ? reader.heldOffset : reader.offset,
            last: reader.offset,
            position: reader.eventPosition,
          };
          const source = new SourceInfo(settings.flavor, settings.naming.prefix);
          source.file(opened.at.file);
          const run: SnapshotRun = { ...this.#s.run(opened, offsets), schema: this.#s.schema.scratch(), conditions };
          this.#s.notifier.send("Initial Snapshot", "STARTED");
          const historyPosition = snapshotOffset(opened.at, Math.floor(Date.now() / 1000), "INITIAL");
          await snapshotSchema({ ...run, source }, { historyPosition, announced: true, last: false });
          await snapshotData(run, chosen, (reading) => {
            this.#session = reading;
          });
          this.#s.notifier.send("Initial Snapshot", "COMPLETED");
        } finally {
          await opened.close();
        }
      })
      .catch((error: unknown) => this.#s.fail(error));
  }
}
