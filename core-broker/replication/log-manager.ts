/** All partitions of the node over its log.dirs: start, creation, deletion, background work, clean shutdown. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { randomUuid, systemRandom, type Random } from "../base/random.ts";
import { partitionKey, readTopicId, writeCleanShutdownMarker, writeTopicId } from "../log/checkpoint-files.ts";
import { type BrokerLogConfig, brokerLogConfig, type LogConfig, logConfig } from "../log/config.ts";
import { Log } from "../log/log.ts";
import type { Disk } from "../log/store/types.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { BackgroundTasks } from "./background-tasks.ts";
import { LogDirectoryFiles, type PartitionPlace } from "./log-directory.ts";
import { LogCopy } from "./copy-log.ts";
import { LocalPartition, type PartitionMove } from "./partition.ts";
import { translated } from "./partition-errors.ts";
import type { CreatePartition, LogDirectory, LogManager, Partition, PartitionTraffic } from "./types.ts";

export interface LogManagerOptions {
  readonly dirs: readonly string[];
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clusterId: string;
  readonly nodeId: number;
  /** server.properties: the broker-level defaults are taken from it. */
  readonly brokerConfig: Readonly<Record<string, string>>;
  /** Overrides of a topic that is found on disk at start. May be corrected later with updateTopicConfig. */
  readonly topicConfig?: (topic: string) => Readonly<Record<string, string>>;
  readonly random?: Random;
  /** Folders of log.dirs that could not be used at the start. */
  readonly failedDirs?: readonly { readonly path: string; readonly error: Error }[];
  /** A partition has another folder now. */
  readonly onMoved?: (partition: Partition, directoryId: string) => void;
  /** false: no timers; tests call the tasks themselves. */
  readonly background?: boolean;
}
const RETIRED_TOPICS_MAX = 1000;
const NO_TRAFFIC: PartitionTraffic = { recordsIn: 0, bytesIn: 0, bytesOut: 0, appends: 0, fetches: 0 };
const NOTHING_IN_IT = { totalBytes: -1, usableBytes: -1, partitions: [], arriving: [] };
const YIELD_AFTER_MS = 20;
const CLOSED_AT_ONCE = 32;

/** Loads everything that is on disk. Throws when a directory cannot be used at all. */
export async function openLogManager(options: LogManagerOptions): Promise<DiskLogManager> {
  const manager = new DiskLogManager(options);
  await manager.load();
  return manager;
}

export class DiskLogManager implements LogManager {
  readonly tasks: BackgroundTasks;
  /** Partitions whose data could not be opened, by "topic-partition": refused, never made anew over the old files. */
  readonly failures = new Map<string, Error>();
  readonly retiredTraffic = new Map<string, PartitionTraffic>();
  readonly #options: LogManagerOptions;
  readonly #random: Random;
  readonly #directories: LogDirectoryFiles[];
  readonly #topics = new Map<string, Map<number, LocalPartition>>();
  #brokerConfig: Readonly<Record<string, string>>;
  #brokerLogConfig: BrokerLogConfig;
  #closing: Promise<void> | null = null;

