/**
 * The sink's connection to the target: made when it is needed, dropped when it breaks, one transaction at a time. What will
 * pass by itself (connection lost, deadlock, shutdown) comes out as RetriableError; what the database refuses as RefusedError.
 */
import { ConnectError, RetriableError } from "#connect/api/errors";
import type { InsertMode, JdbcSinkSettings } from "./config.ts";
import type { Session } from "./dialect.ts";
import type { Step } from "./batch.ts";
import { type Tables, tables } from "./tables.ts";

/** The database took the statement and said no. */
export class RefusedError extends Error {
  /** The record is at fault, not a right or a table. */
  readonly data: boolean;
  constructor(cause: Error, data: boolean) {
    super(cause.message, { cause });
    this.data = data;
  }
}
interface Open {
  readonly session: Session;
  readonly tables: Tables;
}

export class TargetConnection {
  readonly #settings: JdbcSinkSettings;
  readonly #applicationName: string;
  #open: Open | null = null;

  constructor(settings: JdbcSinkSettings, applicationName: string) {
    this.#settings = settings;
    this.#applicationName = applicationName;
  }
  /** Throws RetriableError when the database cannot be reached, ConnectError when it refuses the login. */
  async open(): Promise<Open> {
    if (this.#open !== null) return this.#open;
    const { target, dialect } = this.#settings;
    try {
      const session = await dialect.connect(this.#settings, this.#applicationName, () => {
        this.#open = null;
      });
      this.#open = { session, tables: tables(session, this.#settings) };
      return this.#open;
    } catch (error) {
      const what = `cannot connect to ${target.host}:${target.port}/${target.database}: ${messageOf(error)}`;
      if (error instanceof Error && dialect.verdict(error) !== "passing")
        throw new ConnectError(what, { causeClass: "config", cause: error });
      throw new RetriableError(what, error);
    }
  }
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    // A connection that cannot be ended in order is gone already.
    await open?.session.end().catch(() => {});
  }
  /** All steps or none. Throws RetriableError, RefusedError, or ConnectError for a table that does not fit. */
  async transaction(steps: readonly Step[], mode: InsertMode): Promise<void> {
    const open = await this.open();
    try {
      if (this.#settings.dialect.ddlCommits)
        for (const step of steps) if (step.kind !== "truncate") await open.tables.fitting(step.table, step.shape);
      await open.session.begin();
      for (const step of steps) await this.#perform(open, step, mode);
      await open.session.commit();
    } catch (error) {
      open.tables.forget();
      // Closing rolls back, too; what is told is why the batch failed.
      await open.session.rollback().catch(() => this.close());
      if (error instanceof ConnectError || !(error instanceof Error)) throw error;
      const verdict = this.#settings.dialect.verdict(error);
      if (verdict !== "passing") throw new RefusedError(error, verdict === "data");
      await this.close();
      throw new RetriableError(`the target database did not take the batch: ${error.message}`, error);
    }
  }
  async #perform({ session, tables: known }: Open, step: Step, mode: InsertMode): Promise<void> {
    const { dialect } = this.#settings;
    if (step.kind === "truncate") {
      // A table that does not exist yet is empty enough.
      if (await known.exists(step.table)) await session.run({ text: dialect.truncate(step.table), values: [] });
      return;
    }
    const table = await known.fitting(step.table, step.shape);
    const statements =
      step.kind === "delete" ? dialect.delete(table, step.shape, step.rows) : dialect.write(mode, table, step.shape, step.rows);
    for (const statement of statements) await session.run(statement);
  }
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
