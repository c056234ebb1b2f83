/** What backfills of all databases are made of: tables and conditions are tried before one is taken, and streaming stops for a blocking one. */
import { randomUUID } from "node:crypto";
import type { BackfillTable } from "#connect/api/backfill";
import type { SourceTaskContext } from "#connect/api/connector";
import { RetriableError } from "#connect/api/errors";
import type { SourcePartition } from "#connect/api/record";
import { type BackfillDatabase, BackfillRefused, Backfills, enclosed } from "./backfills.ts";
import { messageOf } from "./source-error.ts";
import { streamsAfterSnapshot } from "./start-decision.ts";
import type { CommonSettings } from "./task-settings.ts";

/** Over connections of their own: the task's may be inside a snapshot. */
export interface BackfillSource {
  /** Why there are no incremental snapshots; null: there are. */
  readonly refusal: () => string | null;
  /** Ids of the captured tables. */
  readonly captured: () => Promise<readonly string[]>;
  /** Columns to read a table in chunks by; null: there is no such table. */
  readonly key: (table: string) => Promise<readonly string[] | null>;
  /** Tries a condition without reading anything; rejects with the server's words. */
  readonly tried: (table: string, where: string) => Promise<void>;
}
const ENDS = "The connector ends with its snapshot (snapshot.mode): there is no stream beside which tables could be read";

const databaseOf = ({ all, snapshotMode }: CommonSettings, source: BackfillSource): BackfillDatabase => ({
  get refusal() {
    return source.refusal();
  },
  async tables() {
    if (!streamsAfterSnapshot(all, snapshotMode)) throw new BackfillRefused(ENDS);
    const signals = all.optional("signal.data.collection");
    return (await source.captured()).filter((t) => t !== signals);
  },
  async check({ table, where }, kind) {
    const key = await source.key(table);
    if (key === null) throw new BackfillRefused(`There is no table ${table}`);
    if (kind === "incremental" && key.length === 0)
      throw new BackfillRefused(`${table} has no primary key to read it in chunks by; ask with "kind": "blocking"`);
    if (where === null) return;
    try {
      await source.tried(table, where);
    } catch (error) {
      throw new BackfillRefused(`The condition for ${table} is refused by the database: ${messageOf(error)}`, error);
    }
  },
});
export const taskBackfills = (
  settings: CommonSettings,
  partition: SourcePartition,
  { offsets, log }: SourceTaskContext,
  source: BackfillSource,
): Backfills => new Backfills({ partition, offsets, database: databaseOf(settings, source), newId: randomUUID, nowMs: Date.now, log });

export interface StoppedReading {
  /** Of now; another one means that the stream that was stopped is away. */
  readonly stream: () => unknown;
  readonly stopping: () => boolean;
  /** Whether the connection is to blame, and not the statement. */
  readonly endsStream: (error: unknown) => boolean;
  readonly fail: (error: unknown) => void;
}
/** Rejects where it was not read to its end; the stream goes on unless its connection is to blame. */
export async function readStopped({ stream, stopping, endsStream, fail }: StoppedReading, read: () => Promise<void>): Promise<void> {
  const before = stream();
  try {
    await read();
  } catch (error) {
    if (endsStream(error)) fail(error);
    throw error;
  }
  if (stream() !== before || stopping()) throw new RetriableError("The stream ended before the tables were read");
}
/** For connectors whose signals take conditions by table: `read` is what reads tables for them. */
export const blockingBackfill = (
  stopped: StoppedReading,
  tables: readonly BackfillTable[],
  read: (names: readonly string[], conditions: ReadonlyMap<string, string>) => Promise<void>,
): Promise<void> =>
  readStopped(stopped, () =>
    read(
      tables.map((t) => t.table),
      new Map(tables.flatMap(({ table, where }) => (where === null ? [] : [[table, enclosed(where)] as const]))),
    ),
  );
