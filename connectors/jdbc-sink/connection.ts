/**
 * The sink's connection to the target: made when it is needed, dropped when it breaks, one transaction at a time. What will
 * pass by itself (connection lost, deadlock, shutdown) comes out as RetriableError; what the database refuses as its own error.
 */
import { Client, DatabaseError } from "pg";
import { ConnectError, RetriableError } from "#connect/api/errors";
import type { InsertMode, JdbcSinkSettings } from "./config.ts";
import { quoteTable } from "./naming.ts";
import type { Step } from "./batch.ts";
import { deleteStatement, type Statement, writeStatement } from "./statements.ts";
import { type Sql, type Tables, tables } from "./tables.ts";

/** SQLSTATE classes that pass by themselves: connection, resources, operator intervention, rollback (deadlock, serialization). */
const PASSING = /^(08|40|53|57|58|55P03|25006)/;
const PREPARED_MAX = 500;

interface Open {
  readonly client: Client;
  readonly tables: Tables;
}

export class TargetConnection {
  readonly #settings: JdbcSinkSettings;
  readonly #applicationName: string;
  /** Names of prepared statements by their text; they die with the connection. */
  readonly #prepared = new Map<string, string>();
  #open: Open | null = null;

  constructor(settings: JdbcSinkSettings, applicationName: string) {
    this.#settings = settings;
    this.#applicationName = applicationName;
  }
  /** Throws RetriableError when the database cannot be reached, ConnectError when it refuses the login. */
  async open(): Promise<Open> {
    if (this.#open !== null) return this.#open;
    const { target, timeZone } = this.#settings;
    const client = new Client(clientOptions(this.#settings, this.#applicationName));
    // Without a listener an idle connection that breaks would end the thread.
    client.on("error", () => {
      if (this.#open?.client === client) this.#open = null;
    });
    try {
      await client.connect();
      await client.query(`set time zone '${timeZone.replaceAll("'", "''")}'`);
    } catch (error) {
      await client.end().catch(() => {});
      throw passing(error, `cannot connect to ${target.host}:${target.port}/${target.database}`);
    }
    this.#prepared.clear();
    const sql: Sql = { query: (text, values) => client.query(text, values === undefined ? [] : [...values]) };
    this.#open = { client, tables: tables(sql, this.#settings) };
    return this.#open;
  }
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.client.end().catch(() => {});
  }
  /** All steps or none. Throws RetriableError, or the database's own error (DatabaseError). */
  async transaction(steps: readonly Step[], mode: InsertMode): Promise<void> {
    const open = await this.open();
    try {
      await open.client.query("begin");
      for (const step of steps) await this.#perform(open, step, mode);
      await open.client.query("commit");
    } catch (error) {
      open.tables.forget();
      await open.client.query("rollback").catch(() => this.close());
      if (!isPassing(error)) throw error;
      await this.close();
      throw passing(error, "the target database did not take the batch");
    }
  }
  async #perform({ client, tables: known }: Open, step: Step, mode: InsertMode): Promise<void> {
    if (step.kind === "truncate") {
      // A table that does not exist yet is empty enough.
      if (await known.exists(step.table)) await client.query(`truncate table ${quoteTable(step.table)}`);
      return;
    }
    const table = await known.fitting(step.table, step.shape);
    const statement =
      step.kind === "delete" ? deleteStatement(table, step.shape, step.rows) : writeStatement(mode, table, step.shape, step.rows);
    await this.#run(client, statement);
  }
  async #run(client: Client, statement: Statement): Promise<void> {
    let name = this.#prepared.get(statement.text);
    if (name === undefined && this.#prepared.size < PREPARED_MAX) this.#prepared.set(statement.text, (name = `m${this.#prepared.size}`));
    await client.query({ text: statement.text, values: [...statement.values], ...(name === undefined ? {} : { name }) });
  }
}

function clientOptions(settings: JdbcSinkSettings, applicationName: string): ConstructorParameters<typeof Client>[0] {
  const { target } = settings;
  const verify = target.sslMode === "verify-full" || target.sslMode === "verify-ca";
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    ...(target.user === null ? {} : { user: target.user }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(verify || target.sslMode === "require" ? { ssl: { rejectUnauthorized: verify } } : {}),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: applicationName,
  };
}
function isPassing(error: unknown): boolean {
  if (error instanceof DatabaseError) return PASSING.test(error.code ?? "");
  // Not an answer of the server: the connection broke.
  return error instanceof Error && !(error instanceof ConnectError);
}
function passing(error: unknown, what: string): Error {
  if (error instanceof DatabaseError && !PASSING.test(error.code ?? ""))
    return new ConnectError(`${what}: ${error.message}`, { causeClass: "config", cause: error });
  return new RetriableError(`${what}: ${error instanceof Error ? error.message : String(error)}`, error);
}
