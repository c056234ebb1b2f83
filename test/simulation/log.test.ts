/**
 * A log on a disk that tears, loses and refuses, from a seed: whatever was acknowledged and promised durable is there afterwards,
 * nothing else appears, and the producers' state is that of the log. A red seed is added to FIXED_SEEDS.
 */
import { describe, expect, it } from "vitest";
import type { Random } from "#broker/base/random";
import { type CrashKind, DiskFault, MemoryDisk } from "#broker/log/store/memory";
import type { LocalPartition } from "#broker/replication/partition";
import { KafkaError } from "#broker/protocol/errors";
import { batches } from "#broker/protocol/records/batch";
import { batchOf, contents, openManager, type Opened, TestClock, TOPIC_ID } from "../unit/log/fixture.ts";
import { seeded } from "./seeded-random.ts";

const SEEDS = Number(process.env["LOG_SEEDS"] ?? 250);
/**
 * 417: bytes cut by a recovery came back after a second power loss. 308: a snapshot from before a lost tail. 508, 1301: a roll
 * without its snapshot, then the older segments deleted.
 */
const FIXED_SEEDS: readonly number[] = [308, 417, 508, 1301];
const STEPS = 60;

const HOLE = "";
/** What the log ought to hold: one line per offset, and the state it had after each offset's batch. */
class Model {
  lines: string[] = [];
  /** Batches in order: producer and sequence as they stand after it. */
  batches: { end: number; producerId: number; sequence: number }[] = [];
  truncate(end: number): void {
    this.lines.length = Math.min(this.lines.length, end);
    this.batches = this.batches.filter((batch) => batch.end <= end);
  }
  /** Without fsync a power loss may take single writes; what is there must still be what was written. */
  forget(seen: readonly string[], from: number): void {
    const there = new Set(seen.map((line) => Number(line.slice(0, line.indexOf(":")))));
    for (let offset = from; offset < this.lines.length; offset++) if (!there.has(offset)) this.lines[offset] = HOLE;
    this.batches = this.batches.filter(({ end }) => end <= from || there.has(end - 1));
  }
  nextSequence(producerId: number): number {
    return (this.batches.findLast((batch) => batch.producerId === producerId)?.sequence ?? -1) + 1;
  }
}

class Run {
  readonly random: Random;
  disk = new MemoryDisk();
  readonly clock = new TestClock();
  readonly model = new Model();
  readonly durable: boolean;
  readonly config: Record<string, string>;
  opened: Opened | null = null;
  /** Lines of a call that failed in between: may be there or not. */
  pending: { lines: string[]; producerId: number; sequence: number } | null = null;
  compacted = false;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.durable = this.random.below(2) === 0;
    this.config = { "segment.bytes": String(200 + this.random.below(800)), "index.interval.bytes": String(this.random.below(300)) };
    if (this.durable) this.config["flush.messages"] = "1";
  }
  async open(): Promise<LocalPartition> {
    this.opened = await openManager({ disk: this.disk, clock: this.clock, topicConfig: this.config });
    return this.opened.manager.create("t", 0, { topicId: TOPIC_ID, config: this.config }) as LocalPartition;
  }
  append(partition: LocalPartition): void {
    const producerId = this.random.below(3) - 1;
    const count = 1 + this.random.below(3);
    const base = this.model.lines.length;
    const records = Array.from({ length: count }, (_, i) => ({ key: `k${this.random.below(4)}`, value: `v${base + i}` }));
    const sequence = producerId < 0 ? -1 : this.model.nextSequence(producerId);
    const batch = batchOf(records, producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: sequence });
    const lines = records.map(({ key, value }, i) => `${base + i}:${key}=${value}`);
    const end = { producerId, sequence: sequence < 0 ? -1 : sequence + count - 1 };
    this.pending = { lines, ...end };
    expect(partition.append(batch, { origin: "client" })).toMatchObject({ baseOffset: base, duplicate: false });
    this.pending = null;
    this.model.lines.push(...lines);
    this.model.batches.push({ end: this.model.lines.length, ...end });
  }
  /** The machine dies in the middle of a disk operation a few steps ahead. */
  armDeath(): void {
    let left = 1 + this.random.below(12);
    this.disk.fault = (_operation, path) => {
      if (--left <= 0) throw new DiskFault("EDEAD", path, left === 0 ? this.random.below(100) / 100 : 0);
    };
  }
  check(partition: LocalPartition, lossAllowed: boolean): void {
    const seen = readAll(partition);
    const { lines } = this.model;
    if (this.pending !== null && partition.logEndOffset > lines.length) {
      lines.push(...this.pending.lines);
      this.model.batches.push({ end: lines.length, producerId: this.pending.producerId, sequence: this.pending.sequence });
    }
    this.pending = null;
    if (!lossAllowed) expect(partition.logEndOffset).toBe(lines.length);
    expect(partition.logEndOffset).toBeLessThanOrEqual(lines.length);
    this.model.truncate(partition.logEndOffset);
    if (lossAllowed) this.model.forget(seen, partition.logStartOffset);
    expect(seen).toEqual(lines.slice(partition.logStartOffset, partition.logEndOffset).filter((line) => line !== HOLE));
    for (const { producerId, lastSequence } of partition.describeProducers()) {
      // A snapshot may know of writes that were lost; their producer goes on from there as well.
      if (lossAllowed) this.model.batches.push({ end: partition.logEndOffset, producerId, sequence: lastSequence });
      else expect(lastSequence).toBe(this.model.nextSequence(producerId) - 1);
    }
  }
}

