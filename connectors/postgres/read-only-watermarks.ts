/**
 * Watermarks of incremental snapshots without writing (`read.only=true`, PostgreSQL 13): pg_current_snapshot() before a chunk is
 * read, the WAL position after it.
 *
 * A row of the chunk must not follow a newer state of it. Changes that are streamed once the window is open take their rows out of
 * the chunk, whatever the chunk saw of them. Those streamed before are in the chunk if their transactions are visible in the
 * low snapshot, so the window waits until they are: a commit is in the WAL a little before other sessions see it. The chunk is
 * sent once the stream has passed the high position: by then every transaction that the chunk shows was streamed.
 */

/** Transactions that were streamed of late: a commit is in the WAL a little before others see it. */
const RECENT_MAX = 4096;
const RETRY_MS = 10;
const RETRIES_MAX = 500;

/** As pg_current_snapshot() prints it: xmin:xmax:xip,… with epochs; the stream has the lower 32 bits of transaction ids. */
export interface Visibility {
  readonly xmax: number;
  readonly inProgress: ReadonlySet<number>;
}
const lower = (xid: string): number => Number(BigInt(xid) & 0xffffffffn);
export function visibilityOf(snapshot: string): Visibility {
  const [, xmax = "0", running = ""] = snapshot.split(":");
  return {
    xmax: lower(xmax),
    inProgress: new Set(
      running
        .split(",")
        .filter((x) => x !== "")
        .map(lower),
    ),
  };
}
/** Whether the transaction had committed (or failed) when the snapshot was taken. Ids wrap around. */
export const isVisible = (v: Visibility, xid: number): boolean => ((xid - v.xmax) | 0) < 0 && !v.inProgress.has(xid);

export class ReadOnlyWatermarks {
  readonly #onClosed: (closeId: string) => void;
  #high: { readonly lsn: number; readonly closeId: string } | null = null;
  #passed = 0;
  /** A ring: it is written to at each transaction, and seldom read. */
  readonly #recent = new Uint32Array(RECENT_MAX);
  #seen = 0;

  constructor(onClosed: (closeId: string) => void) {
    this.#onClosed = onClosed;
  }
  /** Resolves when all that was streamed before this call is visible to other sessions. `current`: asks for pg_current_snapshot(). */
  async open(current: () => Promise<string>): Promise<void> {
    this.#high = null;
    const streamed = this.#recent.slice(0, Math.min(this.#seen, RECENT_MAX));
    for (let i = 0; i < RETRIES_MAX; i++) {
      const low = visibilityOf(await current());
      if (streamed.every((xid) => isVisible(low, xid))) return;
      await new Promise((r) => setTimeout(r, RETRY_MS));
    }
    throw new Error("transactions stay invisible after their commit was streamed (is a synchronous standby away?)");
  }
  /** The chunk was read; the window closes when the stream passes `lsn`, where the WAL ended then. */
  close(lsn: number, closeId: string): void {
    this.#high = { lsn, closeId };
    this.#settle();
  }
  /** A transaction begins in the stream. */
  transaction(xid: number): void {
    this.#recent[this.#seen++ % RECENT_MAX] = xid;
  }
  /** Everything that was committed before `lsn` was streamed. */
  passed(lsn: number): void {
    if (lsn > this.#passed) this.#passed = lsn;
    this.#settle();
  }
  #settle(): void {
    const high = this.#high;
    if (high === null || this.#passed < high.lsn) return;
    this.#high = null;
    this.#onClosed(high.closeId);
  }
}
