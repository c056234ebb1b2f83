/**
 * The sink task: one connection, one transaction for each put. What the database refuses for its data is told apart from
 * what will pass (connection lost, deadlock, shutdown): the latter is a RetriableError and is tried until it passes.
 */
import { Client, DatabaseError } from "pg";
import { ConnectError, DataError, RetriableError } from "#connect/api/errors";
import type { SinkTask, SinkTaskContext } from "#connect/api/connector";
import type { SinkRecord } from "#connect/api/record";
import { mergedSteps, singleSteps, type Step } from "./batch.ts";
import { type Change, changeReader } from "./change.ts";
import type { JdbcSinkSettings } from "./config.ts";
import { quoteTable } from "./naming.ts";
import { deleteStatement, type Statement, writeStatement } from "./statements.ts";
import { type Sql, type Tables, tables } from "./tables.ts";

/** SQLSTATE classes that pass by themselves: connection, resources, operator intervention, rollback (deadlock, serialization). */
const PASSING = /^(08|40|53|57|58|55P03|25006)/;
/** Data and integrity: the record is at fault. */
const DATA = /^(22|23|42804)/;
const PREPARED_MAX = 500;

export function jdbcSinkTask(settings: JdbcSinkSettings, context: SinkTaskContext): SinkTask {
  const reader = changeReader(settings);
  let connection: { client: Client; tables: Tables } | null = null;
  const names = new Map<string, string>();

  const connect = async (): Promise<{ client: Client; tables: Tables }> => {
    if (connection !== null) return connection;
    const client = new Client(clientOptions(settings, context));
    // Without a listener an idle connection that breaks would end the thread.
    client.on("error", () => {
      if (connection?.client === client) connection = null;
    });
    try {
      await client.connect();
      await client.query(`set time zone '${settings.timeZone.replaceAll("'", "''")}'`);
    } catch (error) {
      await client.end().catch(() => {});
      throw passing(error, `cannot connect to ${settings.target.host}:${settings.target.port}/${settings.target.database}`);
    }
    names.clear();
    const sql: Sql = { query: (text, values) => client.query(text, values === undefined ? [] : [...values]) };
    connection = { client, tables: tables(sql, settings) };
    return connection;
  };
  const drop = async (): Promise<void> => {
    const old = connection;
    connection = null;
    await old?.client.end().catch(() => {});
  };
  const run = async (client: Client, statement: Statement): Promise<void> => {
    let name = names.get(statement.text);
    if (name === undefined && names.size < PREPARED_MAX) names.set(statement.text, (name = `m${names.size}`));
    await client.query({ text: statement.text, values: [...statement.values], ...(name === undefined ? {} : { name }) });
  };
  const perform = async (client: Client, known: Tables, step: Step): Promise<void> => {
    if (step.kind === "truncate") {
      // A table that does not exist yet is empty enough.
      if (await known.exists(step.table)) await client.query(`truncate table ${quoteTable(step.table)}`);
      return;
    }
    const table = await known.fitting(step.table, step.shape);
    await run(
      client,
      step.kind === "delete"
        ? deleteStatement(table, step.shape, step.rows)
        : writeStatement(settings.insertMode, table, step.shape, step.rows),
    );
  };
  const transaction = async (steps: readonly Step[]): Promise<void> => {
    const { client, tables: known } = await connect();
    try {
      await client.query("begin");
      for (const step of steps) await perform(client, known, step);
      await client.query("commit");
    } catch (error) {
      known.forget();
      await client.query("rollback").catch(() => drop());
      if (isPassing(error)) {
        await drop();
        throw passing(error, "the target database did not take the batch");
      }
      throw error;
    }
  };
  /** One record at a time, so that the guilty one is found. */
  const oneByOne = async (changes: readonly Change[]): Promise<void> => {
    for (const change of changes) {
      try {
        await transaction(singleSteps([change]));
      } catch (error) {
        if (!(error instanceof DatabaseError) || !DATA.test(error.code ?? "")) throw error;
        const failure = new DataError(`${quoteTable(change.table)}: ${error.message}`, error);
        if (context.reportErrant === null) throw failure;
        await context.reportErrant(change.record, failure);
      }
    }
  };
  const read = async (records: readonly SinkRecord[]): Promise<Change[]> => {
    const changes: Change[] = [];
    for (const record of records) {
      try {
        const change = reader.read(record);
        if (change !== null) changes.push(change);
      } catch (error) {
        if (!(error instanceof DataError) || context.reportErrant === null) throw error;
        await context.reportErrant(record, error);
      }
    }
    return changes;
  };

  return {
    async start() {
      try {
        await connect();
      } catch (error) {
        // A database that is away is waited for by `put`; a wrong login is told at once.
        if (!(error instanceof RetriableError)) throw error;
        context.log.warn(error.message);
      }
    },
    async put(records) {
      const changes = await read(records);
      if (changes.length === 0) return;
      try {
        await transaction(mergedSteps(changes, settings.insertMode, settings.batchRowsMax));
      } catch (error) {
        if (error instanceof RetriableError || !(error instanceof DatabaseError)) throw error;
        if (!DATA.test(error.code ?? ""))
          throw new ConnectError(`the target database refused a statement: ${error.message}`, { causeClass: "config", cause: error });
        await oneByOne(changes);
      }
    },
    stop: drop,
  };
}

function clientOptions(settings: JdbcSinkSettings, context: SinkTaskContext): ConstructorParameters<typeof Client>[0] {
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
    application_name: `millrace ${context.connectorName}-${context.taskId}`,
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
