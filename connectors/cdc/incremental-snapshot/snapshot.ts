/** Incremental snapshots: chunks between watermarks, next to the stream. How a connector uses one: `port.ts`. */
import { randomUUID } from "node:crypto";
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { anchored } from "../expressions.ts";
import type { Notifier } from "../notifications.ts";
import type { SnapshotRequest } from "../signals.ts";
import { IncrementalContext } from "./context.ts";
import type { Chunk, ChunkRow, Collection, IncrementalDatabase, Watermark } from "./port.ts";

const RETRY_MS = 1000;

export interface IncrementalSettings<Plan> {
  /** As the stream names it; null: no signal table, watermarks are positions of the log. */
  readonly signalTable: string | null;
  readonly chunkSize: number;
  /** The closing watermark deletes the opening one, instead of adding a row. */
  readonly deletes: boolean;
  /** `incremental.snapshot.allow.schema.changes`: as in the reference, the first window of a table has no rows. */
  readonly looksFirst?: boolean;
  readonly database: IncrementalDatabase<Plan>;
  readonly notifier: Notifier;
  readonly emit: (plan: Plan, row: ChunkRow) => void;
  readonly warn: (message: string) => void;
}
interface Window<Plan> {
  readonly closeId: string;
  /** Null: no table was left. */
  readonly chunk: Chunk<Plan> | null;
}

/** `"S x"."T y"` names the table that is S x.T y elsewhere. */
const withoutQuotes = (name: string): string => name.replaceAll(/"((?:[^"]|"")+)"/g, (_, inner: string) => inner.replaceAll('""', '"'));

export class IncrementalSnapshot<Plan extends { readonly id: string }> {
  readonly #s: IncrementalSettings<Plan>;
  readonly #context = new IncrementalContext();
  #paused = false;
  #reading = false;
  #window: Window<Plan> | null = null;
  #openId: string | null = null;
  /** The table that had its window without rows. */
  #looked: Collection | null = null;
  readonly #changed = new Set<string>();
  /** What the window holds is not sent. */
  #stale = false;
  /** Expressions of stop signals that were not heeded yet. */
  readonly #stops: string[] = [];