  constructor(options: LogManagerOptions) {
    this.#options = options;
    this.#random = options.random ?? systemRandom;
    this.#brokerConfig = options.brokerConfig;
    this.#brokerLogConfig = brokerLogConfig(options.brokerConfig);
    const { disk, clock, logger, clusterId, nodeId } = options;
    const identity = { clusterId, nodeId, newDirectoryId: () => randomUuid(this.#random) };
    this.#directories = options.dirs.map((path) => new LogDirectoryFiles(disk, path, identity, clock.now(), logger));
    this.tasks = new BackgroundTasks(this, clock, logger, () => this.#brokerLogConfig);
  }
  get directoryFiles(): readonly LogDirectoryFiles[] {
    return this.#directories;
  }

  async load(): Promise<void> {
    const { clock, disk, logger } = this.#options;
    const startedMs = clock.monotonic();
    let turnMs = startedMs;
    let count = 0;
    for (const directory of this.#directories) {
      const { partitions, doomed } = directory.scan();
      for (const path of doomed) disk.removeTreeAsync(path).catch((error: unknown) => logger.warn("could not remove", { path, error }));
      for (const place of partitions) {
        this.#loadPartition(directory, place);
        count++;
        if (clock.monotonic() - turnMs < YIELD_AFTER_MS) continue;
        await new Promise((resolve) => setImmediate(resolve));
        turnMs = clock.monotonic();
      }
    }
    const tookMs = Math.round(clock.monotonic() - startedMs);
    logger.info("logs loaded", { partitions: count, tookMs, clean: this.#directories.map((each) => each.clean) });
    if (this.#options.background !== false) this.tasks.start();
  }
  #loadPartition(directory: LogDirectoryFiles, place: PartitionPlace): void {
    const { disk, logger, topicConfig } = this.#options;
    const key = partitionKey(place.topic, place.partition);
    try {
      // A crash while a partition changed folders: both are whole, the new one was not used yet.
      const known = this.get(place.topic, place.partition);
      if (known !== undefined) {
        logger.warn("a partition is in two folders; the one found first is used", { partition: key, used: known.logDir, path: place.path });
        return this.#discard(place.path, directory.path, key, known.config.fileDeleteDelayMs);
      }
      const topicId = readTopicId(disk, `${place.path}/partition.metadata`) ?? "";
      this.#open(directory, place, topicId, topicConfig?.(place.topic) ?? {}, 0);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.failures.set(key, cause);
      logger.error("a partition could not be opened; it stays offline", { partition: key, path: place.path, error: cause });
    }
  }
  #open(
    directory: LogDirectoryFiles,
    place: PartitionPlace,
    topicId: string,
    overrides: Readonly<Record<string, string>>,
    leaderEpoch: number,
  ): LocalPartition {
    const { disk, clock, logger } = this.#options;
    const key = partitionKey(place.topic, place.partition);
    const log = new Log({
      disk,
      clock,
      logger,
      directory: place.path,
      name: key,
      config: this.#resolve(overrides),
      clean: directory.clean,
      recoveryPoint: directory.recoveryPoints.get(key) ?? 0,
      logStartOffset: directory.startOffsets.get(key) ?? 0,
      producerExpirationMs: this.#brokerLogConfig.producerIdExpirationMs,
      jitter: this.#random.below(1000) / 1000,
    });
    log.cleanedUpTo = Math.min(directory.cleaned.get(key) ?? 0, log.endOffset);
    const partition = new LocalPartition({
      topic: place.topic,
      partition: place.partition,
      topicId,
      logDir: directory.path,
      storageErrorOf: (path) => this.#directories.find((each) => each.path === path)?.gone ?? null,
      leaderEpoch,
      log,
      logger,
      overrides,
      resolveConfig: (changed) => this.#resolve(changed),
      onStartMoved: () => this.tasks.checkpointSoon(),
    });
    let topic = this.#topics.get(place.topic);
    if (topic === undefined) this.#topics.set(place.topic, (topic = new Map()));
    topic.set(place.partition, partition);
    return partition;
  }
  #resolve(overrides: Readonly<Record<string, string>>): LogConfig {
    return logConfig(overrides, this.#brokerConfig);
  }

  create(topic: string, partition: number, options: CreatePartition): Partition {
    const key = partitionKey(topic, partition);
    const failed = this.failures.get(key);
    if (failed !== undefined) {
      throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `${key} is on disk but cannot be opened: ${failed.message}`, failed);
    }
    const found = this.#topics.get(topic)?.get(partition);
    if (found !== undefined) {
      if (found.topicId === options.topicId) return found;
      if (found.topicId === "") return this.#adopt(found, options.topicId);
      throw new KafkaError(ErrorCode.INCONSISTENT_TOPIC_ID, `${key} exists with topic id ${found.topicId}, not ${options.topicId}`);
    }
    return translated(() => this.#create(topic, partition, options));
  }
  /** partition.metadata was lost; the caller knows the id. */
  #adopt(partition: LocalPartition, topicId: string): LocalPartition {
    writeTopicId(this.#options.disk, `${partition.log.directory}/partition.metadata`, topicId);
    partition.topicId = topicId;
    return partition;
  }
  #create(topic: string, partition: number, options: CreatePartition): LocalPartition {
    const { disk } = this.#options;
    const chosen = this.#directories.find(({ directoryId, usable }) => directoryId === options.directoryId && usable);
    const directory = chosen ?? this.#emptiest();
    const path = `${directory.path}/${partitionKey(topic, partition)}`;
    disk.makeDirectory(path);
    writeTopicId(disk, `${path}/partition.metadata`, options.topicId);
    return this.#open(directory, { topic, partition, path }, options.topicId, options.config, options.leaderEpoch ?? 0);
  }
  moveTo(topic: string, partition: number, logDir: string): void {
    const target = this.#directories.find(({ path }) => path === logDir);
    if (target === undefined) throw new KafkaError(ErrorCode.LOG_DIR_NOT_FOUND, `The log dir ${logDir} is not found`);
    if (target.error !== null) throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `The log dir ${logDir} is offline`, target.error);
    const found = this.get(topic, partition);
    if (found === undefined) throw new KafkaError(ErrorCode.REPLICA_NOT_AVAILABLE);
    if (found.moving?.logDir === logDir) return;
    if (found.moving !== null) found.moving.cancelled = true;
    if (found.logDir === logDir) return;
    this.#move(found, target).catch((error: unknown) => {
      this.#options.logger.error("a partition could not be moved to another folder", { partition: found.log.name, logDir, error });
    });
  }
  async #move(partition: LocalPartition, target: LogDirectoryFiles): Promise<void> {
    const { disk, logger } = this.#options;
    const { name, directory: from } = partition.log;
    const future = `${target.path}/${name}.${Buffer.from(this.#random.bytes(16)).toString("hex")}-future`;
    const copy = new LogCopy(disk, partition.log, future);
    const move: PartitionMove = { logDir: target.path, copiedBytes: () => copy.bytes, cancelled: false };
    partition.moving = move;
    const stopped = (): boolean => move.cancelled || partition.log.isClosed || this.#closing !== null;
    try {
      await this.tasks.cleaned();
      await copy.catchUp(stopped);
      await partition.log.settled();
      if (stopped()) return await disk.removeTreeAsync(future);
      this.#switchOver(partition, target, copy, future);
      logger.info("a partition was moved to another folder", { partition: name, from, to: partition.log.directory });
    } catch (error) {
      // What is told is why the copy failed; its remains are removed at the next start (log-directory).
      await disk.removeTreeAsync(future).catch(() => {});
      throw error;
    } finally {
      if (partition.moving === move) partition.moving = null;
    }
  }
  /** In one go, so that nobody meets the partition without a log: the rest is copied, the new folder takes the name, the old one goes. */
  #switchOver(partition: LocalPartition, target: LogDirectoryFiles, copy: LogCopy, future: string): void {
    const { disk } = this.#options;
    const { log: old, logDir: oldDir } = partition;
    const path = `${target.path}/${old.name}`;
    const cleaned = { cleanedUpTo: old.cleanedUpTo, logStartOffset: old.startOffset };
    old.close(true);
    try {
      copy.finish();
      disk.rename(future, path);
      disk.syncDirectory(target.path);
    } catch (error) {
      partition.log = this.#openLog(old.directory, old.name, partition.overrides, cleaned);
      throw error;
    }
    partition.log = this.#openLog(path, old.name, partition.overrides, cleaned);
    partition.logDir = target.path;
    this.tasks.checkpointSoon();
    this.#options.onMoved?.(partition, target.directoryId);
    this.#discard(old.directory, oldDir, old.name, 0);
    partition.notifyWaiters();
  }
  #openLog(
    directory: string,
    name: string,
    overrides: Readonly<Record<string, string>>,
    { cleanedUpTo, logStartOffset }: { readonly cleanedUpTo: number; readonly logStartOffset: number },
  ): Log {
    const { disk, clock, logger } = this.#options;
    const log = new Log({
      disk,
      clock,
      logger,
      directory,
      name,
      config: this.#resolve(overrides),
      clean: true,
      recoveryPoint: 0,
      logStartOffset,
      producerExpirationMs: this.#brokerLogConfig.producerIdExpirationMs,
      jitter: this.#random.below(1000) / 1000,
    });
    log.cleanedUpTo = cleanedUpTo;
    return log;
  }
  #emptiest(): LogDirectoryFiles {
    const [only, ...others] = this.#directories;
    if (only?.usable === true && others.length === 0) return only;
    const counts = new Map<string, number>(this.#directories.map(({ path }) => [path, 0]));
    for (const { logDir } of this.all()) counts.set(logDir, (counts.get(logDir) ?? 0) + 1);
    const online = this.#directories.filter(({ usable }) => usable);
    const [best] = online.sort((a, b) => (counts.get(a.path) ?? 0) - (counts.get(b.path) ?? 0));
    if (best === undefined) throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, "no log directory is online");
    return best;
  }
  get(topic: string, partition: number): LocalPartition | undefined {
    return this.#topics.get(topic)?.get(partition);
  }
  ofTopic(topic: string): readonly LocalPartition[] {
    return [...(this.#topics.get(topic)?.values() ?? [])].sort((a, b) => a.partition - b.partition);
  }
  *all(): Generator<LocalPartition> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }
  /** With `name` in place of "topic-partition" the directory is known to be on its way out, after a crash too. */
  delete(topic: string, partition: number): void {
    const found = this.get(topic, partition);
    if (found === undefined) return;
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
    found.log.close(false);
    this.#retire(found);
    this.#discard(found.log.directory, found.logDir, partitionKey(topic, partition), found.config.fileDeleteDelayMs);
    found.notifyWaiters();
  }
  #discard(directory: string, logDir: string, key: string, delayMs: number): void {
    const { disk, clock, logger } = this.#options;
    const suffix = `.${Buffer.from(this.#random.bytes(16)).toString("hex")}-delete`;
    const doomed = `${logDir}/${key.slice(0, 255 - suffix.length)}${suffix}`;
    translated(() => disk.rename(directory, doomed));
    clock.after(delayMs, () => {
      disk.removeTreeAsync(doomed).catch((error: unknown) => logger.warn("could not remove", { path: doomed, error }));
    });
  }

  /** Counters only grow, whatever is deleted. Topics that were deleted long ago are counted as one. */
  #retire({ topic, traffic }: LocalPartition): void {
    const key = this.retiredTraffic.size < RETIRED_TOPICS_MAX ? topic : "";
    const before = this.retiredTraffic.get(key) ?? NO_TRAFFIC;
    this.retiredTraffic.set(key, {
      recordsIn: before.recordsIn + traffic.recordsIn,
      bytesIn: before.bytesIn + traffic.bytesIn,
      bytesOut: before.bytesOut + traffic.bytesOut,
      appends: before.appends + traffic.appends,
      fetches: before.fetches + traffic.fetches,
    });
  }
  updateTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void {
    for (const partition of this.ofTopic(topic)) partition.updateConfig(overrides);
  }
  updateBrokerConfig(properties: Readonly<Record<string, string>>): void {
    this.#brokerLogConfig = brokerLogConfig(properties);
    this.#brokerConfig = properties;
    for (const partition of this.all()) partition.updateConfig(partition.overrides);
  }
  get offlinePartitions(): number {
    let offline = this.failures.size;
    for (const { storageError } of this.all()) if (storageError !== null) offline++;
    return offline;
  }
  onlineDirectoryIds(): readonly string[] {
    return this.#directories.filter(({ usable }) => usable).map(({ directoryId }) => directoryId);
  }
  markOffline(topic: string, partition: number, why: Error): void {
    this.failures.set(partitionKey(topic, partition), why);
  }
  isOffline(topic: string, partition: number): boolean {
    return this.failures.has(partitionKey(topic, partition));
  }
  directories(): readonly LogDirectory[] {
    const all = [...this.all()];
    const failed = (this.#options.failedDirs ?? []).map(({ path, error }) => ({ ...NOTHING_IN_IT, path, error }));
    const opened = this.#directories.map(({ path, error }) => {
      const space = this.#options.disk.space(path);
      return {
        path,
        totalBytes: space?.totalBytes ?? -1,
        usableBytes: space?.usableBytes ?? -1,
        error,
        partitions: all.filter(({ logDir }) => logDir === path),
        arriving: all.flatMap((partition) =>
          partition.moving?.logDir === path ? [{ partition, copiedBytes: partition.moving.copiedBytes() }] : [],
        ),
      };
    });
    return [...opened, ...failed];
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
  async #close(): Promise<void> {
    await this.tasks.stop();
    const { disk, logger } = this.#options;
    for (const directory of this.#directories) {
      const partitions = [...this.all()].filter(({ logDir }) => logDir === directory.path);
      let clean = true;
      for (const [index, partition] of partitions.entries()) {
        try {
          if (index % CLOSED_AT_ONCE === 0) {
            await Promise.allSettled(partitions.slice(index, index + CLOSED_AT_ONCE).map(({ log }) => log.flushAsync()));
          }
          partition.log.close(true);
        } catch (error) {
          clean = false;
          logger.error("could not close cleanly; the next start checks the log", { partition: partition.log.name, error });
        }
        partition.notifyWaiters();
      }
      if (!clean) continue;
      directory.writeCheckpoints(partitions);
      writeCleanShutdownMarker(disk, directory.path);
    }
  }
}
