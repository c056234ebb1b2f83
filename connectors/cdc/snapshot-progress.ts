/**
 * How far an initial snapshot has come: tables that are complete, and chunks of tables that are not. It travels in the offset
 * of each row under one key of our own (unknown keys do not disturb the reference), so what a stored offset calls done was
 * acknowledged before it: offsets are committed over the contiguous prefix only.
 */
import { createHash } from "node:crypto";
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import type { KeyValues } from "./incremental-snapshot/port.ts";

const KEY = "snapshot_progress";

/** Chunk i holds keys after `bounds[i - 1]` up to and with `bounds[i]`; there is one chunk more than bounds. */
export interface TableChunks {
  /** Of how the table is read; other columns or another statement make what was done useless. */
  readonly shape: string;
  readonly bounds: readonly KeyValues[];
}
interface StoredTable {
  readonly shape: string;
  readonly bounds: readonly KeyValues[];
  readonly done: readonly number[];
}
interface Stored {
  readonly complete: Readonly<Record<string, string>>;
  readonly open: Readonly<Record<string, StoredTable>>;
}

export const shapeOf = (...parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 12);

export class SnapshotProgress {
  readonly #complete = new Map<string, string>();
  readonly #open = new Map<string, TableChunks & { readonly done: Set<number> }>();

  /** What a stored offset says; nothing is done where it says nothing. */
  static of(offset: SourceOffset | null): SnapshotProgress {
    const progress = new SnapshotProgress();
    const text = offset?.[KEY];
    if (typeof text !== "string") return progress;
    const stored = JSON.parse(text) as Stored;
    for (const [id, shape] of Object.entries(stored.complete)) progress.#complete.set(id, shape);
    for (const [id, t] of Object.entries(stored.open)) progress.#open.set(id, { ...t, done: new Set(t.done) });
    return progress;
  }
  get empty(): boolean {
    return this.#complete.size === 0 && this.#open.size === 0;
  }
  /** The table was read to its end, in this shape. */
  isComplete(id: string, shape: string): boolean {
    return this.#complete.get(id) === shape;
  }
  /** Chunks that an earlier run of the snapshot made of the table, and those of them that are done. Null: none in this shape. */
  chunks(id: string, shape: string): { readonly bounds: readonly KeyValues[]; readonly done: ReadonlySet<number> } | null {
    const open = this.#open.get(id);
    return open !== undefined && open.shape === shape ? open : null;
  }
  chunkDone(id: string, table: TableChunks, chunk: number): void {
    let open = this.#open.get(id);
    if (open === undefined || open.shape !== table.shape) this.#open.set(id, (open = { ...table, done: new Set() }));
    open.done.add(chunk);
  }
  tableComplete(id: string, shape: string): void {
    this.#open.delete(id);
    this.#complete.set(id, shape);
  }
  /** For offsets. */
  keys(): Readonly<Record<string, OffsetValue>> {
    if (this.empty) return {};
    const open = [...this.#open].map(([id, { shape, bounds, done }]): [string, StoredTable] => [id, { shape, bounds, done: [...done] }]);
    const stored: Stored = { complete: Object.fromEntries(this.#complete), open: Object.fromEntries(open) };
    return { [KEY]: JSON.stringify(stored) };
  }
}
