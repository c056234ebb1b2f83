/** placeholder until compaction lands in the next commit. */
import type { Log } from "./log.ts";
export interface CleanerOptions {
  readonly dedupeBufferBytes: () => number;
  readonly isStopped: () => boolean;
}
export class Cleaner {
  readonly options: CleanerOptions;
  constructor(options: CleanerOptions) {
    this.options = options;
  }
  /** null: nothing to clean. */
  dirtyRatio(_log: Log, _nowMs: number, _upTo: number): number | null {
    return null;
  }
  async clean(_log: Log, _nowMs: number, _upTo: number): Promise<void> {}
}
