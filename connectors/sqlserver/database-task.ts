/** One database of a task: its snapshot, then its stream. */
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourceOffset } from "#connect/api/record";
import { emitHeartbeat } from "../cdc/heartbeat.ts";
import type { SchemaHistory } from "../cdc/schema-history/history.ts";
import { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { type StartDecision, startDecision, streamsAfterSnapshot } from "../cdc/start-decision.ts";
import { waited } from "../cdc/retries.ts";
import type { Backfills } from "../cdc/backfills.ts";
import type { UnsettledSignals } from "../cdc/unsettled-signals.ts";
import type { CaptureInstance } from "./change-tables/capture-instance.ts";
import { type Lsn, NO_LSN } from "./change-tables/lsn.ts";
import { checkGuardrail } from "../cdc/declared-config.ts";
import type { Session } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import { readOffset, snapshotOffset, streamOffset, type StoredPosition } from "./position.ts";
import type { SqlServer } from "./server-settings.ts";
import { SignalDesk } from "./signal-desk.ts";
import { openSnapshot } from "./snapshot-open.ts";
import { type SnapshotRun, snapshotData, snapshotSchema } from "./snapshot-run.ts";
import { changesLost, missingChanges } from "./start.ts";
import { DatabaseStream } from "./stream.ts";

export interface DatabaseTaskSettings {
  readonly context: DatabaseContext;
  readonly server: SqlServer;
  readonly history: SchemaHistory;
  readonly offsets: SourceTaskContext["offsets"];
  readonly session: () => Promise<Session>;
  /** Where to go on after a failure of this run; null: as the offset store says. */
  readonly resumeAt: SourceOffset | null;
  /** Of the database, whatever run it is in. */
  readonly unsettled: UnsettledSignals;
  readonly backfills: Backfills;
  readonly fail: (error: unknown) => void;
}
export class DatabaseTask {
  readonly #s: DatabaseTaskSettings;
  readonly context: DatabaseContext;
  #at: SourceOffset;
  #resume: (() => void) | null = null;
  #stopped = new Map<string, { readonly instance: CaptureInstance; readonly stopLsn: Lsn }>();
  stream: DatabaseStream | null = null;
  desk: SignalDesk | null = null;
  /** A snapshot was completed in this run. */
  snapshotTaken = false;

  constructor(settings: DatabaseTaskSettings) {
    this.#s = settings;
    this.context = settings.context;
    this.#at = settings.resumeAt ?? snapshotOffset(null, "INITIAL", false);
  }
  /** The position that notifications carry. */
  get offset(): SourceOffset {
    return this.stream?.emitter.safeOffset ?? this.#at;
  }
  resume(): void {
    this.#resume?.();
    this.desk?.resume();
  }
  /** For metrics. */
  get history(): SchemaHistory["figures"] {
    return this.#s.history.figures;
  }
  /** Snapshot if there has to be one; then there is a stream, unless the settings say otherwise. */
  async prepare(stored: SourceOffset | null): Promise<void> {
    const { context, history, resumeAt } = this.#s;
    const { settings } = context;
    await this.#s.backfills.load();
    const offset = resumeAt ?? stored;
    const position = readOffset(offset);
    const session = await this.#s.session();
    const missing = position?.complete === true ? await missingChanges(session, context.database, position, settings.captures) : null;
    if (!(await history.storageExists())) await history.initialize();
    const decision = await startDecision({
      settings: settings.all,
      mode: settings.snapshotMode,
      stored: position,
      history: resumeAt === null ? history : null,
      missing,
      lost: changesLost(position, offset),
      taken: resumeAt !== null,
    });
    let from = position,
      at = offset;
    if (decision.schema || decision.data) {
      const taken = await this.#snapshot(decision, offset, position);
      if (context.stopping()) return;
      this.snapshotTaken = true;
      if (!decision.keepsPosition) {
        at = taken;
        from = readOffset(taken);
      }
    } else {
      if (offset !== null) await context.tracker.recover(offset);
      if (resumeAt === null) context.notifier.send("Initial Snapshot", "SKIPPED");
    }
    if (!streamsAfterSnapshot(settings.all, settings.snapshotMode)) {
      context.log.info("the snapshot is complete; snapshot.mode asks for nothing more");
      return;
    }
    await this.#pause("streaming.delay.ms");
    if (!context.stopping()) this.#open(from, at ?? {});
  }
  async #pause(setting: string): Promise<void> {
    if (this.#s.resumeAt !== null) return;
    await waited(this.context.settings.all.int(setting), this.context.stopping);
  }
  /** Resolves with the offset with which streaming goes on. */
  async #snapshot(decision: StartDecision, offset: SourceOffset | null, position: StoredPosition | null): Promise<SourceOffset> {
    const { context, server } = this.#s;
    await this.#pause("snapshot.delay.ms");
    const opened = await openSnapshot(context.settings, server, context.database, null);
    try {
      checkGuardrail(context.settings.all, opened.tables.length, (m) => context.log.warn(m));
      const began = decision.data ? await this.#begun(offset, position) : null;
      const progress = decision.data ? SnapshotProgress.of(began === null ? null : offset) : null;
      // What was begun goes on from where it began, so that no change in between is missed.
      const lsn = began ?? opened.lsn;
      const kept = decision.keepsPosition ? offset : null;
      const during = kept ?? snapshotOffset(lsn, "INITIAL", false);
      const last = kept ?? snapshotOffset(lsn, "INITIAL", true);
      const change = kept === null ? null : (position?.change ?? null);
      const at = { commit: kept === null ? lsn : (position?.commit ?? null), change, serial: null };
      this.#at = during;
      const run: SnapshotRun = { context, opened, offsets: { during, last, at, progress }, conditions: new Map() };
      context.notifier.send("Initial Snapshot", "STARTED");
      const historyAt = kept === null ? during : { ...kept, snapshot: "INITIAL", snapshot_completed: false };
      let records = await snapshotSchema(run, historyAt, !decision.data);
      // Whatever happens to the first row: a later try has to stream from here.
      if (decision.data && kept === null && began === null && lsn !== null) await this.#s.offsets.save?.(context.partition, during);
      if (decision.data)
        records += await snapshotData(run, (resume) => {
          this.#resume = resume;
        });
      if (context.stopping()) return during;
      this.#at = kept ?? streamOffset({ commit: lsn, change: null, serial: 1 });
      // Without a record that carries it, nobody else would store the position.
      if (records === 0 && kept === null) await this.#s.offsets.save?.(context.partition, last);
      context.notifier.send("Initial Snapshot", "COMPLETED");
      return last;
    } finally {
      await opened.close();
    }
  }
  /** Where the snapshot began that an earlier try did not complete; null: there is none, or its changes are gone. */
  async #begun(offset: SourceOffset | null, position: StoredPosition | null): Promise<Lsn | null> {
    if (position === null || position.complete || position.commit === null || offset?.["snapshot"] !== "INITIAL") return null;
    const { database, settings, log } = this.context;
    const missing = await missingChanges(await this.#s.session(), database, position, settings.captures);
    if (missing === null) return position.commit;
    log.warn(`an interrupted snapshot begins anew; rows that were deleted since it began stay in the topics: ${missing}`);
    return null;
  }
  #open(from: StoredPosition | null, offset: SourceOffset): void {
    const { context } = this.#s;
    const desk: SignalDesk = new SignalDesk({
      context,
      server: this.#s.server,
      session: this.#s.session,
      stream: () => this.stream,
      offset,
      unsettled: this.#s.unsettled,
      backfills: this.#s.backfills,
      fail: this.#s.fail,
    });
    this.desk = desk;
    this.stream = new DatabaseStream(
      {
        context,
        session: this.#s.session,
        signals: () => desk.handler.stream,
        settled: () => desk.settled(),
        stopped: (instance, stopLsn) => this.#stopped.set(instance.name, { instance, stopLsn }),
      },
      from,
      offset,
    );
    desk.opened();
  }
  heartbeat(): void {
    const stream = this.stream;
    if (stream === null) return;
    const { events, settings, partition } = this.context;
    emitHeartbeat(events, settings.naming, partition, stream.emitter.refresh());
  }
  /** What is committed has passed the ends of older capture instances: they may be disabled now. */
  durable(offset: SourceOffset): void {
    this.#s.unsettled.durable(offset);
    this.#s.backfills.durable(offset);
    const commit = String(offset["commit_lsn"] ?? NO_LSN);
    for (const [name, { instance, stopLsn }] of this.#stopped) {
      if (commit === NO_LSN || commit < stopLsn) continue;
      this.#stopped.delete(name);
      this.context.notifier.send("Capture Instance", "COMPLETED", {
        server: this.context.settings.naming.prefix,
        database: this.context.database,
        capture_instance: name,
        start_lsn: instance.startLsn,
        stop_lsn: stopLsn,
        commit_lsn: commit,
      });
    }
  }
  async close(): Promise<void> {
    await Promise.allSettled([this.desk?.close(), this.#s.history.close()]);
  }
}
