/** Which leader epoch began at which offset (KIP-101), kept in `leader-epoch-checkpoint`. */
import { CheckpointError, type EpochEntry, readEpochs, writeEpochs } from "./checkpoint-files.ts";
import type { Disk } from "./store/types.ts";

export class LeaderEpochs {
  readonly #disk: Disk;
  readonly #path: string;
  #entries: EpochEntry[];
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#path = `${directory}/leader-epoch-checkpoint`;
    this.#entries = readTolerant(disk, this.#path);
  }
  /** −1: none yet. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }
  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }
  /** Records the start of an epoch; nothing happens for one that is known or older. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0 || epoch <= this.latest) return;
    this.#entries = [...this.#entries.filter((entry) => entry.startOffset < startOffset), { epoch, startOffset }];
    this.#write();
  }
  epochOf(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
  }
  /** The largest epoch ≤ the one asked for and where it ended; −1/−1 when there is none. */
  endOffsetOf(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch === this.latest && epoch >= 0) return { epoch, endOffset: logEndOffset };
    const next = this.#entries.find((entry) => entry.epoch > epoch);
    if (next === undefined || epoch < 0) return { epoch: -1, endOffset: -1 };
    const at = this.#entries.findLast((entry) => entry.epoch <= epoch);
    return at === undefined ? { epoch, endOffset: next.startOffset } : { epoch: at.epoch, endOffset: next.startOffset };
  }
  truncateTo(endOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset);
    if (kept.length === this.#entries.length) return;
    this.#entries = kept;
    this.#write();
  }
  /** The epoch in force at the new start now begins there. */
  startFrom(startOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset >= startOffset);
    const current = this.#entries.findLast((entry) => entry.startOffset < startOffset);
    if (current === undefined) return;
    if (kept[0]?.startOffset !== startOffset) kept.unshift({ epoch: current.epoch, startOffset });
    this.#entries = kept;
    this.#write();
  }
  #write(): void {
    writeEpochs(this.#disk, this.#path, this.#entries);
  }
}
/** Lost in a power failure: recovery learns the epochs of what it scans again. */
function readTolerant(disk: Disk, path: string): EpochEntry[] {
  try {
    return readEpochs(disk, path);
  } catch (error) {
    if (error instanceof CheckpointError) return [];
    throw error;
  }
}
