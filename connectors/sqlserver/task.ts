/** The source task: for each of its databases the snapshot if there has to be one, then the changes of all of them in turn. */
import type { Backfill, BackfillCommand } from "#connect/api/backfill";
import type { SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import type { Backfills } from "../cdc/backfills.ts";
import { startHeartbeats } from "../cdc/heartbeat.ts";
import { openSchemaHistory } from "../cdc/schema-history/open.ts";
import type { HistoryStore } from "../cdc/schema-history/history.ts";
import { memoryStore } from "../cdc/schema-history/stores.ts";
import type { Signal } from "../cdc/signals.ts";
import { SourceError } from "../cdc/source-error.ts";
import type { ReportedTask } from "../cdc/streaming-metrics.ts";
import { TaskFrame, type TaskLife } from "../cdc/task-frame.ts";
import { emitters, nowMicros } from "../cdc/task-parts.ts";
import { UnsettledSignals } from "../cdc/unsettled-signals.ts";
import { asked, databaseBackfills } from "./backfill.ts";
import { databaseName, orDisabled } from "./catalog.ts";
import { Session } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import { DatabaseTask } from "./database-task.ts";
import { startFailure, wrapped } from "./failures.ts";
import { report } from "./metrics.ts";
import { TablePlans } from "./plans.ts";
import { historyOrder } from "./position.ts";
import { SchemaTracker } from "./schema-tracker.ts";
import { serverOf, type SqlServer } from "./server-settings.ts";
import { SourceInfo } from "./source-info.ts";
import { type TaskSettings, taskSettings } from "./task-settings.ts";

class SqlServerTask implements SourceTask, TaskLife {
  readonly failures = { startFailure, wrapped };
  readonly #context: SourceTaskContext;
  readonly #s: TaskSettings;
  readonly #frame: TaskFrame;
  readonly #server: SqlServer;
  #databases: readonly DatabaseTask[] = [];
  #session: Session | null = null;
  /** Where to go on after a failure, by database. */
  readonly #resumeAt = new Map<string, SourceOffset>();
  /** Of the whole life of the task, by database, so that a memory history outlives a broken connection. */
  readonly #memories = new Map<string, HistoryStore>();
  /** By database. */
  readonly #unsettled = new Map<string, UnsettledSignals>();
  /** By database. */
  readonly #backfills = new Map<string, Backfills>();
  #space: (() => void)[] = [];
  #wake: (() => void) | null = null;
  /** Of `#prepare`: what an earlier run left behind looks at it. */
  #run = 0;

  constructor(config: TaskConfig, context: SourceTaskContext) {
    this.#context = context;
    this.#s = taskSettings(config, context.taskId, Date.now(), (m) => context.log.warn(m));
    this.#server = serverOf(this.#s.all);
    this.#frame = new TaskFrame(this.#s, context, this);
  }
  start(): Promise<void> {
    return this.#frame.start();
  }
  poll(): Promise<readonly SourceRecord[]> {
    return this.#frame.poll();
  }
  durable(offsets: readonly { readonly partition: SourcePartition; readonly offset: SourceOffset }[]): Promise<void> {
    for (const { partition, offset } of offsets) this.#databases.find((d) => d.context.database === partition["database"])?.durable(offset);
    return Promise.resolve();
  }
  backfill(command: BackfillCommand): Promise<readonly Backfill[]> {
    return asked(this.#backfills, command);
  }
  stop(): Promise<void> {
    for (const unsettled of this.#unsettled.values()) unsettled.close();
    return this.#frame.stop();
  }

  goOn(): void {
    const waiting = this.#space;
    this.#space = [];
    for (const resolve of waiting) resolve();
    for (const database of this.#databases) database.resume();
  }
  async close(): Promise<void> {
    this.#run++;
    this.goOn();
    this.#wake?.();
    const session = this.#session;
    this.#session = null;
    await Promise.allSettled([session?.close(), ...this.#databases.map((d) => d.close())]);
  }
  #failed(run: number, error: unknown): void {
    if (run === this.#run) this.#frame.failed(error);
  }
  report(task: ReportedTask): void {
    report(task, this.#context.taskId, this.#frame.running && this.#databases.some((d) => d.stream !== null), this.#databases);
  }
  interrupted(): void {
    for (const { context } of this.#databases) context.notifier.figures.interrupted();
    for (const { context, stream } of this.#databases) if (stream !== null) this.#resumeAt.set(context.database, stream.emitter.refresh());
  }
  async prepare(): Promise<void> {
    const session = await Session.open(this.#server);
    this.#session = session;
    const databases: DatabaseTask[] = [];
    const run = ++this.#run;
    for (const given of this.#s.databases) {
      const name = await databaseName(session, given);
      if (name === null) throw new SourceError(`The database '${given}' is not on the server. Check database.names.`);
      databases.push(this.#database(name, run));
    }
    this.#databases = databases;
    this.#frame.running = true;
    void this.#stream(run, databases).catch((error: unknown) => this.#failed(run, error));
  }
  #database(database: string, run: number): DatabaseTask {
    const partition: SourcePartition = { server: this.#s.naming.prefix, database };
    const memory = this.#memories.get(database) ?? memoryStore();
    this.#memories.set(database, memory);
    const unsettled = this.#unsettled.get(database) ?? new UnsettledSignals();
    this.#unsettled.set(database, unsettled);
    const history = openSchemaHistory(this.#s.all, this.#context, {
      source: partition,
      atOrBefore: historyOrder,
      catalogFirst: false,
      memory,
      begins: (record) => record.position["snapshot"] !== undefined,
    });
    const { events, notifier } = emitters(this.#s, this.#frame.queue, { partition, log: this.#context.log, offset: () => task.offset });
    const of = (): DatabaseTask | null => this.#databases.find((d) => d.context.database === database) ?? null;
    const backfills = this.#backfills.get(database) ?? databaseBackfills(this.#s, this.#server, partition, this.#context, of);
    this.#backfills.set(database, backfills);
    backfills.follow(notifier);
    const context: DatabaseContext = {
      settings: this.#s,
      database,
      partition,
      tracker: new SchemaTracker({ partition, history }),
      plans: new TablePlans(this.#s.plans),
      events,
      source: new SourceInfo(this.#s.naming.prefix, database),
      notifier,
      log: this.#context.log,
      nowMicros,
      room: () => this.#room(),
      stopping: () => this.#frame.stopping || run !== this.#run,
    };
    const task: DatabaseTask = new DatabaseTask({
      context,
      server: this.#server,
      history,
      offsets: this.#context.offsets,
      session: () => this.#connection(),
      resumeAt: this.#resumeAt.get(database) ?? null,
      unsettled,
      backfills,
      fail: (error) => this.#failed(run, error),
    });
    return task;
  }
  #room(): Promise<void> {
    if (!this.#frame.queue.full || this.#frame.stopping) return Promise.resolve();
    return new Promise((resolve) => this.#space.push(resolve));
  }
  /** Snapshots one after the other, then passes over all databases until the task ends. */
  async #stream(run: number, databases: readonly DatabaseTask[]): Promise<void> {
    const partitions = databases.map((d) => d.context.partition);
    const stored = await this.#context.offsets.offsets(partitions);
    const only = this.#s.databases.length === 1 && stored[0] === null;
    // Connectors of before there could be several databases.
    const old = only ? ((await this.#context.offsets.offsets([{ server: this.#s.naming.prefix }]))[0] ?? null) : null;
    for (const [i, database] of databases.entries()) {
      await database.prepare(stored[i] ?? old).catch((error: unknown) => this.#explained(database.context.database, error));
      if (run !== this.#run) return;
    }
    const streams = databases.flatMap((d) => (d.stream === null ? [] : [d.stream]));
    if (streams.length === 0) return;
    this.#opened(databases);
    while (run === this.#run && !this.#frame.stopping) {
      let worked = false;
      for (const stream of streams) {
        worked = (await stream.pass().catch((error: unknown) => this.#explained(stream.database, error))) || worked;
        if (run !== this.#run) return;
      }
      if (!worked) await this.#sleep(this.#s.all.int("poll.interval.ms"));
    }
  }
  async #explained(database: string, error: unknown): Promise<never> {
    throw await orDisabled(() => this.#connection(), database, error);
  }
  #opened(databases: readonly DatabaseTask[]): void {
    this.#frame.channels.attach(async (signal: Signal) => {
      for (const database of databases) await database.desk?.served(signal);
    });
    startHeartbeats(this.#s, this.#frame.timers, {
      beat: () => {
        if (this.#frame.stopping) return false;
        for (const database of databases) database.heartbeat();
        return true;
      },
      execute: async (statement) => (await this.#connection()).run(statement),
      warn: (message) => this.#context.log.warn(message),
    });
  }
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  /** For statements outside of transactions: a connection that was lost is opened anew by the next one. */
  async #connection(): Promise<Session> {
    const session = this.#session;
    if (session !== null && !session.closed) return session;
    if (this.#frame.stopping || !this.#frame.running) throw new Error("the task is being stopped");
    this.#session = await Session.open(this.#server);
    return this.#session;
  }
}
export const sqlserverTask = (config: TaskConfig, context: SourceTaskContext): SourceTask => new SqlServerTask(config, context);
