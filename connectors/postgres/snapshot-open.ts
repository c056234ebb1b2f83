/** Opens a snapshot: sessions that all see what the slot's consistent point separates from the stream, and the tables to read. */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import type { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { listTables } from "./catalog.ts";
import type { TableName } from "./publication.ts";
import type { RawSession } from "./raw-session.ts";
import { openSession } from "./replication.ts";
import { quoteLiteral } from "./slot.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface SnapshotPoint {
  /** Stands in events. */
  readonly lsn: number;
  /** Name of an exported snapshot; null: as things are now. */
  readonly snapshot: string | null;
  /** Null: what the settings ask for. */
  readonly tables: readonly string[] | null;
  readonly overrides: ReadonlyMap<string, string>;
  /** Null: offsets say nothing of it, a restart begins anew. */
  readonly progress: SnapshotProgress | null;
  /** Positions to carry instead of the snapshot's own (a snapshot asked for while streaming): all rows but the last, the last. */
  readonly offsets?: { readonly during: SourceOffset; readonly last: SourceOffset };
}
export interface OpenSnapshot {
  readonly point: SnapshotPoint;
  /** Inside the snapshot too, for looking things up. Its owner ends it. */
  readonly client: Client;
  readonly sessions: readonly RawSession[];
  /** Goes on after the queue had been full. */
  resume(): void;
  close(): Promise<void>;
}
/**
 * All sessions see exactly what the slot's consistent point separates from the stream. An exported snapshot can only be read
 * with REPEATABLE READ, which gives at least what the weaker modes ask for.
 */
function transactionIn(snapshot: string | null, isolation: string): readonly string[] {
  if (snapshot !== null)
    return ["BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`];
  const level = isolation.replaceAll("_", " ").toUpperCase();
  return [`BEGIN TRANSACTION ISOLATION LEVEL ${level} READ ONLY${level === "SERIALIZABLE" ? " DEFERRABLE" : ""}`];
}
/** Resolves once all sessions have taken the exported snapshot, which may then be given up. `client` must be free until the end. */
export async function openSnapshot(s: TaskSettings, client: Client, point: SnapshotPoint): Promise<OpenSnapshot> {
  const sessions: RawSession[] = [];
  const close = async (): Promise<void> => void (await Promise.allSettled(sessions.map((each) => each.close())));
  try {
    while (sessions.length < s.all.int("snapshot.max.threads")) sessions.push(await openSession(s.server, false, () => {}));
    for (const sql of transactionIn(point.snapshot, s.all.choice("snapshot.isolation.mode"))) {
      for (const session of sessions) await session.query(sql);
      await client.query(sql);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    point,
    client,
    sessions,
    resume() {
      for (const session of sessions) session.resume();
    },
    close,
  };
}
const idOf = (t: TableName): string => `${t.schema}.${t.table}`;
export interface ChosenTables {
  readonly chosen: readonly TableName[];
  /** What notifications of a table's end list. */
  readonly captured: readonly TableName[];
}
export async function chosenTables(s: TaskSettings, client: Client, { tables }: SnapshotPoint): Promise<ChosenTables> {
  const { filters } = s.plans;
  const all = filters.inSnapshotOrder(await listTables(client), idOf);
  if (tables !== null) {
    const chosen = all.filter((t) => tables.includes(idOf(t)));
    return { chosen, captured: chosen };
  }
  // Signals are for what comes after them.
  const signals = s.all.optional("signal.data.collection");
  return {
    chosen: all.filter((t) => filters.snapshot(t.schema, t.table) && idOf(t) !== signals),
    captured: all.filter((t) => filters.table(t.schema, t.table)),
  };
}