function readAll(partition: LocalPartition): string[] {
  const lines: string[] = [];
  let offset = partition.logStartOffset;
  while (offset < partition.logEndOffset) {
    const { records } = partition.read({ offset, maxBytes: 250, minOneMessage: true, isolation: "read_uncommitted" });
    if (records.length === 0) break;
    const from = offset;
    for (const { header } of batches(records)) offset = header.baseOffset + header.lastOffsetDelta + 1;
    lines.push(...contents(records).filter((line) => Number(line.split(":")[0]) >= from));
  }
  return lines;
}

async function simulate(seed: number): Promise<void> {
  const run = new Run(seed);
  let partition = await run.open();
  for (let step = 0; step < STEPS; step++) {
    const choice = run.random.below(100);
    if (choice < 75) run.append(partition);
    else if (choice < 80) partition.deleteRecords(run.random.below(partition.logEndOffset + 1));
    else if (choice < 85) run.opened?.manager.tasks.runRetention();
    else if (choice < 90) run.clock.advance(1000);
    else {
      partition = await restart(run, partition, choice);
    }
    if (choice % 7 === 0) await partition.log.settled();
  }
  await restart(run, partition, 99);
}

async function restart(run: Run, partition: LocalPartition, choice: number): Promise<LocalPartition> {
  const kind: CrashKind = run.random.below(2) === 0 ? "kill" : "power";
  if (choice < 93) {
    await run.opened?.manager.close();
    run.disk = run.disk.crash("power", run.random);
  } else {
    if (choice < 97) dieWhileAppending(run, partition);
    run.disk = run.disk.crash(kind, run.random);
  }
  const again = await run.open();
  // Offsets under the log start went with the records; a start that survived a lost tail is as good.
  while (run.model.lines.length < again.logStartOffset) run.model.lines.push(HOLE);
  run.check(again, kind === "power" && !run.durable && choice >= 93);
  return again;
}
function dieWhileAppending(run: Run, partition: LocalPartition): void {
  run.armDeath();
  try {
    for (let i = 0; i < 20; i++) run.append(partition);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
  }
  run.disk.fault = null;
}

describe("log under a faulty disk", () => {
  const seeds = [...FIXED_SEEDS, ...Array.from({ length: SEEDS }, (_, i) => i + 1)];
  const CHUNK = 50;
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
