/**
 * Records and recovers. Everything goes through one queue: a record is written only after a recovery that was asked for before it,
 * and there is exactly one recovery for each task. A record counts when it is durable; only then may the offset after it be handed on.
 */
import { createHash } from "node:crypto";
import type { Logger } from "#connect/api/connector";
import { ConnectError } from "#connect/api/errors";
import type {
  AtOrBefore,
  Checkpoint,
  HistoryCheckpoints,
  HistoryRecord,
  HistoryStore,
  HistoryTarget,
  JsonObject,
  RecoveredHistory,
  SchemaHistory,
} from "./history.ts";
import { HistoryFigures } from "./history-figures.ts";
import { historyJson, parseHistory } from "./history-json.ts";

export interface SchemaHistoryOptions {
  readonly store: HistoryStore;
  /** Null: none are kept. */
  readonly checkpoints: HistoryCheckpoints | null;
  /** Partition of the offsets; records of other sources in the same storage are left alone. */
  readonly source: JsonObject;
  readonly atOrBefore: AtOrBefore;
  /** Ids of two parts are catalog and table (MySQL), not schema and table. */
  readonly catalogFirst: boolean;
  /** The record is the first of a snapshot: nothing before it counts. Where storage has lost its beginning this is looked for. */
  readonly begins: (record: HistoryRecord) => boolean;
  readonly log: Logger;
}
/** Records replayed from which on a checkpoint is written. Smaller histories are quick without. */
const CHECKPOINT_FROM = 5_000;

const digest = (text: string | null): string =>
  createHash("sha256")
    .update(text ?? "")
    .digest("hex");
