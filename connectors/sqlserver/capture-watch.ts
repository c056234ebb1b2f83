/**
 * Looks, while no changes come, whether that is as it should be: the agent runs, and the capture job has come as far as the tables have
 * changed. A capture job that stands loses nothing, but nobody would know why nothing comes, and the log cannot be truncated.
 */
import type { Logger } from "#connect/api/connector";
import { agentRunning, type Asked, type CaptureProgress, captureProgress, highestKeys, type KeyOf } from "./catalog.ts";

export interface WatchSettings {
  readonly database: string;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** `sqlserver.agent.status.query`; null: the view of the server's services. */
  readonly agentQuery: string | null;
  /** The captured tables with the first columns of their keys. */
  readonly tables: () => readonly KeyOf[];
}
/** How often it is looked while the log does not move. */
export const WATCH_MS = 60_000;
/** The job looks for changes every five seconds, and a busy one is behind by more. */
const LATE_SECONDS = 60;

export class CaptureWatch {
  readonly #s: WatchSettings;
  #askedMs = 0;
  /** Of the last look, where the server does not tell when its tables were changed. */
  #keys: string | null = null;
  #changedMs: number | null = null;

  constructor(settings: WatchSettings) {
    this.#s = settings;
  }
  /** Changes came: there is nothing to wonder about. */
  moved(): void {
    this.#askedMs = 0;
    this.#keys = null;
    this.#changedMs = null;
  }
  /** `begun`: a position is known, so that the first look may wait. */
  async idle(session: Asked, begun: boolean): Promise<void> {
    const now = this.#s.nowMs();
    if (now - this.#askedMs < WATCH_MS) return;
    const first = this.#askedMs === 0;
    this.#askedMs = now;
    if (first && begun) return;
    const problem = await this.#problem(session, now);
    if (problem !== null) this.#s.log.warn(problem);
  }
  async #problem(session: Asked, nowMs: number): Promise<string | null> {
    const { database, agentQuery } = this.#s;
    const job = `its job cdc.${database}_capture (EXEC sys.sp_cdc_start_job @job_type = N'capture')`;
    if ((await agentRunning(session, database, agentQuery).catch(() => null)) === false)
      return `No changes come from the database ${database}, and SQL Server Agent is not running: without it nothing is written to the change tables. Start the service, and check ${job}.`;
    const late = await this.#late(session, nowMs);
    return late === null
      ? null
      : `No changes come from the database ${database}, but its captured tables have changed: ${late}. The capture job stands or is behind, or a long transaction is open. Nothing is lost, but the transaction log grows until it goes on. Check ${job} and its errors (SELECT * FROM sys.dm_cdc_errors).`;
  }
  /** What shows that changes are waiting; null: nothing does. */
  async #late(session: Asked, nowMs: number): Promise<string | null> {
    const progress = await captureProgress(session, this.#s.database).catch(() => null);
    if (progress !== null) return lateness(progress);
    return this.#lateByKeys(session, nowMs);
  }
  /** Without the right to see when tables were changed: new rows are seen by their keys. */
  async #lateByKeys(session: Asked, nowMs: number): Promise<string | null> {
    const tables = this.#s.tables();
    if (tables.length === 0) return null;
    const found = await highestKeys(session, tables).catch(() => null);
    if (found === null) return null;
    const keys = JSON.stringify(found);
    // A change that was seen has a whole interval to come.
    const waiting = this.#changedMs !== null && nowMs - this.#changedMs >= WATCH_MS;
    if (this.#keys !== null && keys !== this.#keys) this.#changedMs ??= nowMs;
    this.#keys = keys;
    return waiting ? `rows with new keys were there ${Math.round((nowMs - (this.#changedMs ?? nowMs)) / 1000)} s ago` : null;
  }
}
/** Null: the capture job has come as far as the tables have changed, or the change is too young to say. */
export function lateness({ changedAt, capturedAt, behindSeconds, ageSeconds }: CaptureProgress, lateSeconds = LATE_SECONDS): string | null {
  if (changedAt === null || behindSeconds <= 0 || ageSeconds < lateSeconds) return null;
  return `the last change was at ${changedAt}, the change tables have come to ${capturedAt ?? "nothing yet"} (the server's time)`;
}
