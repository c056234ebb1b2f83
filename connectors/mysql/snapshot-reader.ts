/** Rows of a snapshot as events, marked first, last and so on. */
import type { SourceOffset } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TextRow, TextRowConsumer } from "./text-session.ts";

/** A row that waits for the next one, because only then it is known not to be the last. */
interface Held {
  readonly plan: TablePlan;
  readonly key: Struct | null;
  readonly row: Struct;
  readonly bytes: number;
  readonly first: boolean;
  readonly firstOfTable: boolean;
  lastOfTable: boolean;
}
export interface SnapshotOffsets {
  readonly during: SourceOffset;
  readonly last: SourceOffset;
  /** Position of the log, for source blocks. */
  readonly position: number;
}

export class SnapshotReader implements TextRowConsumer {
  readonly #events: EventWriter;
  readonly #source: SourceInfo;
  readonly #offsets: SnapshotOffsets;
  #plan: TablePlan | null = null;
  #held: Held | null = null;
  #ticked = false;
  rows = 0;
  tableRows = 0;

  constructor(events: EventWriter, source: SourceInfo, offsets: SnapshotOffsets) {
    this.#events = events;
    this.#source = source;
    this.#offsets = offsets;
  }
  get ready(): boolean {
    return !this.#events.full;
  }
  flushed(): void {
    this.#ticked = false;
    this.#events.flush();
  }
  table(plan: TablePlan): void {
    this.#plan = plan;
    this.tableRows = 0;
  }
  endOfTable(): void {
    if (this.#held !== null && this.#held.plan === this.#plan) this.#held.lastOfTable = true;
  }
  row(b: Buffer, row: TextRow, bytes: number): void {
    const plan = this.#plan;
    if (plan === null) return;
    if (!this.#ticked) {
      this.#events.tick();
      this.#ticked = true;
    }
    if (this.#held !== null) this.#release(this.#held);
    this.#held = {
      plan,
      key: plan.key(row, b),
      row: plan.row(row, b),
      bytes,
      first: this.rows === 0,
      firstOfTable: this.tableRows === 0,
      lastOfTable: false,
    };
    this.rows++;
    this.tableRows++;
  }
  /** Sends the last row. */
  finish(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) {
      this.#events.tick();
      this.#emit(held, "last", this.#offsets.last);
    }
    this.#events.flush();
  }
  #release(held: Held): void {
    const marker: SnapshotMarker = held.first
      ? "first"
      : held.lastOfTable
        ? "last_in_data_collection"
        : held.firstOfTable
          ? "first_in_data_collection"
          : "true";
    this.#emit(held, marker, this.#offsets.during);
  }
  #emit(held: Held, marker: SnapshotMarker, offset: SourceOffset): void {
    const source = this.#source.block(held.plan.schema, held.plan.table, this.#offsets.position, 0, marker);
    this.#events.upsert(held.plan, "r", held.key, null, held.row, source, null, offset, held.bytes);
  }
}
