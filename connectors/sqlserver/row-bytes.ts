/**
 * Cells of rows in pages of bytes, as table plans read them: many rows share a page, and a row's bytes never move once it is
 * complete. Nothing else refers to the driver's own values afterwards.
 */
import { type CellScan, shiftCells } from "../cdc/table-plan.ts";
import type { ColumnType } from "./column-type.ts";

const PAGE_BYTES = 64 * 1024;
const NULL_CELL = -1;

export class RowBytes implements CellScan {
  bytes: Buffer = Buffer.allocUnsafeSlow(PAGE_BYTES);
  length = 0;
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  #rowStart = 0;
  #cells = 0;

  /** Room for `size` more bytes of the current row, which may move to a new page. */
  reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const used = this.length - this.#rowStart;
    const page = Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, (used + size) * 2));
    this.bytes.copy(page, 0, this.#rowStart, this.length);
    shiftCells(this, this.#cells, -this.#rowStart);
    this.bytes = page;
    this.length = used;
    this.#rowStart = 0;
  }
  ascii(text: string): void {
    this.reserve(text.length);
    this.length += this.bytes.write(text, this.length, "latin1");
  }
  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length, "utf8");
  }
  raw(from: Uint8Array): void {
    this.reserve(from.length);
    this.bytes.set(from, this.length);
    this.length += from.length;
  }
  /** Writes a row; its cells are in `starts`, `ends` and `bytes` until the next one. Resolves to its size. */
  row(columns: readonly (ColumnType | null)[], values: readonly unknown[], first: number): number {
    const n = columns.length;
    if (n > this.starts.length) {
      this.starts = new Int32Array(n * 2);
      this.ends = new Int32Array(n * 2);
    }
    this.#rowStart = this.length;
    for (let i = 0; i < n; i++) {
      const value = values[first + i];
      const type = columns[i];
      this.#cells = i;
      if (value === null || value === undefined || type === null || type === undefined) {
        this.starts[i] = NULL_CELL;
        this.ends[i] = 0;
        continue;
      }
      const before = this.length - this.#rowStart;
      type.encode(value, this);
      this.starts[i] = this.#rowStart + before;
      this.ends[i] = this.length;
    }
    this.#cells = n;
    return this.length - this.#rowStart;
  }
}
