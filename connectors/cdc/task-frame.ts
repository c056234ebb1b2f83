/** The life of a task, around whatever reads its database: it begins, fails, begins anew, stops. */
import type { ConnectError } from "#connect/api/errors";
import type { SourceTaskContext } from "#connect/api/connector";
import type { SourceRecord } from "#connect/api/record";
import { RecordQueue } from "./record-queue.ts";
import { atMost, readRecords, Retries, startReading, type TaskReading } from "./retries.ts";
import { channelSettings, SignalChannels } from "./signal-channels.ts";
import { MetricSheet } from "./metric-sheet.ts";
import { metricTags, type ReportedTask } from "./streaming-metrics.ts";
import type { CommonSettings } from "./task-settings.ts";

/** The reference's first line for whatever stops reading. */
const STOPPED = "An exception occurred in the change event producer. This connector will be stopped.";

const REPORT_INTERVAL_MS = 1000;
/** So long a poll waits for what a reader that has failed still closes: a server that does not answer must not hold it for good. */
const CLOSING_MAX_MS = 5000;

/** What a task of one database does inside its frame. */
export interface TaskLife {
  /** Connects and begins to read from where the last reader ended; sets `running`. */
  prepare(): Promise<void>;
  /** Lets go of what was opened. */
  close(): Promise<void>;
  /** Reading has failed: keeps where it is to go on. What was read before is still handed on. */
  interrupted(error: unknown): void;
  readonly failures: {
    /** What `prepare` failed with, as the worker is to see it. */
    readonly startFailure: (error: unknown) => ConnectError;
    readonly wrapped: (headline: string, error: unknown) => ConnectError;
  };
  /** What has to be done in `poll`, if there is something. */
  due?(): Promise<void> | null;
  /** The queue, which was full, has room again. */
  goOn(): void;
  /** Tells what there is to tell of the task: once a second as long as it lives. */
  report(task: ReportedTask): void;
}
/** What is done again and again while a task reads. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();
  every(intervalMs: number, action: () => void): void {
    this.#running.add(setInterval(action, intervalMs));
  }
  clear(): void {
    for (const timer of this.#running) clearInterval(timer);
    this.#running.clear();
  }
}
export class TaskFrame {
  readonly queue: RecordQueue;
  readonly channels: SignalChannels;
  readonly timers = new Timers();
  /** A reader is at work. */
  running = false;
  #stopping = false;
  #reporting: NodeJS.Timeout | null = null;
  /** A reader that has failed lets go of what it had open. */
  #closing: Promise<void> = Promise.resolve();
  readonly #life: TaskLife;
  readonly #reading: TaskReading;
  readonly #settings: CommonSettings;
  readonly #context: SourceTaskContext;

  constructor(settings: CommonSettings, context: SourceTaskContext, life: TaskLife) {
    this.#life = life;
    this.#settings = settings;
    this.#context = context;
    this.queue = new RecordQueue(settings.queue);
    this.queue.onSpace = () => life.goOn();
    this.channels = new SignalChannels(channelSettings(settings.all), context);
    this.#reading = {
      retries: new Retries(settings.all),
      queue: this.queue,
      waitMs: settings.all.int("poll.interval.ms"),
      running: () => this.running,
      closed: () => atMost(CLOSING_MAX_MS, this.#closing),
      begin: () => this.#begin(),
      due: () => life.due?.() ?? null,
    };
  }
  #reports(): NodeJS.Timeout {
    const { all, naming } = this.#settings;
    const sheet = new MetricSheet(this.#context.metrics);
    const labels = { ...metricTags(all.optional("custom.metric.tags")), name: naming.prefix };
    const told = (): void => {
      this.#life.report({ sheet, labels, queue: this.queue, nowMs: Date.now() });
      sheet.send();
    };
    told();
    return setInterval(told, REPORT_INTERVAL_MS).unref();
  }
  get stopping(): boolean {
    return this.#stopping;
  }
  async start(): Promise<void> {
    await this.channels.check();
    this.#reporting ??= this.#reports();
    await startReading(this.#reading, this.#context.log);
  }
  poll(): Promise<readonly SourceRecord[]> {
    return readRecords(this.#reading);
  }
  /** A failure while running: records already read are still handed out, then `poll` throws it. */
  failed(error: unknown): void {
    if (this.#stopping || !this.running) return;
    this.running = false;
    this.#life.interrupted(error);
    this.#closing = this.#close().then(() => this.queue.fail(this.#life.failures.wrapped(STOPPED, error)));
  }
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#reporting !== null) clearInterval(this.#reporting);
    const channels = this.channels.close();
    await Promise.all([this.#close(), channels]);
  }
  async #begin(): Promise<void> {
    try {
      await this.#life.prepare();
    } catch (error) {
      await this.#close();
      throw this.#life.failures.startFailure(error);
    }
  }
  async #close(): Promise<void> {
    this.channels.detach();
    this.timers.clear();
    this.running = false;
    await this.#life.close();
  }
}
