/** What the log does by itself: retention, compaction, checkpoints, forgetting idle producers. One task of a kind at a time. */
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { BrokerLogConfig } from "../log/config.ts";
import { Cleaner } from "../log/cleaner.ts";
import { applyRetention } from "../log/retention.ts";
import type { LogDirectoryFiles } from "./log-directory.ts";
import type { LocalPartition } from "./partition.ts";

/** Kafka waits as long before the first round, so that a start is not slowed down. */
const FIRST_ROUND_DELAY_MS = 30_000;
const CHECKPOINT_SOON_MS = 1000;
const DIRECTORY_WATCH_MS = 5000;
const INDEX_WRITE_BEHIND_MS = 1000;

export interface TaskSubject {
  all(): Iterable<LocalPartition>;
  readonly directoryFiles: readonly LogDirectoryFiles[];
}

export class BackgroundTasks {
  readonly #subject: TaskSubject;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #config: () => BrokerLogConfig;
  readonly #timers = new Map<string, Timer>();
  readonly #cleaner: Cleaner;
  #cleaning: Promise<number> | null = null;
  #stopped = false;

  constructor(subject: TaskSubject, clock: Clock, logger: Logger, config: () => BrokerLogConfig) {
    this.#subject = subject;
    this.#clock = clock;
    this.#logger = logger;
    this.#config = config;
    this.#cleaner = new Cleaner({
      dedupeBufferBytes: () => config().cleanerDedupeBufferBytes,
      isStopped: () => this.#stopped,
    });
  }
  start(): void {
    this.#repeat(
      "retention",
      () => this.#config().retentionCheckIntervalMs,
      () => this.runRetention(),
    );
    this.#repeat(
      "checkpoint",
      () => this.#config().checkpointIntervalMs,
      () => this.writeCheckpoints(),
    );
    this.#repeat(
      "producers",
      () => this.#config().producerIdExpirationCheckIntervalMs,
      () => this.expireProducers(),
    );
    this.#repeat(
      "flush",
      () => this.#config().flushSchedulerIntervalMs,
      () => this.flushAll(),
    );
    this.#repeat(
      "directories",
      () => DIRECTORY_WATCH_MS,
      () => this.watchDirectories(),
    );
    this.#repeat(
      "indexes",
      () => INDEX_WRITE_BEHIND_MS,
      () => this.writeIndexes(),
    );
    this.#repeat(
      "cleaner",
      () => this.#config().cleanerBackoffMs,
      () => this.#cleanInBackground(),
    );
  }
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    await this.#cleaning;
  }
  #repeat(name: string, intervalMs: () => number, run: () => void): void {
    const arm = (delayMs: number): void => {
      if (this.#stopped || delayMs > 0x7fffffff) return;
      this.#timers.set(
        name,
        this.#clock.after(delayMs, () => {
          if (this.#stopped) return;
          try {
            run();
          } catch (error) {
            this.#logger.error("a background task of the log failed and is tried again", { task: name, error });
          }
          arm(intervalMs());
        }),
      );
    };
    const interval = intervalMs();
    arm(name === "retention" ? Math.min(interval, FIRST_ROUND_DELAY_MS) : interval);
  }
  /** A deletion of records should survive a kill -9, without a write per call. */
  checkpointSoon(): void {
    if (this.#stopped || this.#timers.has("soon")) return;
    const timer = this.#clock.after(CHECKPOINT_SOON_MS, () => {
      this.#timers.delete("soon");
      if (!this.#stopped) this.writeCheckpoints();
    });
    this.#timers.set("soon", timer);
  }

  runRetention(): void {
    const nowMs = this.#clock.now();
    for (const partition of this.#subject.all()) {
      if (partition.moving !== null) continue;
      // A compacted log keeps its data; only what lies before its start may go.
      this.#each(partition, "retention", () => {
        const start = partition.logStartOffset;
        applyRetention(partition.log, nowMs, partition.highWatermark);
        if (partition.logStartOffset > start) partition.notifyWaiters();
      });
    }
  }
  expireProducers(): void {
    const nowMs = this.#clock.now();
    for (const { log } of this.#subject.all()) log.producers.expire(nowMs, this.#config().producerIdExpirationMs);
  }
  flushAll(): void {
    for (const partition of this.#subject.all()) this.#each(partition, "flush", () => partition.flush());
  }
  writeIndexes(): void {
    for (const partition of this.#subject.all()) this.#each(partition, "indexes", () => partition.log.writeIndexesBehind());
  }
  /** A folder that vanished (unmounted, removed) takes its partitions offline, the others stay; back again, they are too. */
  watchDirectories(): void {
    for (const directory of this.#subject.directoryFiles) {
      if (!directory.watch()) continue;
      const { path, gone } = directory;
      if (gone === null) this.#logger.info("a data folder is back online", { directory: path });
      else this.#logger.error("a data folder is offline; its partitions are not served", { directory: path, error: gone });
      for (const partition of this.#subject.all()) if (partition.logDir === path) partition.notifyWaiters();
    }
  }
  writeCheckpoints(): void {
    for (const directory of this.#subject.directoryFiles) {
      if (directory.gone !== null) continue;
      try {
        directory.writeCheckpoints([...this.#subject.all()].filter(({ logDir }) => logDir === directory.path));
        directory.error = null;
      } catch (error) {
        directory.error = error instanceof Error ? error : new Error(String(error));
        this.#logger.error("checkpoints could not be written", { directory: directory.path, error });
      }
    }
  }
  /** Cleans every log that is dirty enough, dirtiest first; resolves to their number. */
  runCleaner(): Promise<number> {
    if (!this.#config().cleanerEnabled) return Promise.resolve(0);
    this.#cleaning ??= this.#clean().finally(() => {
      this.#cleaning = null;
    });
    return this.#cleaning;
  }
  /** Resolves when no log is being compacted. Never rejects. */
  async cleaned(): Promise<void> {
    // Whoever started it tells of its failure; here only its end counts.
    await this.#cleaning?.catch(() => {});
  }
  #cleanInBackground(): void {
    this.runCleaner().catch((error: unknown) => this.#logger.error("compaction failed and is tried again", { error }));
  }
  async #clean(): Promise<number> {
    const nowMs = this.#clock.now();
    const due = [...this.#subject.all()]
      .filter(({ config, moving }) => config.compact && moving === null)
      .map((partition) => ({ partition, ratio: this.#cleaner.dirtyRatio(partition.log, nowMs, partition.lastStableOffset) }))
      .filter(({ ratio }) => ratio !== null)
      .sort((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0));
    let cleaned = 0;
    for (const { partition } of due) {
      if (this.#stopped) break;
      if (partition.moving !== null) continue;
      try {
        await this.#cleaner.clean(partition.log, nowMs, partition.lastStableOffset);
        cleaned++;
      } catch (error) {
        if (!partition.log.isClosed) this.#logger.error("compaction failed", { partition: partition.log.name, error });
      }
    }
    return cleaned;
  }
  #each(partition: LocalPartition, task: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#logger.error("a background task of the log failed and is tried again", { task, partition: partition.log.name, error });
    }
  }
}
