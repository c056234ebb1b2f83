/** The source task: takes the snapshot if there has to be one, then streams. */
import type { Connection } from "mysql2/promise";
import type { Backfill, BackfillCommand } from "#connect/api/backfill";
import type { SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import type { Backfills } from "../cdc/backfills.ts";
import { EventWriter } from "../cdc/event-writer.ts";
import { emitHeartbeat, startHeartbeats } from "../cdc/heartbeat.ts";
import { Notifier } from "../cdc/notifications.ts";
import { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { waited } from "../cdc/retries.ts";
import { openSchemaHistory } from "../cdc/schema-history/open.ts";
import type { SchemaHistory } from "../cdc/schema-history/history.ts";
import type { Signal } from "../cdc/signals.ts";
import { memoryStore } from "../cdc/schema-history/stores.ts";
import type { ReportedTask } from "../cdc/streaming-metrics.ts";
import { TaskFrame, type TaskLife } from "../cdc/task-frame.ts";
import { emitters, livingConnection, nowMicros } from "../cdc/task-parts.ts";
import { UnsettledSignals } from "../cdc/unsettled-signals.ts";
import { type StartDecision, startDecision, streamsAfterSnapshot } from "../cdc/start-decision.ts";
import { mysqlBackfills } from "./backfill.ts";
import { checkFlavor, listDatabases, listTables, readCharsetTables, readServer, type Server } from "./catalog.ts";
import { checkGuardrail } from "../cdc/declared-config.ts";
import { connect } from "./connection.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { beginsSnapshot } from "./ddl/replay.ts";
import { startFailure, wrapped } from "./failures.ts";
import { CapturedTables, report } from "./metrics.ts";
import { TablePlans } from "./plans.ts";
import { historyOrder, readOffset, snapshotOffset, type StoredPosition } from "./position.ts";
import { BinlogStream } from "./replication.ts";
import { SchemaTracker } from "./schema-tracker.ts";
import { type MysqlServer, serverOf } from "./server-settings.ts";
import { SignalDesk } from "./signal-desk.ts";
import { openSnapshot } from "./snapshot-open.ts";
import { type Begun, begunSnapshot } from "./snapshot-resume.ts";
import { isWithoutRows, type Reading, type SnapshotRun, snapshotData, snapshotSchema } from "./snapshot-run.ts";
import { SourceInfo } from "./source-info.ts";
import { logLost, missingLog, streamStart } from "./start.ts";
import { StreamReader } from "./stream.ts";
import { type TaskSettings, taskSettings } from "./task-settings.ts";

const UNPACKED_MAX_BYTES = 1024 * 1024 * 1024;
const HEARTBEAT_MS_MAX = 60_000;

class MysqlTask implements SourceTask, TaskLife {
  readonly failures = { startFailure, wrapped };
  readonly #context: SourceTaskContext;
  readonly #s: TaskSettings;
  readonly #frame: TaskFrame;
  readonly #server: MysqlServer;
  readonly #partition: SourcePartition;
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #notifier: Notifier;
  #sql: Connection | null = null;
  #stream: BinlogStream | null = null;
  #session: Reading | null = null;
  #history: SchemaHistory | null = null;
  #schema: SchemaTracker | null = null;
  #plans: TablePlans | null = null;
  #reader: StreamReader | null = null;
  #desk: SignalDesk | null = null;
  /** Where to go on after a broken connection; null: as the offset store says. */
  #resumeAt: SourceOffset | null = null;
  #snapshotTaken = false;
  /** For metrics. */
  #disconnects = 0;
  #gtids = false;
  readonly #captured = new CapturedTables();
  readonly #unsettled = new UnsettledSignals();
  readonly #backfills: Backfills;
  /** Of the whole life of the task, so that a memory history outlives a broken connection. */
  readonly #memory = memoryStore();
  /** The position that notifications carry. */
  #at: SourceOffset = {};

  constructor(flavor: Flavor, config: TaskConfig, context: SourceTaskContext) {
    this.#context = context;
    this.#s = taskSettings(flavor, config, context.taskId, Date.now(), (m) => context.log.warn(m));
    this.#server = serverOf(this.#s.all);
    this.#partition = { server: this.#s.naming.prefix };
    this.#frame = new TaskFrame(this.#s, context, this);
    this.#source = new SourceInfo(flavor, this.#s.naming.prefix);
    const offset = (): SourceOffset => this.#reader?.offset ?? this.#at;
    const { events, notifier } = emitters(this.#s, this.#frame.queue, { partition: this.#partition, log: context.log, offset });
    this.#events = events;
    this.#notifier = notifier;
    this.#backfills = mysqlBackfills(this.#s, this.#server, this.#partition, context, {
      desk: () => this.#desk,
      key: (database, table) => {
        const known = this.#schema?.table(database, table);
        return known === undefined ? null : (this.#plans?.keyOf(known) ?? null);
      },
    });
    this.#backfills.follow(notifier);
  }
  start(): Promise<void> {
    return this.#frame.start();
  }
  poll(): Promise<readonly SourceRecord[]> {
    return this.#frame.poll();
  }
  durable(offsets: readonly { readonly offset: SourceOffset }[]): Promise<void> {
    for (const { offset } of offsets) {
      this.#unsettled.durable(offset);
      this.#backfills.durable(offset);
    }
    return Promise.resolve();
  }
  backfill(command: BackfillCommand): Promise<readonly Backfill[]> {
    return this.#backfills.command(command);
  }
  stop(): Promise<void> {
    this.#unsettled.close();
    return this.#frame.stop();
  }

  goOn(): void {
    this.#session?.resume();
    this.#desk?.resume();
    if (this.#reader?.drain() === true) this.#stream?.resume();
  }
  async close(): Promise<void> {
    const { stream, session, sql, history, desk } = {
      stream: this.#stream,
      session: this.#session,
      sql: this.#sql,
      history: this.#history,
      desk: this.#desk,
    };
    this.#stream = null;
    this.#session = null;
    this.#sql = null;
    this.#history = null;
    this.#desk = null;
    sql?.destroy();
    await Promise.allSettled([stream?.close(), session?.close(), desk?.close(), history?.close()]);
  }
  interrupted(): void {
    this.#notifier.figures.interrupted();
    if (this.#reader !== null) {
      this.#resumeAt = this.#reader.refresh();
      this.#disconnects++;
    }
    this.#reader = null;
  }
  report(task: ReportedTask): void {
    const schema = this.#schema,
      plans = this.#plans;
    report(task, {
      flavor: this.#s.flavor,
      reader: this.#stream === null ? null : this.#reader,
      disconnects: this.#disconnects,
      gtids: this.#gtids,
      snapshot: this.#notifier.figures,
      history: this.#history?.figures ?? null,
      tables: schema === null || plans === null ? [] : this.#captured.of(schema, plans),
    });
  }
  async prepare(): Promise<void> {
    const s = this.#s;
    const history = openSchemaHistory(s.all, this.#context, {
      source: this.#partition,
      atOrBefore: historyOrder(s.flavor),
      catalogFirst: true,
      begins: beginsSnapshot,
      memory: this.#memory,
    });
    this.#history = history;
    const sql = await connect(this.#server);
    this.#sql = sql;
    const info = await readServer(sql);
    checkFlavor(s.flavor, info);
    await this.#checkGuardrail(sql);
    this.#gtids = info.gtidMode;
    this.#plans = new TablePlans(s.planSettings(await readCharsetTables(sql)));
    const schema = new SchemaTracker({
      settings: s,
      partition: this.#partition,
      info,
      history,
      log: this.#context.log,
      sql: () => this.#connection(),
    });
    this.#schema = schema;
    await this.#backfills.load();
    const offset = this.#resumeAt ?? (await this.#context.offsets.offsets([this.#partition]))[0] ?? null;
    const stored = readOffset(offset);
    const checked = stored?.complete === true && s.all.bool("internal.log.position.check.enable");
    const missing = checked ? await missingLog(sql, info, stored, s.gtidSource) : null;
    const decision = await startDecision({
      settings: s.all,
      mode: s.snapshotMode,
      stored,
      history,
      missing,
      lost: logLost(stored, offset),
      taken: this.#snapshotTaken || this.#resumeAt !== null,
    });
    if (!(await history.storageExists())) await history.initialize();
    this.#frame.running = true;
    void this.#run(info, decision, stored, offset).catch((error: unknown) => this.#frame.failed(error));
  }
  /** Counted are the tables whose definitions the history keeps. */
  async #checkGuardrail(sql: Connection): Promise<void> {
    const s = this.#s;
    if (s.all.int("guardrail.collections.max") === 0) return;
    const kept = (await listTables(sql, await listDatabases(sql))).filter((t) => s.keepsDdl(t.database, t.table));
    checkGuardrail(s.all, kept.length, (m) => this.#context.log.warn(m), !s.onlyTables);
  }
  /** Snapshot, then stream. */
  async #run(info: Server, decision: StartDecision, stored: StoredPosition | null, offset: SourceOffset | null): Promise<void> {
    const schema = this.#schema;
    if (schema === null) return;
    let from = stored,
      at = offset;
    if (decision.schema || decision.data) {
      const taken = await this.#snapshot(info, decision, schema, offset);
      this.#snapshotTaken = true;
      if (!decision.keepsPosition) {
        at = taken;
        from = readOffset(taken);
      }
    } else {
      if (offset !== null) await schema.recover(offset);
      if (this.#resumeAt === null) this.#notifier.send("Initial Snapshot", "SKIPPED");
    }
    if (this.#frame.stopping || !this.#frame.running) return;
    if (!streamsAfterSnapshot(this.#s.all, this.#s.snapshotMode)) {
      this.#context.log.info("the snapshot is complete; snapshot.mode asks for nothing more");
      return;
    }
    await this.#pause("streaming.delay.ms");
    if (!this.#frame.stopping) await this.#streamFrom(info, from, at ?? {});
  }
  /** Waits as a setting asks, but not longer than until the task is stopped. */
  async #pause(setting: string): Promise<void> {
    if (this.#resumeAt !== null) return;
    await waited(this.#s.all.int(setting), () => this.#frame.stopping);
  }
  /** Resolves with the offset with which streaming goes on. */
  async #snapshot(info: Server, decision: StartDecision, schema: SchemaTracker, stored: SourceOffset | null): Promise<SourceOffset> {
    const s = this.#s;
    await this.#pause("snapshot.delay.ms");
    const sessions = decision.data ? s.all.int("snapshot.max.threads") : 0;
    const { figures } = this.#notifier;
    const holding = (held: boolean): void => void (figures.holdingGlobalLock = held);
    const opened = await openSnapshot({ settings: s, server: this.#server, info, log: this.#context.log, sessions, holding });
    try {
      if (opened.tables.length === 0 && !s.all.isGiven("snapshot.include.collection.list"))
        this.#context.log.warn("no table is captured: check the include and exclude lists, and the user's right SELECT");
      const keeps = decision.keepsPosition ? stored : null;
      const began = decision.data ? await this.#begun(stored, info, schema, opened) : null;
      const at = began ?? { ...opened.at, tsSec: Math.floor(nowMicros() / 1_000_000) };
      const during = keeps ?? snapshotOffset(at, at.tsSec, "INITIAL");
      const last = keeps ?? snapshotOffset(at, at.tsSec, null);
      this.#at = during;
      this.#source.file(at.file);
      const progress = began?.progress ?? (decision.data ? new SnapshotProgress() : null);
      // The rows are read by the definitions of now, the stream goes on with those of its position.
      const run = this.#runOf(began === null ? schema : schema.scratch(), opened, { during, last, position: at.position }, progress);
      this.#notifier.send("Initial Snapshot", "STARTED");
      const recorded = keeps === null ? during : recoveredPosition(keeps);
      // Nothing tells whether an earlier try's arrived before there was progress.
      const announced = this.#s.includeSchemaChanges && (began === null || began.progress.empty);
      let records = await snapshotSchema(run, {
        historyPosition: began === null ? recorded : null,
        announced,
        last: announced && (!decision.data || (await isWithoutRows(run))),
      });
      if (decision.data) {
        // Whatever happens to the first row: a later try has to stream from here.
        if (began === null) await this.#context.offsets.save?.(this.#partition, during);
        records += await snapshotData(run, opened.tables, (reading) => {
          this.#session = reading;
        });
      }
      this.#at = last;
      // Without a record that carries it, nobody else would store the position.
      if (records === 0) await this.#context.offsets.save?.(this.#partition, last);
      this.#notifier.send("Initial Snapshot", "COMPLETED");
      return last;
    } finally {
      await opened.close();
    }
  }
  /** The snapshot that an earlier run began, or null. */
  async #begun(stored: SourceOffset | null, info: Server, schema: SchemaTracker, opened: SnapshotRun["opened"]): Promise<Begun | null> {
    const history = this.#history;
    if (history === null) return null;
    const warn = (message: string): void => this.#context.log.warn(message);
    return begunSnapshot(stored, { settings: this.#s, info, opened, history, schema, warn });
  }
  #runOf(
    schema: SchemaTracker,
    opened: SnapshotRun["opened"],
    offsets: SnapshotRun["offsets"],
    progress: SnapshotProgress | null,
  ): SnapshotRun {
    if (this.#plans === null) throw new Error("a snapshot before its plans");
    return {
      settings: this.#s,
      partition: this.#partition,
      opened,
      schema,
      plans: this.#plans,
      events: this.#events,
      source: this.#source,
      notifier: this.#notifier,
      offsets,
      conditions: new Map(),
      progress,
      position: (offset) => {
        if (progress !== null) this.#at = offset;
      },
      aborted: () => this.#frame.stopping,
      nowMicros,
    };
  }
  async #streamFrom(info: Server, from: StoredPosition | null, offset: SourceOffset): Promise<void> {
    const { all: settings } = this.#s;
    const sql = await this.#connection();
    const start = await streamStart(sql, info, from, this.#s.gtidSource);
    const schema = this.#schema,
      plans = this.#plans;
    if (schema === null || plans === null) return;
    const desk = this.#makeDesk(info, schema, plans, offset);
    this.#desk = desk;
    const first = start.by === "position" ? start : { file: from?.file ?? "", position: from?.position ?? 4 };
    const reader: StreamReader = new StreamReader(
      {
        settings: this.#s,
        partition: this.#partition,
        gtids: info.gtidMode,
        schema,
        plans,
        get signals() {
          return desk.stream;
        },
        resume: () => {
          if (reader.drain()) this.#stream?.resume();
        },
        fail: (error) => this.#frame.failed(error),
        warn: (message) => this.#context.log.warn(message),
      },
      this.#events,
      this.#source,
      { file: first.file, position: first.position, gtids: from?.gtids ?? null, event: from?.event ?? 0, row: from?.row ?? 0 },
      offset,
    );
    this.#reader = reader;
    const options = {
      start,
      serverId: settings.int("database.server.id"),
      heartbeatMs: Math.min(HEARTBEAT_MS_MAX, settings.int("connect.keep.alive.interval.ms")),
      verifyChecksum: true,
      unpackedMaxBytes: UNPACKED_MAX_BYTES,
      annotated: this.#s.includeQuery,
    };
    const stream = await BinlogStream.open(this.#server, options, reader, (error) => this.#frame.failed(error));
    if (this.#frame.stopping || !this.#frame.running) return stream.close();
    this.#stream = stream;
    stream.resume();
    desk.opened();
    this.#frame.channels.attach((signal: Signal) => desk.served(signal));
    startHeartbeats(this.#s, this.#frame.timers, {
      beat: () => this.#beat(),
      execute: async (statement) => (await this.#connection()).query(statement),
      warn: (message) => this.#context.log.warn(message),
    });
  }
  #makeDesk(info: Server, schema: SchemaTracker, plans: TablePlans, offset: SourceOffset): SignalDesk {
    return new SignalDesk({
      settings: this.#s,
      server: this.#server,
      info,
      schema,
      plans,
      events: this.#events,
      source: this.#source,
      notifier: this.#notifier,
      log: this.#context.log,
      offset,
      sql: () => this.#connection(),
      reader: () => this.#reader,
      at: () => this.#at,
      run: (opened, offsets) => this.#runOf(schema, opened, offsets, null),
      unsettled: this.#unsettled,
      backfills: this.#backfills,
      stopping: () => this.#frame.stopping,
      fail: (error) => this.#frame.failed(error),
    });
  }
  #beat(): boolean {
    const reader = this.#reader;
    if (reader === null || this.#frame.stopping) return false;
    emitHeartbeat(this.#events, this.#s.naming, this.#partition, reader.restartOffset);
    return true;
  }
  /** The SQL connection; a new one if it was lost while the stream went on. */
  async #connection(): Promise<Connection> {
    return livingConnection(this.#sql, {
      ping: (sql) => sql.query("SELECT 1"),
      end: (sql) => sql.destroy(),
      open: async () => (this.#sql = await connect(this.#server)),
    });
  }
}

/** Of the definitions that a lost history is rebuilt from: the stored position, as a snapshot's. */
function recoveredPosition(stored: SourceOffset): SourceOffset {
  const { server_id: _, ...rest } = stored;
  return { ...rest, snapshot: "INITIAL" };
}
export const mysqlTask = (flavor: Flavor, config: TaskConfig, context: SourceTaskContext): SourceTask =>
  new MysqlTask(flavor, config, context);
