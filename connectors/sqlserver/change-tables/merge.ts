/** Rows of several change tables in the order of the log: by commit LSN, then by the LSN of the change, then by the tables' order. */
import type { Lsn } from "./lsn.ts";
import type { RowPlace } from "./statements.ts";

export interface ChangeRow extends RowPlace {
  /** Values of the captured columns, as the driver gives them. */
  readonly values: readonly unknown[];
}
/** Gives a change table's rows page by page. An empty page is the end. */
export type PageReader = (after: RowPlace | null) => Promise<readonly ChangeRow[]>;

export class ChangeCursor<Table> {
  readonly table: Table;
  readonly #read: PageReader;
  readonly #pageRows: number;
  #page: readonly ChangeRow[] = [];
  #at = 0;
  #done = false;
  #last: RowPlace | null = null;

  /** `pageRows`: a page with fewer rows is the last one. */
  constructor(table: Table, pageRows: number, read: PageReader) {
    this.table = table;
    this.#pageRows = pageRows;
    this.#read = read;
  }
  get head(): ChangeRow | null {
    return this.#page[this.#at] ?? null;
  }
  /** A row is there, or the end has been reached. */
  get ready(): boolean {
    return this.#at < this.#page.length || this.#done;
  }
  async fill(): Promise<void> {
    if (this.ready) return;
    this.#page = await this.#read(this.#last);
    this.#at = 0;
    this.#last = this.#page.at(-1) ?? this.#last;
    if (this.#page.length < this.#pageRows) this.#done = true;
  }
  /** Takes the head. */
  next(): ChangeRow | null {
    const row = this.#page[this.#at] ?? null;
    if (row !== null) this.#at++;
    return row;
  }
}
/** The cursor with the smallest row; all must be ready. Null: no rows are left. */
export function smallest<Table>(cursors: readonly ChangeCursor<Table>[]): ChangeCursor<Table> | null {
  let best: ChangeCursor<Table> | null = null,
    start: Lsn = "",
    change: Lsn = "";
  for (const cursor of cursors) {
    const head = cursor.head;
    if (head === null) continue;
    if (best !== null && (head.start > start || (head.start === start && head.change >= change))) continue;
    best = cursor;
    start = head.start;
    change = head.change;
  }
  return best;
}
