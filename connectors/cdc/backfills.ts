/**
 * Backfills that were asked for by REST: one at a time, each an incremental snapshot or a blocking one that needs no signal.
 *
 * What is asked for is durable before it is answered: the list lies in the offset store, under a partition of its own beside the
 * source's, and only the task writes it. A backfill is `begun` once a durable offset of the source carries its snapshot; until then a
 * restart begins it again, from then on the offset says where it goes on, and an offset without it means that it is complete.
 */
import {
  type Backfill,
  BACKFILLS,
  type BackfillCommand,
  backfillPartition,
  type BackfillProgress,
  type BackfillRequest,
  type BackfillTable,
} from "#connect/api/backfill";
import type { Logger, OffsetReader } from "#connect/api/connector";
import { ConnectError } from "#connect/api/errors";
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import type { IncrementalSnapshot } from "./incremental-snapshot/snapshot.ts";
import type { Notifier } from "./notifications.ts";
import { messageOf } from "./source-error.ts";

/** Answers a request; the task goes on. */
export class BackfillRefused extends ConnectError {
  constructor(message: string, cause?: unknown) {
    super(message, { causeClass: "config", cause });
  }
}
export interface BackfillDatabase {
  /** Ids of the captured tables; the table of signals is none. */
  tables(): Promise<readonly string[]>;
  /** Throws BackfillRefused where the table cannot be read in this way, with this condition. */
  check(table: BackfillTable, kind: Backfill["kind"]): Promise<void>;
  /** Why there are no incremental snapshots; null: there are. */
  readonly refusal: string | null;
}
/** While the stream is open. */
export interface BackfillServing {
  /** Id of the request whose incremental snapshot was restored from the stored offset; null: none was. */
  readonly restored: string | null;
  /** Null: there are none. */
  readonly incremental: Pick<IncrementalSnapshot<{ readonly id: string }>, "active" | "execute" | "pause" | "resume" | "stop"> | null;
  /** Stops streaming, reads the tables, goes on. `aborted` is asked between tables. Rejects where it could not be read to its end. */
  readonly blocking: (tables: readonly BackfillTable[], aborted: () => boolean) => Promise<void>;
}
export interface BackfillSettings {
  /** Of the source. */
  readonly partition: SourcePartition;
  readonly offsets: OffsetReader;
  readonly database: BackfillDatabase;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly log: Logger;
}
interface Entry extends Omit<{ -readonly [K in keyof Backfill]: Backfill[K] }, "tables"> {
  tables: { -readonly [K in keyof BackfillProgress]: BackfillProgress[K] }[];
  /** See above. */
  begun: boolean;
  /** How often its reading began, for blocking ones. */
  tries: number;
}
const OPEN_MAX = 20;
const FINAL_KEPT = 20;
const TABLES_MAX = 1000;
const TRIES_MAX = 3;
const FINAL: ReadonlySet<string> = new Set(["completed", "stopped", "failed"]);
const isOpen = (entry: Entry): boolean => !FINAL.has(entry.state);
/** A table's id as a regular expression, which signals take. */
const escaped = (id: string): string => id.replaceAll(/[^\w]/g, String.raw`\$&`);
/** A condition as one operand; what comments the rest of its line out does not reach the parenthesis. */
export const enclosed = (where: string): string => `(${where}\n)`;
const shown = ({ begun: _begun, tries: _tries, ...backfill }: Entry): Backfill => structuredClone(backfill);

function outcomeOf({ tables }: Entry): "completed" | "stopped" | "failed" {
  if (tables.some((t) => t.state === "failed")) return "failed";
  return tables.some((t) => t.state === "stopped") ? "stopped" : "completed";
}

