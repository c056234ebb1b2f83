/**
 * The small text files of a log directory, as Kafka writes them: offset checkpoints (`recovery-point-offset-checkpoint`,
 * `log-start-offset-checkpoint`, `replication-offset-checkpoint`, `cleaner-offset-checkpoint`), `leader-epoch-checkpoint`,
 * `meta.properties`, `partition.metadata`, `.kafka_cleanshutdown`.
 */
import type { Disk } from "./store/types.ts";

/** A file that is there but cannot be read. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** "topic-partition" → offset. */
export type OffsetCheckpoint = Map<string, number>;
export const partitionKey = (topic: string, partition: number): string => `${topic}-${partition}`;

function readRows(disk: Disk, path: string, columns: number): string[][] {
  if (!disk.exists(path)) return [];
  const lines = disk.readFile(path).toString("utf8").split("\n");
  const count = Number(lines[1]);
  if (lines[0]?.trim() !== "0" || !Number.isInteger(count) || count < 0) throw new CheckpointError(`${path}: version or count is damaged`);
  const rows = lines.slice(2, 2 + count).map((line) => line.trim().split(/\s+/));
  if (rows.length !== count || rows.some((row) => row.length !== columns)) throw new CheckpointError(`${path}: expected ${count} rows`);
  return rows;
}
const rowsText = (rows: readonly string[]): Buffer => Buffer.from(`0\n${rows.length}\n${rows.map((row) => `${row}\n`).join("")}`);

export function readOffsetCheckpoint(disk: Disk, path: string): OffsetCheckpoint {
  const offsets: OffsetCheckpoint = new Map();
  for (const [topic = "", partition = "", offset = ""] of readRows(disk, path, 3)) {
    const value = Number(offset);
    if (!Number.isInteger(value)) throw new CheckpointError(`${path}: ${offset} is no offset`);
    offsets.set(partitionKey(topic, Number(partition)), value);
  }
  return offsets;
}
export function writeOffsetCheckpoint(
  disk: Disk,
  path: string,
  offsets: Iterable<readonly [topic: string, partition: number, offset: number]>,
): void {
  disk.replaceFile(path, rowsText(Array.from(offsets, ([topic, partition, offset]) => `${topic} ${partition} ${offset}`)));
}

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}
export function readEpochs(disk: Disk, path: string): EpochEntry[] {
  return readRows(disk, path, 2).map(([epoch, startOffset]) => ({ epoch: Number(epoch), startOffset: Number(startOffset) }));
}
export function writeEpochs(disk: Disk, path: string, epochs: readonly EpochEntry[]): void {
  disk.replaceFileLazily(path, rowsText(epochs.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)));
}

export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}
/** null: a new directory. Throws CheckpointError when it is there and not complete. */
export function readMetaProperties(disk: Disk, path: string): MetaProperties | null {
  if (!disk.exists(path)) return null;
  const properties = new Map<string, string>();
  for (const line of disk.readFile(path).toString("utf8").split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0 && !line.startsWith("#")) properties.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  const clusterId = properties.get("cluster.id");
  const nodeId = Number(properties.get("node.id") ?? properties.get("broker.id"));
  if (clusterId === undefined || !Number.isInteger(nodeId)) throw new CheckpointError(`${path}: cluster.id or node.id is missing`);
  return { clusterId, nodeId, directoryId: properties.get("directory.id") ?? "" };
}
export function writeMetaProperties(disk: Disk, path: string, meta: MetaProperties, nowMs: number): void {
  const lines = [
    "#",
    `#${new Date(nowMs).toUTCString()}`,
    `cluster.id=${meta.clusterId}`,
    `directory.id=${meta.directoryId}`,
    `node.id=${meta.nodeId}`,
    "version=1",
  ];
  disk.replaceFile(path, Buffer.from(`${lines.join("\n")}\n`));
}

/** null: not there, or lost in a power failure right after the creation; the metadata log knows it. */
export function readTopicId(disk: Disk, path: string): string | null {
  if (!disk.exists(path)) return null;
  return /^topic_id:\s*(\S{22})$/m.exec(disk.readFile(path).toString("utf8"))?.[1] ?? null;
}
export function writeTopicId(disk: Disk, path: string, topicId: string): void {
  disk.replaceFileLazily(path, Buffer.from(`version: 0\ntopic_id: ${topicId}\n`));
}

const CLEAN_SHUTDOWN_FILE = ".kafka_cleanshutdown";
/** Reads and removes the marker: from now on a crash is a crash. */
export function takeCleanShutdownMarker(disk: Disk, directory: string): boolean {
  const path = `${directory}/${CLEAN_SHUTDOWN_FILE}`;
  const clean = disk.exists(path);
  if (clean) {
    disk.remove(path);
    disk.syncDirectory(directory);
  }
  return clean;
}
export function writeCleanShutdownMarker(disk: Disk, directory: string): void {
  disk.replaceFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`, Buffer.from('{"version":0,"brokerEpoch":-1}'));
}
