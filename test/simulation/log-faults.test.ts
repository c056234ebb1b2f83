/**
 * F3 and F4 from seeds. Rot: one to three bits of any file of a partition are flipped while the broker is down; what is served
 * afterwards is what was written at that offset, or CORRUPT_MESSAGE, and the partition takes writes. A sick disk: operations fail
 * for a while (full, EIO, torn writes, fsync), the clock jumps; a failed call changes nothing, an acknowledged one stays, reads that
 * the disk allows go on, and all is well again when the disk is, without a restart. A red seed is added to FIXED_SEEDS.
 */
import { describe, expect, it } from "vitest";
import type { Random } from "#broker/base/random";
import { DiskFault, MemoryDisk } from "#broker/log/store/memory";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { batches } from "#broker/protocol/records/batch";
import type { LocalPartition } from "#broker/replication/partition";
import { batchOf, contents, openManager, TestClock, TOPIC_ID } from "../unit/log/fixture.ts";
import { seeded } from "./seeded-random.ts";

const SEEDS = Number(process.env["LOG_SEEDS"] ?? 250);
/** 39, 163, 211: a bit in the last batch header moved the end of the log. */
const FIXED_SEEDS: readonly number[] = [39, 163, 211];
const DIRECTORY = "/data/t-0";

interface Made {
  readonly disk: MemoryDisk;
  readonly clock: TestClock;
  readonly config: Record<string, string>;
  readonly lines: string[];
  readonly random: Random;
}
async function open({ disk, clock, config }: Made): Promise<{ partition: LocalPartition; close(): Promise<void> }> {
  const { manager } = await openManager({ disk, clock, topicConfig: config });
  const partition = manager.create("t", 0, { topicId: TOPIC_ID, config }) as LocalPartition;
  return { partition, close: () => manager.close() };
}
function make(seed: number): Made {
  const random = seeded(seed);
  const config: Record<string, string> = {
    "segment.bytes": String(200 + random.below(800)),
    "index.interval.bytes": String(random.below(300)),
  };
  if (random.below(2) === 0) config["flush.messages"] = "1";
  return { disk: new MemoryDisk(), clock: new TestClock(), config, lines: [], random };
}
/** Appends one to three records and notes them when the call returns. */
function append(made: Made, partition: LocalPartition): void {
  const base = made.lines.length;
  const records = Array.from({ length: 1 + made.random.below(3) }, (_, i) => ({ key: `k${made.random.below(4)}`, value: `v${base + i}` }));
  expect(partition.append(batchOf(records), { origin: "client" })).toMatchObject({ baseOffset: base });
  made.lines.push(...records.map(({ key, value }, i) => `${base + i}:${key}=${value}`));
}
const READ = { maxBytes: 250, minOneMessage: true, isolation: "read_uncommitted" } as const;

