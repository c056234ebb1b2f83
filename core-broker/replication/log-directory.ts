/** One of log.dirs: identity, checkpoints, the partition directories in it. */
import type { Logger } from "../base/logger.ts";
import {
  CheckpointError,
  type OffsetCheckpoint,
  readMetaProperties,
  readOffsetCheckpoint,
  takeCleanShutdownMarker,
  writeMetaProperties,
  writeOffsetCheckpoint,
} from "../log/checkpoint-files.ts";
import type { Disk } from "../log/store/types.ts";
import type { LocalPartition } from "./partition.ts";

const RECOVERY_POINTS = "recovery-point-offset-checkpoint";
const START_OFFSETS = "log-start-offset-checkpoint";
const HIGH_WATERMARKS = "replication-offset-checkpoint";
const CLEANED = "cleaner-offset-checkpoint";

/** The metadata log has a directory of its own beside the partitions; the controller opens it. */
const METADATA_TOPIC = "__cluster_metadata";

export interface DirectoryIdentity {
  readonly clusterId: string;
  readonly nodeId: number;
  /** For a new directory. */
  readonly newDirectoryId: () => string;
}
export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
}

export class LogDirectoryFiles {
  readonly path: string;
  readonly directoryId: string;
  readonly clean: boolean;
  readonly recoveryPoints: OffsetCheckpoint;
  readonly startOffsets: OffsetCheckpoint;
  readonly cleaned: OffsetCheckpoint;
  /** The last write of a checkpoint failed, or the folder is gone. */
  error: Error | null = null;
  /** Why the folder as a whole cannot be used: nothing in it is served until it is back. */
  gone: Error | null = null;
  readonly #disk: Disk;
  /** What each checkpoint file holds, to write only what changed. */
  readonly #written = new Map<string, string>();

  /** Throws when the directory belongs to another cluster or node, or cannot be used. */
  constructor(disk: Disk, path: string, identity: DirectoryIdentity, nowMs: number, logger: Logger) {
    this.#disk = disk;
    this.path = path;
    disk.makeDirectory(path);
    this.directoryId = this.#identify(identity, nowMs);
    this.clean = takeCleanShutdownMarker(disk, path);
    const checkpoint = (name: string): OffsetCheckpoint => readTolerant(disk, `${path}/${name}`, logger);
    this.recoveryPoints = checkpoint(RECOVERY_POINTS);
    this.startOffsets = checkpoint(START_OFFSETS);
    this.cleaned = checkpoint(CLEANED);
  }
  #identify(identity: DirectoryIdentity, nowMs: number): string {
    const file = `${this.path}/meta.properties`;
    const found = readMetaProperties(this.#disk, file);
    if (found !== null && (found.clusterId !== identity.clusterId || found.nodeId !== identity.nodeId)) {
      throw new CheckpointError(
        `${file} belongs to cluster ${found.clusterId}, node ${found.nodeId}; this is cluster ${identity.clusterId}, node ${identity.nodeId}. ` +
          "Use another log.dirs or set node.id and the cluster id to those.",
      );
    }
    if (found !== null && found.directoryId !== "") return found.directoryId;
    const directoryId = identity.newDirectoryId();
    writeMetaProperties(this.#disk, file, { clusterId: identity.clusterId, nodeId: identity.nodeId, directoryId }, nowMs);
    return directoryId;
  }

  get usable(): boolean {
    return this.error === null && this.gone === null;
  }
  /** Looks whether the folder is still the one that was opened. true: that changed. */
  watch(): boolean {
    const before = this.gone;
    try {
      const found = readMetaProperties(this.#disk, `${this.path}/meta.properties`);
      this.gone = found?.directoryId === this.directoryId ? null : new Error(`${this.path} is no longer the folder that was opened`);
    } catch (error) {
      this.gone = error instanceof Error ? error : new Error(String(error));
    }
    if (this.gone !== null || before !== null) this.error = this.gone;
    return (before === null) !== (this.gone === null);
  }
  /** Partition directories, and those of deletions that a crash interrupted. */
  scan(): { partitions: PartitionPlace[]; doomed: string[] } {
    const partitions: PartitionPlace[] = [];
    const doomed: string[] = [];
    for (const name of this.#disk.list(this.path)) {
      const path = `${this.path}/${name}`;
      // A move between folders that was cut short begins anew when it is asked for again.
      if (name.endsWith("-delete") || name.endsWith("-future")) doomed.push(path);
      const match = /^(.+)-(\d+)$/.exec(name);
      if (match === null || !this.#disk.isDirectory(path)) continue;
      const [, topic = "", number = ""] = match;
      if (topic === METADATA_TOPIC) continue;
      partitions.push({ topic, partition: Number(number), path });
    }
    return { partitions, doomed };
  }

  writeCheckpoints(partitions: Iterable<LocalPartition>): void {
    const all = [...partitions];
    this.#write(RECOVERY_POINTS, all, ({ log }) => log.recoveryPoint);
    this.writeStartOffsets(all);
    this.#write(HIGH_WATERMARKS, all, (partition) => partition.highWatermark);
    this.#write(
      CLEANED,
      all.filter(({ log }) => log.cleanedUpTo > 0),
      ({ log }) => log.cleanedUpTo,
    );
  }
  /** Only starts that the segments' names do not say. */
  writeStartOffsets(partitions: readonly LocalPartition[]): void {
    this.#write(
      START_OFFSETS,
      partitions.filter(({ log }) => log.startOffset > log.segments.first.baseOffset),
      ({ log }) => log.startOffset,
    );
  }
  #write(name: string, partitions: readonly LocalPartition[], offsetOf: (partition: LocalPartition) => number): void {
    const rows = partitions.map((each) => [each.topic, each.partition, offsetOf(each)] as const);
    const text = rows.join("\n");
    if (this.#written.get(name) === text) return;
    writeOffsetCheckpoint(this.#disk, `${this.path}/${name}`, rows);
    this.#written.set(name, text);
  }
}

/** A damaged checkpoint costs time (everything is scanned), never data. */
function readTolerant(disk: Disk, path: string, logger: Logger): OffsetCheckpoint {
  try {
    return readOffsetCheckpoint(disk, path);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    logger.warn("checkpoint is damaged and is ignored", { path, problem: error.message });
    return new Map();
  }
}
