/** The source task: prepares slot and publication, takes the snapshot if there has to be one, then streams. */
import type { Client } from "pg";
import type { Backfill, BackfillCommand } from "#connect/api/backfill";
import type { SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import type { Backfills } from "../cdc/backfills.ts";
import { selectOverrides } from "../cdc/declared-config.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { emitHeartbeat, startHeartbeats } from "../cdc/heartbeat.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { waited } from "../cdc/retries.ts";
import type { Signal } from "../cdc/signals.ts";
import { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { snapshotWanted, streamsAfterSnapshot } from "../cdc/start-decision.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { ReportedTask } from "../cdc/streaming-metrics.ts";
import { TaskFrame, type TaskLife } from "../cdc/task-frame.ts";
import { emitters, nowMicros } from "../cdc/task-parts.ts";
import { UnsettledSignals } from "../cdc/unsettled-signals.ts";
import { postgresBackfills } from "./backfill.ts";
import { nextTransaction, readTable, serverVersion } from "./catalog.ts";
import { connect, living } from "./connection.ts";
import { ddlRecords } from "./ddl-record.ts";
import { startFailure, wrapped } from "./failures.ts";
import { capturedTables } from "./incremental.ts";
import { report } from "./metrics.ts";
import type { Relation } from "./pgoutput/decode.ts";
import { TablePlans } from "./plans.ts";
import {
  durablePosition,
  FlushTracker,
  FROM_SLOT,
  progressOffset,
  readOffset,
  snapshotOffset,
  streamingOffset,
  type StoredPosition,
  type StreamPosition,
} from "./position.ts";
import { prepareTables } from "./prepare-tables.ts";
import type { RawSession } from "./raw-session.ts";
import { openSession, sendStatus, startStreaming } from "./replication.ts";
import { SignalDesk } from "./signal-desk.ts";
import { createSlot, dropSlot, quoteIdentifier, readSlot, type SlotInfo } from "./slot.ts";
import { watchSlot } from "./slot-guard.ts";
import { type OpenSnapshot, openSnapshot } from "./snapshot-open.ts";
import { snapshotData } from "./snapshot-run.ts";
import { SourceInfo } from "./source-info.ts";
import { checkContinuity, type Cluster, clusterOf, positionNow, slotLost, slotUsable } from "./start.ts";
import { StreamReader } from "./stream.ts";
import { SpillFull, spillFiles, StreamedTransactions } from "./streamed-transactions.ts";
import { type TaskSettings, taskSettings } from "./task-settings.ts";
import { TypeRegistry } from "./type-registry.ts";

/** What the offset store says. */
interface Stored {
  readonly offset: SourceOffset | null;
  readonly stored: StoredPosition | null;
}

class PostgresTask implements SourceTask, TaskLife {
  readonly failures = { startFailure, wrapped };
  readonly #context: SourceTaskContext;
  readonly #s: TaskSettings;
  readonly #partition: SourcePartition;
  readonly #frame: TaskFrame;
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #types = new TypeRegistry();
  readonly #plans: TablePlans;
  #client: Client | null = null;
  #session: RawSession | null = null;
  #snapshot: OpenSnapshot | null = null;
  #reader: StreamReader | null = null;
  #flush: FlushTracker | null = null;
  /** Where to go on after a broken connection; null: as the offset store says. */
  #resumeAt: { readonly from: StreamPosition; readonly offset: SourceOffset; readonly startLsn: number } | null = null;
  /** 150004 is 15.4. */
  #version = 0;
  #spillFull = false;
  #progressDue = false;
  /** Where the connection of before led to. */
  #cluster: Cluster | null = null;
  #snapshotTaken = false;
  #snapshotBegan = false;
  /** The position that notifications carry. */
  #at: SourceOffset;
  readonly #notifier: Notifier;
  /** Ids of the captured tables, for metrics. */
  #captured: readonly string[] = [];
  #desk: SignalDesk | null = null;
  readonly #unsettled = new UnsettledSignals();
  readonly #backfills: Backfills;

  constructor(config: TaskConfig, context: SourceTaskContext) {
    this.#context = context;
    this.#s = taskSettings(config, context.taskId, Date.now(), (m) => context.log.warn(m));
    this.#frame = new TaskFrame(this.#s, context, this);
    this.#partition = { server: this.#s.naming.prefix };
    this.#source = new SourceInfo(this.#s.naming.prefix, this.#s.server.database);
    this.#plans = new TablePlans(this.#s.plans, this.#types);
    this.#at = snapshotOffset("INITIAL", 0, 0, Math.floor(nowMicros()), false);
    this.#backfills = postgresBackfills(this.#s, this.#plans, this.#partition, context);
    const offset = (): SourceOffset => this.#offset();
    const { events, notifier } = emitters(this.#s, this.#frame.queue, { partition: this.#partition, log: context.log, offset });
    this.#events = events;
    this.#notifier = notifier;
    this.#backfills.follow(notifier);
  }
  start(): Promise<void> {
    return this.#frame.start();
  }
  poll(): Promise<readonly SourceRecord[]> {
    return this.#frame.poll();
  }
  due(): Promise<void> | null {
    return this.#progressDue ? this.#progress() : null;
  }
  /**
   * While there is nothing to capture, the stored offset is moved on, and then the slot: no heartbeat table is needed. In poll, so
   * that no later offset can be on its way to the store.
   */
  async #progress(): Promise<void> {
    this.#progressDue = false;
    const { offsets } = this.#context,
      reader = this.#reader,
      flush = this.#flush;
    if (reader === null || flush === null || reader.inTransaction || !this.#frame.queue.empty) return;
    if (this.#desk?.busy === true || this.#snapshot !== null) return;
    const lsn = flush.progressFrom(reader.position);
    if (lsn === null) return;
    const offset = progressOffset(reader.offset, lsn);
    reader.progressed(offset, lsn);
    await offsets.save?.(this.#partition, offset);
    flush.progressed(reader.position);
    this.#sendStatus();
  }
  durable(offsets: readonly { readonly partition: SourcePartition; readonly offset: SourceOffset }[]): Promise<void> {
    for (const { offset } of offsets) {
      const stored = readOffset(offset);
      if (stored === null || this.#flush === null) continue;
      const before = this.#flush.confirmed;
      if (stored.kind === "stream") this.#flush.durable(stored.at);
      else if (stored.at.completed) this.#flush.durable({ ...FROM_SLOT, lsn: stored.at.lsn });
      if (this.#flush.confirmed !== before) this.#sendStatus();
      this.#unsettled.durable(offset);
      this.#backfills.durable(offset);
      this.#desk?.durable(offset);
    }
    return Promise.resolve();
  }
  backfill(command: BackfillCommand): Promise<readonly Backfill[]> {
    return this.#backfills.command(command);
  }
  async stop(): Promise<void> {
    this.#sendStatus();
    this.#reader?.close();
    this.#unsettled.close();
    await this.#frame.stop();
    if (!this.#s.all.bool("slot.drop.on.stop")) return;
    const client = await connect(this.#s.server);
    try {
      await dropSlot(client, this.#s.all.string("slot.name"));
    } finally {
      await client.end();
    }
  }

  goOn(): void {
    this.#snapshot?.resume();
    this.#desk?.resume();
    if (this.#session !== null) this.#reader?.goOn();
  }
  async close(): Promise<void> {
    this.#backfills.detach();
    const snapshot = this.#snapshot,
      session = this.#session,
      client = this.#client;
    this.#snapshot = null;
    this.#session = null;
    this.#client = null;
    await Promise.allSettled([snapshot?.close(), session?.close(), client?.end(), this.#desk?.close()]);
  }
  report(task: ReportedTask): void {
    report(task, this.#frame.running ? this.#reader : null, this.#notifier.figures, this.#captured);
  }
  interrupted(error: unknown): void {
    this.#notifier.figures.interrupted();
    if (error instanceof SpillFull) this.#spillFull = true;
    const reader = this.#reader;
    if (reader !== null && this.#flush !== null)
      this.#resumeAt = { from: reader.position, offset: reader.offset, startLsn: reader.position.commitLsn ?? this.#flush.flushed };
    this.#reader = null;
    reader?.close();
  }
  async prepare(): Promise<void> {
    const s = this.#s,
      slotName = s.all.string("slot.name");
    const warn = (message: string): void => this.#context.log.warn(message);
    const client = await connect(s.server);
    this.#client = client;
    await this.#types.load(client);
    this.#version = await serverVersion(client);
    const { offset, stored } = await this.#storedPosition();
    await this.#backfills.load();
    const found = await readSlot(client, slotName);
    const now = found === null || found.walStatus === "lost" ? await positionNow(client) : 0;
    const slot = await slotUsable(client, s, found, { stored: this.#resumeAt === null ? stored : null, now, warn });
    const complete = stored !== null && (stored.kind === "stream" || stored.at.completed);
    const start = { mode: s.snapshotMode, complete, available: slot !== null, taken: this.#snapshotTaken };
    const wanted = this.#resumeAt === null && snapshotWanted(s.all, start);
    const streams = streamsAfterSnapshot(s.all, s.snapshotMode);
    if (slot === null && !wanted && stored !== null && streams) throw slotLost(s, stored, offset, now);
    await prepareTables(s, client, this.#version, (m) => this.#context.log.warn(m));
    const session = await openSession(s.server, true, (error) => this.#frame.failed(error));
    this.#session = session;
    const cluster = await clusterOf(session);
    const unfinished = slot !== null && stored?.kind === "snapshot" && !stored.at.completed;
    if (this.#cluster !== null || (streams && (!wanted || unfinished)))
      await checkContinuity(session, { s, stored, read: this.#resumeAt?.startLsn ?? 0, slot, cluster, before: this.#cluster, warn });
    this.#cluster = cluster;
    const createdLsn = wanted
      ? await this.#openSnapshot(client, session, slot, { offset, stored })
      : slot === null && streams
        ? (await createSlot(session, slotName, { exported: false, failover: s.all.bool("slot.failover") })).consistentLsn
        : null;
    this.#frame.running = true;
    const confirmed = slot?.confirmedFlushLsn ?? createdLsn ?? 0;
    this.#flush ??= new FlushTracker(confirmed, this.#context.offsets.save !== undefined, durablePosition(stored));
    void this.#run(stored, offset, createdLsn, streams).catch((error: unknown) => this.#frame.failed(error));
  }
  /** Resolves with the position from which changes are streamed afterwards. */
  async #openSnapshot(client: Client, session: RawSession, slot: SlotInfo | null, { offset, stored }: Stored): Promise<number> {
    const s = this.#s,
      slotName = s.all.string("slot.name");
    const streams = streamsAfterSnapshot(s.all, s.snapshotMode);
    const temporary = slot !== null || !streams;
    const name = temporary ? `${slotName.slice(0, 40)}_snapshot_${process.pid}` : slotName;
    const created = await createSlot(session, name, { temporary, exported: true, failover: !temporary && s.all.bool("slot.failover") });
    // After an interrupted snapshot streaming goes on where the first one began: what was sent then and is gone by now
    // gets its delete event, and everything else comes to its last state.
    const begun = this.#snapshotBegan ? readOffset(this.#at) : stored;
    const interrupted = slot !== null && streams && begun?.kind === "snapshot" && !begun.at.completed;
    const from = interrupted ? Math.max(slot.confirmedFlushLsn ?? 0, begun.at.lsn) : created.consistentLsn;
    const progress = SnapshotProgress.of(interrupted ? (this.#snapshotBegan ? this.#at : offset) : null);
    this.#snapshotBegan = true;
    const point = { lsn: from, snapshot: created.snapshot, tables: null, overrides: selectOverrides(s.all), progress };
    this.#snapshot = await openSnapshot(s, client, point);
    if (temporary) await session.query(`DROP_REPLICATION_SLOT ${quoteIdentifier(name)}`);
    // Known after a crash even if no record's offset was stored by then: records of this snapshot may be in the topics. Also where the
    // slot was there before: of a try that was cut off between making it and this.
    if (streams)
      await this.#context.offsets.save?.(this.#partition, {
        ...snapshotOffset("INITIAL", from, 0, Math.floor(nowMicros()), false),
        ...progress.keys(),
      });
    return from;
  }
  async #storedPosition(): Promise<Stored> {
    if (this.#resumeAt !== null) return { offset: this.#resumeAt.offset, stored: { kind: "stream", at: this.#resumeAt.from } };
    const [offset = null] = await this.#context.offsets.offsets([this.#partition]);
    return { offset, stored: readOffset(offset) };
  }
  /** Snapshot, then stream. `createdLsn`: where a new slot or an exported snapshot begins. */
  async #run(stored: StoredPosition | null, offset: SourceOffset | null, createdLsn: number | null, streams: boolean): Promise<void> {
    let from = FROM_SLOT,
      startLsn = 0,
      at: SourceOffset =
        offset ?? snapshotOffset("INITIAL", createdLsn ?? 0, await nextTransaction(await this.#sql()), Math.floor(nowMicros()), true);
    if (this.#snapshot !== null && createdLsn !== null) {
      await waited(this.#s.all.int("snapshot.delay.ms"), () => this.#frame.stopping);
      const result = await this.#readSnapshot(this.#snapshot);
      await this.#snapshot.close();
      this.#snapshot = null;
      this.#snapshotTaken = true;
      at = result.offset;
      startLsn = createdLsn;
      if (result.rows > 0) this.#flush?.committed(createdLsn, 0, null, createdLsn);
    } else if (this.#resumeAt !== null) {
      from = this.#resumeAt.from;
      startLsn = this.#resumeAt.startLsn;
    } else if (stored !== null) {
      if (stored.kind === "stream") from = stored.at;
      startLsn = stored.kind === "stream" ? (stored.at.commitLsn ?? 0) : stored.at.lsn;
    }
    this.#at = at;
    if (this.#resumeAt === null && !this.#snapshotTaken) this.#notifier.send("Initial Snapshot", "SKIPPED");
    if (this.#frame.stopping || !this.#frame.running) return;
    if (!streams) {
      this.#context.log.info("the snapshot is complete; snapshot.mode asks for nothing more");
      return;
    }
    if (this.#resumeAt === null) await waited(this.#s.all.int("streaming.delay.ms"), () => this.#frame.stopping);
    if (!this.#frame.stopping) await this.#stream(from, streamingOffset(at), startLsn);
  }
  #readSnapshot(opened: OpenSnapshot): ReturnType<typeof snapshotData> {
    return snapshotData({
      settings: this.#s,
      opened,
      plans: this.#plans,
      events: this.#events,
      source: this.#source,
      notifier: this.#notifier,
      position: (offset) => void (this.#at = offset),
      aborted: () => this.#frame.stopping,
      nowMicros,
    });
  }
  async #stream(from: StreamPosition, offset: SourceOffset, startLsn: number): Promise<void> {
    const s = this.#s,
      session = this.#session,
      flush = this.#flush;
    if (session === null || flush === null) return;
    const desk = (this.#desk ??= this.#makeDesk());
    desk.restore(offset);
    // The id of a transaction in its metadata is made of its first change, which a transaction in progress does not tell.
    const streaming =
      s.all.bool("millrace.streaming") && this.#version >= 140000 && !this.#spillFull && !s.all.bool("provide.transaction.metadata");
    flush.streams();
    const reader = new StreamReader(
      {
        partition: this.#partition,
        transactionTopic: s.all.bool("provide.transaction.metadata") ? s.naming.transaction : null,
        ...s.stream,
        messageTopic: s.naming.message,
        ddl: ddlRecords(s, this.#partition),
        plan: (relation) => this.#planOf(relation),
        resume: () => session.resume(),
        fail: (error) => this.#frame.failed(error),
        statusRequested: () => this.#sendStatus(),
        get signals() {
          return desk.stream;
        },
        marks: desk.marks,
        streamed: streaming ? new StreamedTransactions(spillFiles(s.spillFolder), s.all.int("millrace.streaming.spill.max.bytes")) : null,
      },
      this.#events,
      this.#source,
      flush,
      from,
      offset,
    );
    this.#reader = reader;
    await startStreaming(
      session,
      {
        slot: s.all.string("slot.name"),
        publication: s.all.string("publication.name"),
        startLsn,
        messages: this.#version >= 140000 && (!s.stream.skipped.has("m") || s.all.bool("millrace.ddl.events")),
        streaming,
        parameters: (s.all.optional("slot.stream.params") ?? "")
          .split(";")
          .filter((p) => p.includes("="))
          .map((p) => [p.slice(0, p.indexOf("=")).trim(), p.slice(p.indexOf("=") + 1).trim()] as const),
        retries: s.all.int("slot.max.retries"),
        retryDelayMs: s.all.int("slot.retry.delay.ms"),
        aborted: () => this.#frame.stopping,
      },
      reader,
    );
    desk.opened();
    this.#frame.channels.attach((signal: Signal) => desk.served(signal));
    this.#keepTime(s);
  }
  /** What is done from time to time while it streams. */
  #keepTime(s: TaskSettings): void {
    const { timers } = this.#frame;
    this.#sendStatus();
    timers.every(s.all.int("status.update.interval.ms"), () => this.#sendStatus());
    timers.every(s.all.int("millrace.slot.progress.interval.ms"), () => {
      this.#progressDue = true;
    });
    // For metrics only: who lacks the right to list them streams all the same.
    void this.#sql().then(
      async (sql) => (this.#captured = await capturedTables(sql, this.#plans).catch(() => [])),
      () => {},
    );
    startHeartbeats(s, timers, {
      beat: () => this.#beat(),
      execute: async (statement) => (await this.#sql()).query(statement),
      warn: (message) => this.#context.log.warn(message),
    });
    const { metrics, log } = this.#context;
    const stop = (error: Error): void => this.#frame.failed(error);
    const guard = { sql: () => this.#sql(), metrics, log, monotonicMs: () => performance.now(), stop, source: this.#source };
    watchSlot(s, guard, (ms, act) => timers.every(ms, act));
  }
  #makeDesk(): SignalDesk {
    return new SignalDesk({
      settings: this.#s,
      plans: this.#plans,
      events: this.#events,
      source: this.#source,
      notifier: this.#notifier,
      log: this.#context.log,
      sql: () => this.#sql(),
      reader: () => this.#reader,
      offset: () => this.#offset(),
      askPosition: () => this.#sendStatus(true),
      backfills: this.#backfills,
      unsettled: this.#unsettled,
      stopping: () => this.#frame.stopping,
      nowMicros,
      fail: (error) => this.#frame.failed(error),
    });
  }
  #sendStatus(ask = false): void {
    const session = this.#session,
      reader = this.#reader,
      flush = this.#flush;
    if (session === null || reader === null || flush === null) return;
    sendStatus(session, reader.received, this.#s.flushes ? flush.confirmed : 0, nowMicros(), ask);
  }
  #beat(): boolean {
    const reader = this.#reader;
    if (reader === null || this.#frame.stopping) return false;
    emitHeartbeat(this.#events, this.#s.naming, this.#partition, reader.offset);
    return true;
  }
  /** What records carry now. */
  #offset(): SourceOffset {
    return this.#reader?.offset ?? this.#at;
  }
  /** The SQL connection; a new one if it was lost while the stream went on. */
  async #sql(): Promise<Client> {
    return (this.#client = await living(this.#client, this.#s.server));
  }
  async #planOf(relation: Relation): Promise<TablePlan | null> {
    if (!this.#plans.captures(relation.schema, relation.table)) return null;
    const client = await this.#sql();
    if (relation.columns.some((c) => this.#types.get(c.typeOid) === null)) await this.#types.load(client);
    const catalog = await readTable(client, relation.schema, relation.table);
    return this.#plans.plan(relation.schema, relation.table, relation.columns, catalog, false);
  }
}

export const postgresTask = (config: TaskConfig, context: SourceTaskContext): SourceTask => new PostgresTask(config, context);
