/** Streams the changes of one database: pass after pass over its change tables, in the order of the log. */
import type { SourceOffset } from "#connect/api/record";
import type { StreamSignals } from "../cdc/signal-handler.ts";
import { SourceError } from "../cdc/source-error.ts";
import type { Table } from "../cdc/table-model.ts";
import { idOf, type KeyOf, readInstances, readTables, type TableName } from "./catalog.ts";
import { CaptureWatch } from "./capture-watch.ts";
import { ChangeEmitter, type ChangedTable } from "./change-emitter.ts";
import { activeInstances, type ActiveInstance, type CaptureInstance, instancesByTable } from "./change-tables/capture-instance.ts";
import { compareLsn, type Lsn, lsnBytes, lsnText, nextLsn, ZERO_LSN } from "./change-tables/lsn.ts";
import { ChangeCursor, type ChangeRow, smallest } from "./change-tables/merge.ts";
import { Replay } from "./change-tables/replayed.ts";
import { CHANGE_COLUMNS, changeQuery, literal, type RowPlace, startsQuery, transactionsQuery } from "./change-tables/statements.ts";
import type { Session } from "./connection.ts";
import type { DatabaseContext } from "./database-context.ts";
import { DEBEZIUM_EXCEPTION, errorNumber, INVALID_OBJECT } from "./failures.ts";
import { type StoredPosition, streamOffset } from "./position.ts";
import type { PlannedTable } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import { limitedTo, sameTable } from "./schema-tracker.ts";

export interface StreamSettings {
  readonly context: DatabaseContext;
  readonly session: () => Promise<Session>;
  readonly signals: () => StreamSignals | null;
  /** Called after a signal row and before each pass: resolves when streaming may go on. */
  readonly settled: () => Promise<void>;
  /** A committed position may have passed it: tells of instances that are done. */
  readonly stopped: (instance: CaptureInstance, stopLsn: Lsn) => void;
}
/** An instance that is read, with the definition it has. */
interface Reading extends ChangedTable {
  readonly active: ActiveInstance;
  /** Tells of it when its first change comes; null: it is the table as it is known. */
  pending: Table | null;
}
interface Pass {
  readonly from: Lsn;
  readonly to: Lsn;
  /** Microseconds of each transaction's commit. */
  readonly times: ReadonlyMap<Lsn, number>;
}
/** Where `max.iteration.transactions` is 0. */
const TRANSACTIONS_MAX = 20_000;
const PAGE_ROWS_MAX = 2_000;
const PAGE_ROWS_MIN = 500;

export class DatabaseStream {
  readonly #s: StreamSettings;
  readonly emitter: ChangeEmitter;
  #readings: Reading[] | null = null;
  /** Instances that had started when `#readings` was made. */
  #loaded: ReadonlySet<string> = new Set();
  #replay: Replay;
  /** The stored transaction is read again, as it may not have been delivered to its end. */
  #again: boolean;
  /** How far passes have come. */
  #passed: Lsn | null;
  readonly #watch: CaptureWatch;
  /** Tables whose gaps were told of. */
  readonly #told = new Set<string>();