/** Reads from the offset to the end or to the first damage; what comes must be what was written. Answers the offset it came to. */
function readFrom(made: Made, partition: LocalPartition, from: number): number {
  let offset = from;
  while (offset < partition.logEndOffset) {
    let records: Buffer;
    try {
      records = partition.read({ ...READ, offset }).records;
    } catch (error) {
      if (error instanceof KafkaError && error.code === ErrorCode.CORRUPT_MESSAGE) return offset;
      throw error;
    }
    if (records.length === 0) return offset;
    for (const line of contents(records)) expect(line).toBe(made.lines[Number(line.slice(0, line.indexOf(":")))]);
    for (const { header } of batches(records)) offset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return offset;
}

/** The topic's id is left alone: with another one the partition is rightly not opened. */
function flipSomewhere({ disk, random }: Made): void {
  const files = disk.list(DIRECTORY).filter((name) => name !== "partition.metadata" && disk.sizeOf(`${DIRECTORY}/${name}`) > 0);
  const path = `${DIRECTORY}/${files[random.below(files.length)] ?? ""}`;
  const position = random.below(disk.sizeOf(path));
  if (path.endsWith(".log")) {
    // Kafka's CRC covers neither the base offset nor the leader epoch: brokers set them in place.
    const uncovered = [...batches(disk.readFile(path))].some(
      ({ start }) => (position >= start && position < start + 8) || (position >= start + 12 && position < start + 16),
    );
    if (uncovered) return;
  }
  disk.flipBit(path, position, random.below(8));
}

async function rot(seed: number): Promise<void> {
  const made = make(seed);
  const { random } = made;
  const before = await open(made);
  for (let i = 10 + random.below(60); i > 0; i--) append(made, before.partition);
  await before.close();
  for (let flips = 1 + random.below(3); flips > 0; flips--) flipSomewhere(made);
  const opened = await open(made);
  const { partition } = opened;
  expect(partition.logEndOffset).toBeLessThanOrEqual(made.lines.length);
  made.lines.length = partition.logEndOffset;
  for (let i = 0; i < 8; i++)
    readFrom(made, partition, partition.logStartOffset + random.below(partition.logEndOffset - partition.logStartOffset + 1));
  readFrom(made, partition, partition.logStartOffset);
  // Writing goes on; at the latest the next segment can be read from its start to its end.
  const end = made.lines.length;
  while (partition.log.segments.active.baseOffset < end) append(made, partition);
  for (let i = 0; i < 5; i++) append(made, partition);
  expect(readFrom(made, partition, partition.log.segments.active.baseOffset)).toBe(made.lines.length);
  await opened.close();
}

const CODES = ["ENOSPC", "EIO"];
async function sickDisk(seed: number): Promise<void> {
  const made = make(seed);
  const { random, disk, clock } = made;
  const opened = await open(made);
  const { partition } = opened;
  const sick = new Set(["write", "sync", "open", "read", "rename", "replace"].filter(() => random.below(2) === 0));
  let refused = 0;
  for (let step = 0; step < 80; step++) {
    if (step === 20)
      disk.fault = (operation, path) => {
        if (sick.has(operation) && random.below(3) === 0)
          throw new DiskFault(CODES[random.below(2)] ?? "EIO", path, random.below(100) / 100);
      };
    if (step === 60) disk.fault = null;
    if (random.below(10) === 0) clock.advance(random.below(100_000));
    try {
      if (random.below(4) > 0) append(made, partition);
      else readFrom(made, partition, random.below(made.lines.length + 1));
    } catch (error) {
      if (!(error instanceof KafkaError) || step < 20 || step >= 60) throw error;
      expect(error.code).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
      refused++;
      // A write whose fsync failed is not acknowledged; it may stay in the log, as in Kafka.
      adopt(made, partition);
    }
    if (step % 5 === 0) await partition.log.settled();
  }
  adopt(made, partition);
  expect(readFrom(made, partition, 0)).toBe(made.lines.length);
  if (sick.has("write")) expect(refused).toBeGreaterThan(0);
  await opened.close();
  const again = await open(made);
  expect(again.partition.logEndOffset).toBe(made.lines.length);
  expect(readFrom(made, again.partition, 0)).toBe(made.lines.length);
  await again.close();
}
/** Lines that were written though their call failed. */
function adopt(made: Made, partition: LocalPartition): void {
  const { fault } = made.disk;
  made.disk.fault = null;
  while (made.lines.length < partition.logEndOffset) {
    const offset = made.lines.length;
    const { records } = partition.read({ ...READ, offset });
    made.lines.push(...contents(records).filter((line) => Number(line.slice(0, line.indexOf(":"))) >= offset));
  }
  made.disk.fault = fault;
}

const seeds = [...FIXED_SEEDS, ...Array.from({ length: SEEDS }, (_, i) => i + 1)];
const CHUNK = 50;
for (const [name, simulate] of [
  ["rot", rot],
  ["a sick disk", sickDisk],
] as const) {
  describe(name, () => {
    for (let from = 0; from < seeds.length; from += CHUNK) {
      it(`seeds ${from + 1} to ${Math.min(from + CHUNK, seeds.length)}`, async () => {
        for (const seed of seeds.slice(from, from + CHUNK)) {
          await simulate(seed).catch((error: unknown) => {
            throw new Error(`seed ${seed}`, { cause: error });
          });
        }
      });
    }
  });
}