export class Backfills {
  readonly #s: BackfillSettings;
  #entries: Entry[] = [];
  #loaded: Promise<void> | null = null;
  #serving: BackfillServing | null = null;
  /** Outlives the stream that is away. */
  #attached: BackfillServing["incremental"] = null;
  /** Whose snapshot is running, paused or on its way. */
  #active: Entry | null = null;
  #stopWanted = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(settings: BackfillSettings) {
    this.#s = settings;
  }
  /** Reads what was asked for before; once. */
  load(): Promise<void> {
    return (this.#loaded ??= this.#load());
  }
  async #load(): Promise<void> {
    const [offset] = await this.#s.offsets.offsets([backfillPartition(this.#s.partition)]);
    const text = offset?.[BACKFILLS];
    if (typeof text === "string") this.#entries = JSON.parse(text) as Entry[];
  }
  /** Whether the incremental snapshot of a stored offset is one of these. */
  owns(offset: SourceOffset): boolean {
    const id = offset["incremental_snapshot_correlation_id"];
    return this.#entries.some((e) => e.kind === "incremental" && e.id === id && isOpen(e));
  }
  /** The stream is open, and a stored incremental snapshot is restored but does not read yet. */
  attach(serving: BackfillServing): void {
    // A new one knows nothing of what the old one was asked for: the offset says how far that came.
    if (serving.incremental !== this.#attached && this.#active?.kind === "incremental") this.#active = null;
    this.#attached = serving.incremental;
    this.#serving = serving;
    const running = serving.incremental?.active === true;
    for (const entry of this.#entries.filter((e) => isOpen(e) && e !== this.#active)) {
      if (entry.kind === "incremental" && (entry.begun || (running && entry.id === serving.restored))) {
        if (running) this.#active = entry;
        else this.#end(entry, "completed");
      } else if (entry.state === "running") entry.state = "waiting";
    }
    if (this.#active?.state === "paused") serving.incremental?.pause();
    this.#soon();
  }
  /** The stream is away. */
  detach(): void {
    this.#serving = null;
  }
  /** A durable offset of the source. */
  durable(offset: SourceOffset): void {
    const entry = this.#active;
    if (entry === null || entry.begun || entry.kind !== "incremental") return;
    const tables = offset["incremental_snapshot_collections"];
    if (typeof tables !== "string" || !entry.tables.some((t) => tables.includes(JSON.stringify(t.table)))) return;
    entry.begun = true;
    this.#saveSoon();
  }
  /** Learns from the notifications how snapshots get on. */
  follow(notifier: Notifier): void {
    notifier.observe = (aggregate, type, data) => this.observed(aggregate, type, data);
  }
  /** What a notification says of a snapshot. */
  observed(aggregate: string, type: string, data: Readonly<Record<string, string>>): void {
    const entry = this.#active;
    const kind = aggregate === "Incremental Snapshot" ? "incremental" : "blocking";
    if (entry === null) {
      if (type === "COMPLETED" || type === "ABORTED") this.#soon();
      return;
    }
    if (entry.kind !== kind) return;
    if (type === "IN_PROGRESS") this.#table(entry, data["current_collection_in_progress"], "running");
    else if (type === "TABLE_SCAN_COMPLETED") this.#scanned(entry, data);
    else if (kind === "blocking") return;
    else if (type === "PAUSED") this.#become(entry, "paused");
    else if (type === "RESUMED") this.#become(entry, "running");
    else if (type === "ABORTED") for (const id of (data["data_collections"] ?? "").split(",")) this.#table(entry, id, "stopped");
    // What a stop took away is told of after the end.
    else if (type === "COMPLETED") setImmediate(() => this.#end(entry, outcomeOf(entry)));
  }
  /** Throws BackfillRefused to refuse. */
  async command(command: BackfillCommand): Promise<readonly Backfill[]> {
    await this.load();
    if (command.do === "list") return this.#entries.map(shown);
    if (command.do === "start") return [shown(await this.#start(command.request))];
    const entry = this.#entries.find((e) => e.id === command.id);
    if (entry === undefined) return [];
    if (command.do === "stop") this.#stop(entry);
    else if (command.do === "pause") this.#pause(entry);
    else if (command.do === "resume") this.#resume(entry);
    await this.#writing;
    return [shown(entry)];
  }
  async #start(request: BackfillRequest): Promise<Entry> {
    const known = this.#entries.find((e) => e.id === request.id);
    if (known !== undefined) return known;
    const { tables, kind } = request;
    if (tables.length === 0 || tables.length > TABLES_MAX) throw new BackfillRefused(`A backfill needs 1 to ${TABLES_MAX} tables`);
    if (new Set(tables.map((t) => t.table)).size < tables.length) throw new BackfillRefused("A table is named twice");
    if (this.#entries.filter(isOpen).length >= OPEN_MAX) throw new BackfillRefused(`${OPEN_MAX} backfills are waiting already`);
    const { database, offsets } = this.#s;
    if (offsets.save === undefined) throw new BackfillRefused("There is no offset store to keep the request in");
    if (kind === "incremental" && database.refusal !== null)
      throw new BackfillRefused(`${database.refusal}; or ask with "kind": "blocking"`);
    const captured = new Set(await database.tables());
    for (const each of tables) {
      if (!captured.has(each.table))
        throw new BackfillRefused(
          `The connector does not capture ${each.table}; it captures ${[...captured].slice(0, 20).join(", ") || "no table"}`,
        );
      await database.check(each, kind);
    }
    const now = this.#now();
    const entry: Entry = {
      id: request.id ?? this.#s.newId(),
      kind,
      state: "waiting",
      tables: tables.map(({ table, where }) => ({ table, where, state: "waiting", rows: null, reason: null })),
      requested_at: now,
      changed_at: now,
      reason: null,
      begun: false,
      tries: 0,
    };
    this.#entries.push(entry);
    try {
      await this.#save();
    } catch (error) {
      this.#entries = this.#entries.filter((e) => e !== entry);
      throw new BackfillRefused(`The backfill was not taken, the offset store did not keep it: ${messageOf(error)}`, error);
    }
    this.#soon();
    return entry;
  }
  #stop(entry: Entry): void {
    if (!isOpen(entry)) return;
    if (entry !== this.#active && !entry.begun) return this.#end(entry, "stopped");
    const { incremental } = this.#open();
    if (entry.kind === "blocking") this.#stopWanted = true;
    else {
      incremental?.stop(entry.tables.map((t) => escaped(t.table)));
      // It stops before the next chunk, which a paused one never comes to.
      if (entry.state === "paused") incremental?.resume();
      this.#end(entry, "stopped");
    }
  }
  #pause(entry: Entry): void {
    if (!isOpen(entry) || entry.state === "paused") return;
    if (entry !== this.#active && !entry.begun) return this.#become(entry, "paused");
    if (entry.kind === "blocking") throw new BackfillRefused("A blocking backfill cannot be paused once it reads; it can be stopped");
    this.#open().incremental?.pause();
    this.#become(entry, "paused");
  }
  #resume(entry: Entry): void {
    if (entry.state !== "paused") return;
    if (entry === this.#active) {
      this.#open().incremental?.resume();
      return this.#become(entry, "running");
    }
    this.#become(entry, entry.begun ? "running" : "waiting");
    this.#soon();
  }
  #open(): BackfillServing {
    if (this.#serving === null) throw new BackfillRefused("The stream is not open at the moment; ask again");
    return this.#serving;
  }
  #soon(): void {
    // A snapshot that tells of its end is still at it.
    setImmediate(() => void this.#turn());
  }
  /** Begins the next one that waits. */
  async #turn(): Promise<void> {
    const serving = this.#serving;
    if (serving === null || this.#active !== null) return;
    const entry = this.#entries.find((e) => e.state === "waiting");
    if (entry === undefined) return;
    if (entry.kind === "blocking") return this.#block(entry, serving);
    // A snapshot of a signal comes first.
    if (serving.incremental === null || serving.incremental.active) return;
    this.#active = entry;
    this.#become(entry, "running");
    const conditions = entry.tables.flatMap(({ table, where }) =>
      where === null ? [] : [{ collection: escaped(table), filter: enclosed(where) }],
    );
    const tables = entry.tables.map((t) => t.table);
    serving.incremental.execute(
      entry.id,
      { collections: tables.map(escaped), kind: "incremental", conditions, surrogateKey: null },
      tables,
    );
  }
  async #block(entry: Entry, serving: BackfillServing): Promise<void> {
    if (entry.tries >= TRIES_MAX)
      return this.#end(entry, "failed", entry.reason ?? `it was interrupted ${TRIES_MAX} times before its end was reached`);
    this.#active = entry;
    this.#stopWanted = false;
    entry.tries++;
    this.#become(entry, "running");
    try {
      await this.#writing;
      await serving.blocking(entry.tables, () => this.#stopWanted);
      this.#end(entry, this.#stopWanted ? "stopped" : "completed");
    } catch (error) {
      entry.reason = messageOf(error);
      // The stream is away or will be soon: once it is back, it is tried again.
      this.#active = null;
      this.#become(entry, "waiting");
      if (this.#serving === serving) this.#end(entry, "failed", entry.reason);
    }
  }
  #scanned(entry: Entry, data: Readonly<Record<string, string>>): void {
    const status = data["status"] ?? "";
    const read = status === "SUCCEEDED" || status === "EMPTY";
    const table = this.#table(entry, data["scanned_collection"], read ? "completed" : "failed");
    if (table === null) return;
    table.rows = Number(data["total_rows_scanned"] ?? 0);
    table.reason = read ? null : status;
  }
  #table(entry: Entry, id: string | undefined, state: BackfillProgress["state"]): Entry["tables"][number] | null {
    const table = entry.tables.find((t) => t.table === id) ?? null;
    if (table !== null && table.state !== state) {
      table.state = state;
      entry.changed_at = this.#now();
      this.#saveSoon();
    }
    return table;
  }
  #become(entry: Entry, state: Backfill["state"]): void {
    if (entry.state === state) return;
    entry.state = state;
    entry.changed_at = this.#now();
    this.#saveSoon();
  }
  #end(entry: Entry, state: "completed" | "stopped" | "failed", reason: string | null = null): void {
    if (this.#active === entry) this.#active = null;
    if (!isOpen(entry)) return;
    for (const table of entry.tables) if (table.state === "waiting" || table.state === "running") table.state = state;
    entry.reason = reason;
    this.#become(entry, state);
    const old = this.#entries.filter((e) => !isOpen(e)).slice(0, -FINAL_KEPT);
    this.#entries = this.#entries.filter((e) => !old.includes(e));
    this.#s.log.info(`the backfill '${entry.id}' is ${state}${reason === null ? "" : `: ${reason}`}`);
    this.#soon();
  }
  #now(): string {
    return new Date(this.#s.nowMs()).toISOString();
  }
  #saveSoon(): void {
    this.#save().catch((error: unknown) => this.#s.log.warn(`the list of backfills could not be stored: ${messageOf(error)}`));
  }
  #save(): Promise<void> {
    // Writes follow each other; each has what stands when its turn comes.
    const written = this.#writing
      .catch(() => {})
      .then(() => this.#s.offsets.save?.(backfillPartition(this.#s.partition), { [BACKFILLS]: JSON.stringify(this.#entries) }));
    this.#writing = written.catch(() => {});
    return written;
  }
}