/** Keys sorted, so that equal sources compare equal. */
const canonical = (o: JsonObject): string => JSON.stringify(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Records that were written again after later ones of the same tables: by a task that read its log again from before them, and did not get
 * far, or that was replaced and did not know it. What they say is in the tables already, and was changed since.
 */
class Outdated {
  readonly #o: Pick<SchemaHistoryOptions, "atOrBefore" | "begins">;
  readonly #last = new Map<string, JsonObject>();
  constructor(options: Pick<SchemaHistoryOptions, "atOrBefore" | "begins">) {
    this.#o = options;
  }
  /** Whether all that the record changes was changed by a later one; else it counts as the last one of its tables. */
  has(record: HistoryRecord): boolean {
    // A new snapshot may be one of another server, whose positions cannot be compared.
    if (this.#o.begins(record)) this.#last.clear();
    const tables = record.tableChanges.map((change) => JSON.stringify(change.id));
    const { position } = record;
    if (tables.length > 0 && tables.every((table) => this.#isBefore(position, this.#last.get(table)))) return true;
    for (const table of tables) this.#last.set(table, position);
    return false;
  }
  #isBefore(position: JsonObject, last: JsonObject | undefined): boolean {
    return last !== undefined && this.#o.atOrBefore(position, last) && !this.#o.atOrBefore(last, position);
  }
}

export class RecordedHistory implements SchemaHistory {
  readonly #o: SchemaHistoryOptions;
  readonly #source: string;
  readonly figures = new HistoryFigures();
  #queue: Promise<unknown> = Promise.resolve();
  #recovered = false;

  constructor(options: SchemaHistoryOptions) {
    this.#o = options;
    this.#source = canonical(options.source);
  }
  get description(): string {
    return this.#o.store.description;
  }
  #then<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    // The next in the queue does not depend on this one's outcome; whoever asked has it.
    this.#queue = done.catch(() => {});
    return done;
  }
  /** The storage is there, perhaps empty. */
  storageExists(): Promise<boolean> {
    return this.#then(async () => (await this.#o.store.range()) !== null);
  }
  /** There are records (of any source, as Debezium looks). */
  exists(): Promise<boolean> {
    return this.#then(async () => {
      const range = await this.#o.store.range();
      return range !== null && range.end > range.start;
    });
  }
  initialize(): Promise<void> {
    return this.#then(() => this.#o.store.create());
  }
  /** Resolves when durable; in the order of the calls. */
  record(records: readonly HistoryRecord[]): Promise<void> {
    return this.#then(async () => {
      await this.#o.store.append(records.map(historyJson));
      this.figures.recorded(records);
    });
  }
  /** Throws ConnectError naming what is missing. A second call throws: a task recovers once. */
  recover(position: JsonObject, target: HistoryTarget): Promise<RecoveredHistory> {
    if (this.#recovered) throw new ConnectError("The schema history is recovered once for each start of a task");
    this.#recovered = true;
    return this.#then(async () => {
      this.figures.status("RECOVERING");
      const recovered = await this.#recover(position, target);
      this.figures.status("RUNNING");
      return recovered;
    });
  }
  async #recover(position: JsonObject, target: HistoryTarget): Promise<RecoveredHistory> {
    const { store, atOrBefore, catalogFirst } = this.#o;
    const range = await store.range();
    if (range === null || range.end === range.start) throw this.#gap(range === null ? "it is missing" : "it is empty", position);
    const checkpoint = await this.#usable(position, target, range);
    if (checkpoint !== null) target.state?.load(checkpoint.state);
    let searching = checkpoint === null && range.start > 0;
    const from = checkpoint?.next ?? range.start;
    const seen = {
      applied: 0,
      skipped: 0,
      last: checkpoint?.position ?? null,
      spared: from - range.start,
      next: from,
      mark: checkpoint?.mark ?? "",
      whole: true,
      ordered: true,
    };
    const outdated = new Outdated(this.#o);
    for await (const { place, text } of store.read(from)) {
      const record = text === null ? null : parseHistory(text, catalogFirst);
      if (record === null) {
        if (text !== null) this.#o.log.warn(`${store.description}: record ${place} is not one of a schema history, it is left out`);
      } else if (canonical(record.source) !== this.#source) seen.skipped++;
      else if (!atOrBefore(record.position, position)) {
        seen.skipped++;
        // A checkpoint ends before it: a later restart point may have it.
        seen.whole = false;
      } else {
        if (searching && !this.#o.begins(record))
          throw this.#gap(`its records before ${place} were deleted, and no snapshot begins with the first that is left`, position);
        searching = false;
        if (outdated.has(record)) {
          seen.skipped++;
        } else {
          // Records behind one that was left out are not in order; the state is not one of a place then.
          if (!seen.whole) seen.ordered = false;
          this.#apply(target, record, place);
          this.figures.recovered(record);
          seen.applied++;
          seen.last = record.position;
        }
      }
      if (seen.whole) {
        seen.next = place + 1;
        seen.mark = text ?? "";
      }
    }
    if (seen.last === null) throw this.#gap("it holds no record of this connector up to the position", position);
    await this.#checkpoint(target, position, seen);
    return { applied: seen.applied, skipped: seen.skipped, last: seen.last, spared: seen.spared };
  }
  #apply(target: HistoryTarget, record: HistoryRecord, place: number): void {
    try {
      target.apply(record);
    } catch (cause) {
      throw new ConnectError(`${this.#o.store.description}: record ${place} cannot be applied: ${record.ddl ?? "(no statement)"}`, {
        cause,
      });
    }
  }
  #gap(what: string, position: JsonObject): ConnectError {
    return new ConnectError(
      `The schema history (${this.#o.store.description}) cannot be used from ${JSON.stringify(position)}: ${what}. Set snapshot.mode to ` +
        "recovery if no table has changed since that position, else to always or when_needed for a new snapshot",
    );
  }
  /** A checkpoint that the history still goes on from and that holds nothing from after the position. */
  async #usable(position: JsonObject, target: HistoryTarget, range: { start: number; end: number }): Promise<Checkpoint | null> {
    if (target.state === null || this.#o.checkpoints === null) return null;
    try {
      const found = await this.#o.checkpoints.load(this.#source);
      const fits = found !== null && found.next > range.start && found.next <= range.end && this.#o.atOrBefore(found.position, position);
      if (!fits) return null;
      for await (const { place, text } of this.#o.store.read(found.next - 1))
        return place === found.next - 1 && digest(text) === found.mark ? found : null;
      return null;
    } catch (error) {
      this.#o.log.warn(`the checkpoint of the schema history cannot be read, all records are: ${String(error)}`);
      return null;
    }
  }
  async #checkpoint(
    target: HistoryTarget,
    position: JsonObject,
    seen: { readonly applied: number; readonly next: number; readonly mark: string; readonly ordered: boolean },
  ): Promise<void> {
    if (target.state === null || this.#o.checkpoints === null || !seen.ordered || seen.applied < CHECKPOINT_FROM) return;
    try {
      await this.#o.checkpoints.save(this.#source, {
        next: seen.next,
        position,
        mark: digest(seen.mark),
        state: target.state.save(),
      });
    } catch (error) {
      this.#o.log.warn(`the checkpoint of the schema history cannot be written, the next start reads all records: ${String(error)}`);
    }
  }
  async close(): Promise<void> {
    await this.#queue;
    await this.#o.store.close();
    await this.#o.checkpoints?.close();
  }
}
