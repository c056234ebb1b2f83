/**
 * The sink task: each put is one transaction, reduced to few statements. A record that the database refuses for its data is
 * found by trying one at a time, and handed to the dead-letter queue alone.
 */
import type { SinkTask, SinkTaskContext } from "#connect/api/connector";
import { ConnectError, DataError, RetriableError } from "#connect/api/errors";
import type { SinkRecord } from "#connect/api/record";
import { mergedSteps, singleSteps } from "./batch.ts";
import { type Change, type ChangeReader, changeReader } from "./change.ts";
import type { JdbcSinkSettings } from "./config.ts";
import { RefusedError, TargetConnection } from "./connection.ts";
import { quoteTable } from "./dialect.ts";

export function jdbcSinkTask(settings: JdbcSinkSettings, context: SinkTaskContext): SinkTask {
  const reader = changeReader(settings);
  const target = new TargetConnection(settings, `millrace ${context.connectorName}-${context.taskId}`);
  return {
    async start() {
      try {
        await target.open();
      } catch (error) {
        // A database that is away is waited for by `put`; a wrong login is told at once.
        if (!(error instanceof RetriableError)) throw error;
        context.log.warn(error.message);
      }
    },
    async put(records) {
      const changes = await readChanges(reader, records, context);
      if (changes.length === 0) return;
      try {
        await target.transaction(mergedSteps(changes, settings.insertMode, settings.batchRowsMax), settings.insertMode);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        if (!error.data) {
          throw new ConnectError(`the target database refused a statement: ${error.message}`, { causeClass: "config", cause: error.cause });
        }
        await oneByOne(changes, target, settings, context);
      }
    },
    stop: () => target.close(),
  };
}

async function readChanges(reader: ChangeReader, records: readonly SinkRecord[], context: SinkTaskContext): Promise<Change[]> {
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
}

/** One record at a time, so that the guilty one is found. */
async function oneByOne(
  changes: readonly Change[],
  target: TargetConnection,
  settings: JdbcSinkSettings,
  context: SinkTaskContext,
): Promise<void> {
  for (const change of changes) {
    try {
      await target.transaction(singleSteps([change]), settings.insertMode);
    } catch (error) {
      if (!(error instanceof RefusedError) || !error.data) throw error;
      const failure = new DataError(`${quoteTable(settings.dialect, change.table)}: ${error.message}`, error.cause);
      if (context.reportErrant === null) throw failure;
      await context.reportErrant(change.record, failure);
    }
  }
}
