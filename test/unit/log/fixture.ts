/** A log manager over a memory disk with a clock that the test turns. */
import type { Clock, Timer } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { fileDisk } from "#broker/log/store/file";
import { MemoryDisk } from "#broker/log/store/memory";
import type { Disk } from "#broker/log/store/types";
import { BatchBuilder, type BatchOptions } from "#broker/protocol/records/builder";
import { batches } from "#broker/protocol/records/batch";
import type { Codec } from "#broker/protocol/records/compression/index";
import { readRecords } from "#broker/protocol/records/records";
import { type DiskLogManager, openLogManager } from "#broker/replication/log-manager";

export class TestClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #timers: { atMs: number; run: () => void }[] = [];
  now(): number {
    return this.#nowMs;
  }
  monotonic(): number {
    return this.#nowMs;
  }
  after(delayMs: number, run: () => void): Timer {
    const entry = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(entry);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== entry);
      },
    };
  }
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

export interface Opened {
  readonly manager: DiskLogManager;
  readonly disk: Disk;
  readonly clock: TestClock;
}
export async function openManager(
  options: {
    disk?: Disk;
    clock?: TestClock;
    dirs?: string[];
    brokerConfig?: Record<string, string>;
    topicConfig?: Record<string, string>;
  } = {},
): Promise<Opened> {
  const disk = options.disk ?? new MemoryDisk();
  const clock = options.clock ?? new TestClock();
  const manager = await openLogManager({
    dirs: options.dirs ?? ["/data"],
    disk,
    clock,
    logger: silentLogger,
    clusterId: "AAAAAAAAQACAAAAAAAAAAA",
    nodeId: 1,
    brokerConfig: options.brokerConfig ?? {},
    topicConfig: () => options.topicConfig ?? {},
    background: false,
  });
  return { manager, disk, clock };
}
export const TOPIC_ID = "BBBBBBBBQACAAAAAAAAAAA";
export { fileDisk };

export interface TestRecord {
  readonly key?: string | null;
  readonly value?: string | null;
  readonly timestampMs?: number;
}
export function batchOf(records: readonly TestRecord[], options: BatchOptions = {}, codec: Codec = "none"): Buffer {
  const builder = new BatchBuilder(options);
  for (const { key = null, value = null, timestampMs = 1_700_000_000_000 } of records) {
    builder.append(timestampMs, key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value), []);
  }
  return builder.build(codec);
}
export const values = (...list: string[]): TestRecord[] => list.map((value) => ({ key: value, value }));

/** "offset:key=value" per record; markers are "offset:commit" or "offset:abort". */
export function contents(records: Buffer): string[] {
  const found: string[] = [];
  for (const { header, start } of batches(records)) {
    for (const record of readRecords(records, start, header)) {
      const text = (bytes: Uint8Array | null): string => (bytes === null ? "∅" : Buffer.from(bytes).toString());
      if ((header.attributes & 0x20) !== 0) found.push(`${record.offset}:${record.key?.[3] === 1 ? "commit" : "abort"}`);
      else found.push(`${record.offset}:${text(record.key)}=${text(record.value)}`);
    }
  }
  return found;
}