  constructor(settings: IncrementalSettings<Plan>) {
    this.#s = settings;
  }
  get signalTable(): string | null {
    return this.#s.signalTable;
  }
  get active(): boolean {
    return this.#context.active;
  }
  /** Goes on where a stored offset says. */
  restore(offset: SourceOffset): void {
    this.#context.restore(offset);
  }
  /** Keys of the offset while a snapshot is running. */
  offset(): Readonly<Record<string, OffsetValue>> {
    return this.#context.offset();
  }
  /** `tables`: ids of all captured tables, which the request's expressions choose from. */
  execute(id: string, request: SnapshotRequest, tables: readonly string[]): void {
    const context = this.#context;
    const wanted = request.collections.flatMap((expression) => {
      const pattern = anchored(expression, "data-collections");
      const name = withoutQuotes(expression);
      const found = tables.filter((t) => pattern.test(t) || t === name);
      // What is captured nowhere is told of as such, under the name that was asked for.
      return found.length === 0 ? [name] : found.filter((t) => t !== this.#s.signalTable);
    });
    const wasActive = this.active;
    for (const table of new Set(wanted)) {
      // A signal of a channel that was served before a restart, but not marked as served.
      if (wasActive && id === context.correlation && context.collections.some((c) => c.id === table)) continue;
      const condition = request.conditions.find(
        (c) => withoutQuotes(c.collection) === table || anchored(c.collection, "additional-conditions").test(table),
      );
      context.collections.push({ id: table, filter: condition?.filter ?? null, surrogateKey: request.surrogateKey });
    }
    if (!this.active) return;
    // A request that joins a running snapshot gives it its name.
    context.correlation = id;
    if (wasActive) return;
    this.#notify("STARTED", { data_collections: context.ids() });
    this.next();
  }
  pause(): void {
    if (!this.active || this.#paused) return;
    this.#paused = true;
    this.#notify("PAUSED", { data_collections: this.#context.ids() });
  }
  resume(): void {
    if (!this.active || !this.#paused) return;
    this.#paused = false;
    this.#notify("RESUMED", { data_collections: this.#context.ids() });
    if (this.#window === null) this.next();
  }
  /** Empty: all collections. As in the reference, what is being read is sent first: it takes effect before the next chunk. */
  stop(collections: readonly string[]): void {
    if (this.active) this.#stops.push(...(collections.length === 0 ? [".*"] : collections));
  }
  /** The current table last; notifications of what was stopped come after that of the end, if it is one. */
  #processStops(): void {
    const expressions = this.#stops.splice(0);
    if (expressions.length === 0) return;
    const context = this.#context;
    const wanted = expressions.map((e) => [anchored(e, "data-collections"), withoutQuotes(e)] as const);
    const stops = ({ id }: { readonly id: string }): boolean => wanted.some(([pattern, name]) => pattern.test(id) || id === name);
    const current = context.current;
    const endsCurrent = current !== undefined && stops(current);
    const stopped = context.collections.filter((c) => c !== current && stops(c)).map((c) => c.id);
    context.collections = context.collections.filter((c) => c === current || !stops(c));
    if (endsCurrent) {
      stopped.push(current.id);
      this.#nextTable();
    }
    this.#s.notifier.send(
      "Incremental Snapshot",
      "ABORTED",
      { data_collections: stopped.join(",") },
      this.active ? context.correlation : null,
    );
  }
  /** A change of a captured table came from the stream. */
  changed(table: string, keyText: () => string): void {
    if (this.#openId !== null && table === this.#context.current?.id) this.#changed.add(keyText());
  }
  /**
   * The stream has passed a change of the table's definition, or the end of all its rows: a chunk that was read by the old one, or is being
   * read, is read again, so that none of its rows follows the change as it was before.
   */
  altered(table: string): void {
    if ((this.#reading || this.#window !== null) && table === this.#context.current?.id) this.#stale = true;
  }
  opened(id: string): void {
    if (id !== this.#openId) this.#changed.clear();
    this.#openId = id;
  }
  /** The closing watermark came: what did not change in between is sent, and the next chunk is read. */
  closed(id: string): void {
    const window = this.#window;
    if (window === null || id !== window.closeId) return;
    this.#window = null;
    this.#openId = null;
    const chunk = window.chunk;
    const stale = this.#stale;
    this.#stale = false;
    if (chunk !== null && stale) this.#context.scanned -= chunk.rows.length;
    else if (chunk !== null) {
      for (const row of chunk.rows) if (!this.#changed.has(row.keyText)) this.#s.emit(chunk.plan, row);
      this.#context.lastKey = chunk.lastKey;
      this.#notify("IN_PROGRESS", {
        current_collection_in_progress: chunk.plan.id,
        maximum_key: (this.#context.maximumKey ?? []).join(","),
        last_processed_key: chunk.lastKey.join(","),
        data_collections: this.#context.ids(),
      });
    }
    this.#changed.clear();
    if (!this.#paused) this.next();
  }
  async close(): Promise<void> {
    await this.#s.database.reset();
  }
  /** Reads the next chunk, unless one is on its way. */
  next(): void {
    if (this.#reading || !this.active || this.#paused || this.#window !== null) return;
    this.#reading = true;
    let failed = false;
    this.#readChunk()
      // A failed query is tried again rather than given up with the table half read.
      .catch((error: unknown) => {
        failed = true;
        this.#s.warn(
          `a chunk of the incremental snapshot could not be read, trying again: ${error instanceof Error ? error.message : String(error)}`,
        );
        void this.close();
        setTimeout(() => this.next(), RETRY_MS).unref();
      })
      .finally(() => {
        this.#reading = false;
        // The closing watermark may have come back before its own statement had ended.
        if (!failed) this.next();
      });
  }
  #notify(type: string, data: Readonly<Record<string, string>>): void {
    this.#s.notifier.send("Incremental Snapshot", type, data, this.#context.correlation);
  }
  #finishTable(status: string): void {
    const context = this.#context;
    const table = context.current;
    if (table !== undefined)
      this.#notify("TABLE_SCAN_COMPLETED", {
        scanned_collection: table.id,
        total_rows_scanned: String(context.scanned),
        status,
        data_collections: context.ids(),
      });
    this.#nextTable();
  }
  #nextTable(): void {
    this.#context.collections.shift();
    this.#context.startTable();
    if (!this.active) this.#notify("COMPLETED", {});
  }
  async #readChunk(): Promise<void> {
    const context = this.#context,
      database = this.#s.database;
    this.#processStops();
    if (!this.active) return;
    const watermark = this.#watermark();
    await database.openWindow(watermark);
    let chunk: Chunk<Plan> | null = null;
    for (let current = context.current; current !== undefined; current = context.current) {
      const answer = await database.readChunk({
        collection: current,
        after: context.lastKey,
        maximum: context.maximumKey,
        maxRows: this.#s.chunkSize,
      });
      if (answer === "UNKNOWN_SCHEMA" || answer === "NO_PRIMARY_KEY") this.#finishTable(answer);
      else if (this.#s.looksFirst === true && this.#looked !== current) {
        this.#looked = current;
        break;
      } else if (typeof answer === "string") this.#finishTable(answer);
      else {
        context.maximumKey = answer.maximum;
        context.scanned += answer.chunk.rows.length;
        chunk = answer.chunk;
        this.#s.notifier.figures.chunk(current.id, watermark.openId, chunk, answer.maximum, context.scanned);
        break;
      }
    }
    this.#window = { closeId: watermark.closeId, chunk };
    await database.closeWindow(watermark);
  }
  #watermark(): Watermark {
    const id = randomUUID();
    const openedAt = new Date().toISOString();
    const openId = `${id}-open`;
    return {
      openId,
      closeId: this.#s.deletes ? openId : `${id}-close`,
      openData: `{"openWindowTimestamp": "${openedAt}"}`,
      closeData: () => `{"openWindowTimestamp": "${openedAt}", "closeWindowTimestamp": "${new Date().toISOString()}"}`,
    };
  }
}
