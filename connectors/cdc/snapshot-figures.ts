/** How snapshots get on, as Debezium's snapshot bean tells it: learnt from what is notified, and from counters that are there anyway. */
import type { ConnectValue } from "#connect/api/value";
import type { Chunk, KeyValues } from "./incremental-snapshot/port.ts";
import type { MetricLabels, MetricSheet } from "./metric-sheet.ts";

type State = "none" | "running" | "paused" | "aborted" | "completed" | "skipped";
interface ChunkFigures {
  readonly id: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly tableFrom: string | null;
  readonly tableTo: string | null;
}
const textOf = (value: ConnectValue): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
/** As Java writes an array. */
const asArray = (key: KeyValues): string => `[${key.map(String).join(", ")}]`;

export class SnapshotFigures {
  #state: State = "none";
  #startMs = 0;
  #stopMs = 0;
  #pausedAtMs = 0;
  #pausedMs = 0;
  readonly #captured = new Set<string>();
  readonly #remaining = new Set<string>();
  /** Rows read of each table. */
  readonly #rows = new Map<string, () => number>();
  /** Rows of incremental snapshots, and of tables that were read again. */
  #earlierRows = 0;
  #seen = 0;
  #seenAtMs = 0;
  #chunk: ChunkFigures | null = null;
  /** A global read lock is held (MySQL, MariaDB). */
  holdingGlobalLock = false;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }
  /** `read`: those of them that are to be read. */
  determined(captured: readonly string[], read: readonly string[]): void {
    for (const id of captured) this.#captured.add(id);
    for (const id of captured) if (!this.#rows.has(id)) this.#rows.set(id, () => 0);
    for (const id of read) this.#remaining.add(id);
  }
  reading(id: string, rows: () => number): void {
    this.#earlierRows += this.#rows.get(id)?.() ?? 0;
    this.#rows.set(id, rows);
  }
  /** Of an incremental snapshot. `scanned`: rows of the table so far, those of the chunk among them. */
  chunk(table: string, id: string, { rows, lastKey }: Pick<Chunk<unknown>, "rows" | "lastKey">, maximum: KeyValues, scanned: number): void {
    const first = scanned === rows.length;
    const key = rows[0]?.key ?? null;
    const from = key === null ? null : asArray(key.slots.map(textOf));
    const tableFrom = first ? from : (this.#chunk?.tableFrom ?? null);
    this.#chunk = { id, from, to: asArray(lastKey), tableFrom, tableTo: asArray(maximum) };
    this.#captured.add(table);
    if (first) this.#earlierRows += this.#rows.get(table)?.() ?? 0;
    this.#rows.set(table, () => scanned);
  }
  /** The task has failed in the midst of it. */
  interrupted(): void {
    if (this.#state === "running") this.#ended("aborted");
  }
  /** What was notified of an initial, blocking or incremental snapshot. */
  observed(type: string, data: Readonly<Record<string, string>>): void {
    switch (type) {
      case "STARTED":
        this.#state = "running";
        this.#startMs = this.#nowMs();
        this.#stopMs = this.#pausedMs = 0;
        return;
      case "PAUSED":
        this.#state = "paused";
        this.#pausedAtMs = this.#nowMs();
        return;
      case "RESUMED":
        this.#state = "running";
        this.#pausedMs += this.#nowMs() - this.#pausedAtMs;
        return;
      case "TABLE_SCAN_COMPLETED": {
        const id = data["scanned_collection"] ?? "";
        const rows = Number(data["total_rows_scanned"] ?? "0");
        if (this.#captured.has(id)) this.#rows.set(id, () => rows);
        this.#remaining.delete(id);
        return;
      }
      case "COMPLETED":
        return this.#ended("completed");
      case "ABORTED":
        return this.#ended("aborted");
      case "SKIPPED":
        this.#state = "skipped";
        return;
      default:
    }
  }
  #ended(state: State): void {
    this.#state = state;
    this.#stopMs = this.#nowMs();
    if (state === "completed") this.#remaining.clear();
    this.#chunk = null;
  }
  get #seconds(): number {
    if (this.#startMs === 0) return 0;
    return Math.floor(((this.#stopMs === 0 ? this.#nowMs() : this.#stopMs) - this.#startMs) / 1000);
  }
  /** `labels` of the bean. */
  report(sheet: MetricSheet, labels: MetricLabels): void {
    const put = (name: string, value: number | string | boolean | null): void => sheet.put(name, value, labels);
    const state = this.#state;
    put("TotalTableCount", this.#captured.size);
    put("RemainingTableCount", this.#remaining.size);
    put("SnapshotRunning", state === "running");
    put("SnapshotPaused", state === "paused");
    put("SnapshotAborted", state === "aborted");
    put("SnapshotCompleted", state === "completed");
    put("SnapshotSkipped", state === "skipped");
    put("SnapshotDurationInSeconds", this.#seconds);
    const pausing = state === "paused" ? this.#nowMs() - this.#pausedAtMs : 0;
    put("SnapshotPausedDurationInSeconds", Math.floor((this.#pausedMs + pausing) / 1000));
    let seen = this.#earlierRows;
    for (const [table, rows] of this.#rows) {
      const count = rows();
      seen += count;
      sheet.put("RowsScanned", count, { ...labels, table });
    }
    for (const table of this.#captured) sheet.put("CapturedTables", 1, { ...labels, table });
    if (seen !== this.#seen) this.#seenAtMs = this.#nowMs();
    this.#seen = seen;
    put("TotalNumberOfEventsSeen", seen);
    for (const kind of ["Create", "Update", "Delete"]) put(`TotalNumberOf${kind}EventsSeen`, 0);
    put("MilliSecondsSinceLastEvent", seen === 0 ? -1 : this.#nowMs() - this.#seenAtMs);
    put("NumberOfEventsFiltered", 0);
    put("NumberOfErroneousEvents", 0);
    const chunk = this.#chunk;
    put("ChunkId", chunk?.id ?? null);
    put("ChunkFrom", chunk?.from ?? null);
    put("ChunkTo", chunk?.to ?? null);
    put("TableFrom", chunk?.tableFrom ?? null);
    put("TableTo", chunk?.tableTo ?? null);
  }
}