  constructor(settings: StreamSettings, stored: StoredPosition | null, offset: SourceOffset) {
    this.#s = settings;
    const { context } = settings;
    const position = stored ?? { commit: null, change: null, serial: 0 };
    this.emitter = new ChangeEmitter(context, position, offset, settings.signals);
    this.#again = position.change !== null;
    this.#replay = new Replay(
      position.commit === null || position.change === null
        ? null
        : { commit: position.commit, change: position.change, serial: position.serial },
    );
    this.#passed = position.commit;
    this.#watch = new CaptureWatch({
      database: context.database,
      log: context.log,
      nowMs: () => context.nowMicros() / 1000,
      agentQuery: context.settings.all.optional("sqlserver.agent.status.query"),
      tables: () => this.#keys(),
    });
  }
  /** First columns of the keys of captured tables. */
  #keys(): readonly KeyOf[] {
    const { tracker, settings } = this.#s.context;
    return tracker.tables().flatMap(({ id, primaryKeyColumnNames: [column] }) => {
      const table: TableName = { database: this.database, schema: id.schema ?? "", table: id.table };
      return column === undefined || !settings.captures(table) ? [] : [{ table, column }];
    });
  }
  get database(): string {
    return this.#s.context.database;
  }
  /** One pass; true: there was something. One query where nothing happened. */
  async pass(): Promise<boolean> {
    await this.#s.settled();
    const session = await this.#s.session();
    const next = await this.#next(session);
    if (next === null) {
      await this.#watch.idle(session, this.#passed !== null);
      return false;
    }
    this.#watch.moved();
    await this.#instances(session, next);
    await this.#read(session, next);
    // It may have ended early: the position stays where it is.
    if (this.#s.context.stopping()) return true;
    await this.#checkCleanup(session, next);
    this.#again = false;
    this.#passed = next.to;
    const { commit } = this.emitter.position;
    // Transactions without captured changes move the position too.
    if (compareLsn(commit, next.to) < 0) this.emitter.passed(next.to);
    this.#s.context.events.flush();
    return true;
  }
  /** Null: nothing is new. */
  async #next(session: Session): Promise<Pass | null> {
    const { settings } = this.#s.context;
    const configured = settings.all.int("max.iteration.transactions");
    const limit = configured === 0 ? TRANSACTIONS_MAX : configured;
    const passed = this.#passed;
    const rows = await session.rows(
      transactionsQuery(this.database, passed === null ? limit : limit + 1, passed !== null),
      passed === null ? {} : { from: lsnBytes(passed) },
    );
    const times = new Map<Lsn, number>();
    let to: Lsn | null = null;
    for (const row of rows) {
      to = lsnText(row[0] as Buffer);
      times.set(to, row[1] instanceof Date ? row[1].getTime() * 1000 : 0);
    }
    if (to === null || (!this.#again && passed !== null && to <= passed)) return null;
    const from = passed === null ? ZERO_LSN : this.#again ? passed : nextLsn(passed);
    return { from, to, times };
  }
  /** Looks for new capture instances, and for changes that the clean-up job took away. */
  async #instances(session: Session, pass: Pass): Promise<void> {
    const starts = await this.#checkCleanup(session, pass);
    // One that starts later is for a later pass.
    const started = new Set([...starts].flatMap(([name, start]) => (start <= pass.to ? [name] : [])));
    if (this.#readings === null || started.size !== this.#loaded.size || ![...started].every((name) => this.#loaded.has(name))) {
      await this.#reload(session, pass);
      this.#loaded = started;
    }
    for (const reading of this.#readings ?? [])
      if (reading.pending !== null && reading.active.instance.startLsn < pass.from) await this.#migrate(reading);
  }
  /** Before the position passes the start of an instance the history has to have it. The next start that was not told of; null: none. */
  async #migrateUpTo(lsn: Lsn): Promise<Lsn | null> {
    let next: Lsn | null = null;
    for (const reading of this.#readings ?? []) {
      if (reading.pending === null) continue;
      const { startLsn } = reading.active.instance;
      if (startLsn <= lsn) await this.#migrate(reading);
      else if (next === null || startLsn < next) next = startLsn;
    }
    return next;
  }
  /** Where instances start now, without those that have not begun. */
  async #checkCleanup(session: Session, pass: Pass): Promise<ReadonlyMap<string, Lsn>> {
    const starts = new Map<string, Lsn>();
    for (const [name, start] of await session.rows(startsQuery(this.database)))
      if (start instanceof Uint8Array) starts.set(String(name), lsnText(start));
    for (const { active } of this.#readings ?? []) {
      const { name, startLsn } = active.instance;
      const now = starts.get(name);
      // Where it begins now is after what has been read: the changes in between are gone.
      if (now !== undefined && now > startLsn && now > pass.from) throw cleanedUp(this.database, name, pass.from, now);
    }
    return starts;
  }
  async #reload(session: Session, pass: Pass): Promise<void> {
    const { context } = this.#s;
    const before = context.tracker.tables();
    const instances = await readInstances(session, this.database, lsnBytes(pass.to));
    const old = new Map((this.#readings ?? []).map((r) => [r.active.instance.name, r]));
    const readings: Reading[] = [];
    let current: ReadonlyMap<string, Table> | null = null;
    for (const own of instancesByTable(instances).values()) {
      const first = own[0];
      if (first === undefined) continue;
      const name: TableName = { database: this.database, schema: first.schema, table: first.table };
      if (!context.settings.captures(name)) continue;
      for (const [i, active] of activeInstances(own, pass.from).entries()) {
        const known = old.get(active.instance.name);
        if (known !== undefined) {
          readings.push({ active, planned: known.planned, before: null, pending: known.pending });
          continue;
        }
        const tracked = context.tracker.table(name);
        // A task that ended between an instance's start and its first change may not have told of it (the reference's do not): the history has the table as it was.
        const told = tracked !== undefined && sameNames(tracked, active.instance.columns);
        const newer = i > 0 || active.instance.startLsn >= pass.from || !told;
        if (tracked !== undefined && !newer) {
          readings.push({ active, planned: this.#plan(tracked, active.instance), before: null, pending: null });
          continue;
        }
        current ??= await readTables(session, this.database);
        const definition = current.get(idOf(name));
        if (definition === undefined) continue;
        const table = limitedTo(definition, active.instance.columns);
        const reading: Reading = { active, planned: this.#plan(table, active.instance), before: null, pending: table };
        if (tracked === undefined) await this.#migrate(reading);
        readings.push(reading);
      }
    }
    this.#readings = readings;
    this.#tellGaps(before, readings, pass);
  }
  /** Tables that are known and of which changes are not, or not all, in a change table. */
  #tellGaps(tables: readonly Table[], readings: readonly Reading[], pass: Pass): void {
    const { context } = this.#s;
    for (const { id } of tables) {
      const table: TableName = { database: this.database, schema: id.schema ?? "", table: id.table };
      const name = idOf(table);
      if (!context.settings.captures(table)) continue;
      const first = readings.find((r) => r.planned.id === name)?.active.instance;
      const mine = `sys.sp_cdc_enable_table @source_schema = ${literal(table.schema)}, @source_name = ${literal(table.table)}, @role_name = NULL`;
      const gap =
        first === undefined
          ? `no capture instance: its changes are not read. Capture it with EXEC ${mine}, or leave it out of the table filters.`
          : first.startLsn > pass.from
            ? `a capture instance, ${first.name}, only from ${first.startLsn} on: changes between ${pass.from} and there are not read. Take a new snapshot of it by a signal (execute-snapshot) if there were any.`
            : null;
      if (gap === null) this.#told.delete(name);
      else if (!this.#told.has(name)) {
        this.#told.add(name);
        context.log.warn(`The table ${name} has ${gap}`);
      }
    }
  }
  #plan(table: Table, instance: CaptureInstance): PlannedTable {
    const selected = new Set(this.#s.context.plans.selected(table));
    return this.#s.context.plans.plan(
      table,
      instance.columns.filter((c) => selected.has(c)),
    );
  }
  /** From now on the table is as the instance has it. */
  async #migrate(reading: Reading): Promise<void> {
    const { context } = this.#s;
    const table = reading.pending;
    reading.pending = null;
    if (table === null) return;
    const { planned } = reading;
    const known = context.tracker.table(planned.name);
    if (known !== undefined && sameTable(known, table)) return;
    const type = known === undefined ? "CREATE" : "ALTER";
    const tsMs = Math.floor(context.nowMicros() / 1000);
    const change = { type, id: table.id, previousId: null, table } as const;
    await context.tracker.record([change], "N/A", streamOffset(this.emitter.position), tsMs);
    this.#s.signals()?.altered(planned.id);
    if (!context.settings.includeSchemaChanges) return;
    const { position } = this.emitter;
    const source =
      known === undefined
        ? context.source.block(planned.name, "false", position.commit, position.change, position.change === null ? null : position.serial)
        : context.source.beforeChange(position, context.nowMicros());
    context.events.other(
      schemaChangeRecord({
        topic: context.settings.naming.prefix,
        partition: context.partition,
        headers: context.settings.headers,
        source,
        tsMs,
        databaseName: change.id.catalog,
        schemaName: change.id.schema,
        ddl: "N/A",
        changes: [change],
        offset: this.emitter.safeOffset,
      }),
      false,
      1024,
    );
  }
  async #read(session: Session, pass: Pass): Promise<void> {
    const { context } = this.#s;
    const readings = this.#readings ?? [];
    const size = context.settings.all.int("streaming.fetch.size");
    const pageRows = size > 0 ? size : Math.max(PAGE_ROWS_MIN, Math.floor((2 * PAGE_ROWS_MAX) / (readings.length + 1)));
    let untold = await this.#migrateUpTo(ZERO_LSN);
    let cursors = readings.map((r) => new ChangeCursor(r, pageRows, (after) => this.#page(session, r, pass, after, pageRows)));
    for (;;) {
      for (const cursor of cursors) if (!cursor.ready) await cursor.fill();
      cursors = cursors.filter((c) => c.head !== null);
      let cursor = smallest(cursors);
      if (cursor === null || context.stopping()) return;
      // No table runs dry unnoticed: its next page may hold the smallest row.
      for (; cursor !== null; cursor = cursors.every((c) => c.ready) ? smallest(cursors) : null) {
        if (context.events.full) {
          context.events.flush();
          await context.room();
          if (context.stopping()) return;
        }
        const row = cursor.next();
        if (row === null) break;
        const reading = cursor.table;
        if (untold !== null && row.start >= untold) untold = await this.#migrateUpTo(row.start);
        const outcome = this.emitter.row(reading, row, pass.times.get(row.start) ?? 0, this.#replay);
        if (outcome === "signal") {
          context.events.flush();
          await this.#s.settled();
          if (context.stopping()) return;
        }
      }
    }
  }
  async #page(session: Session, reading: Reading, pass: Pass, after: RowPlace | null, maxRows: number): Promise<readonly ChangeRow[]> {
    const { settings } = this.#s.context;
    const { instance, stopLsn } = reading.active;
    const from = after === null ? pass.from : after.start;
    const start = from > instance.startLsn ? from : instance.startLsn;
    if (start > pass.to || (stopLsn !== null && stopLsn <= start)) return [];
    const statement = changeQuery({
      database: this.database,
      instance: instance.name,
      columns: reading.planned.select,
      mode: settings.queryMode,
      skipped: settings.skippedCodes,
      after,
      maxRows,
    });
    const place: Record<string, Buffer | number> =
      after === null
        ? {}
        : { start: lsnBytes(after.start), command: after.command, change: lsnBytes(after.change), operation: after.operation };
    const rows = await session.rows(statement, { from: lsnBytes(start), to: lsnBytes(pass.to), ...place }).catch((error: unknown) => {
      // In function mode the reference goes on without an instance that was disabled; we do so if another one follows it.
      if (settings.queryMode !== "function" || errorNumber(error) !== INVALID_OBJECT || stopLsn === null) throw error;
      return [];
    });
    const page: ChangeRow[] = [];
    let lsn: Lsn = "",
      bytes: Buffer | null = null;
    for (const row of rows) {
      const commit = row[0] as Buffer;
      if (bytes === null || !bytes.equals(commit)) {
        bytes = commit;
        lsn = lsnText(commit);
      }
      if (stopLsn !== null && lsn >= stopLsn) break;
      page.push({
        start: lsn,
        change: lsnText(row[1] as Buffer),
        operation: Number(row[2]),
        command: Number(row[3]),
        values: row.slice(CHANGE_COLUMNS),
      });
    }
    if (stopLsn !== null) this.#s.stopped(instance, stopLsn);
    return page;
  }
}
const sameNames = (table: Table, columns: readonly string[]): boolean =>
  table.columns.length === columns.length && table.columns.every((c) => columns.includes(c.name));
function cleanedUp(database: string, instance: string, from: Lsn, now: Lsn): SourceError {
  return new SourceError(
    `The clean-up job has removed changes of the capture instance ${instance} in ${database} that were not read yet: reading would have gone on at ${from}, the change table begins at ${now}.\n` +
      "Set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot; keep changes longer (EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = <minutes>).",
    { javaClass: DEBEZIUM_EXCEPTION },
  );
}
