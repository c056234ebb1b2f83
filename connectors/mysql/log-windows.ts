/**
 * Windows of incremental snapshots without a table for signals: watermarks are places of the log.
 *
 * A window opens when every transaction of which the stream has handed something on is visible to queries: a server sends one to its
 * replicas when it is in the log, which is a moment before it is committed (with semi-synchronous replication until a replica has
 * answered), and a chunk that is read in between would put its old rows behind the new ones. It closes when the stream has passed
 * everything that was committed when the chunk had been read.
 */
import type { Connection } from "mysql2/promise";
import type { SourceOffset } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import { SourceError } from "../cdc/source-error.ts";
import { firstRow, readLogPosition, type Server } from "./catalog.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { containsGtids } from "./position.ts";
import type { StreamReader } from "./stream.ts";

export interface LogWindowSettings {
  readonly flavor: Flavor;
  readonly info: Server;
  readonly sql: () => Promise<Connection>;
  readonly reader: () => Pick<StreamReader, "ready" | "begun" | "passed" | "hasPassed" | "refresh" | "seen"> | null;
  readonly events: Pick<EventWriter, "tick" | "flush">;
  readonly opened: (id: string) => void;
  readonly closed: (id: string) => void;
}
const POLL_MS = 50;
const VISIBLE_MS_MAX = 15_000;
/** How long a commit may take after its change was sent, where the server does not tell of it. */
const COMMIT_MS_MAX = 200;
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class LogWindows {
  readonly #s: LogWindowSettings;
  #closed = false;
  /** What rows of the window that closes carry; null: none does. */
  offset: SourceOffset | null = null;

  constructor(settings: LogWindowSettings) {
    this.#s = settings;
  }
  async opened(id: string): Promise<void> {
    this.#s.opened(id);
    const { info, reader } = this.#s;
    const sent = reader()?.begun ?? null;
    if (!info.mariadb && info.gtidMode && sent !== null) return this.#visible(sent);
    // MariaDB counts a transaction when it is in the log.
    const sinceMs = Date.now() - (reader()?.seen.lastMs ?? 0);
    if (sinceMs < COMMIT_MS_MAX) await later(COMMIT_MS_MAX - sinceMs);
  }
  async #visible(sent: string): Promise<void> {
    const sql = await this.#s.sql();
    for (const beganMs = Date.now(); Date.now() - beganMs < VISIBLE_MS_MAX; await later(POLL_MS)) {
      const { g } = await firstRow(sql, "SELECT @@global.gtid_executed AS g");
      if (containsGtids("mysql", (g ?? "").replaceAll(/\s/g, ""), sent)) return;
    }
    throw new SourceError(`the server has not committed what its log has had for ${VISIBLE_MS_MAX / 1000} s`);
  }
  /** Tells when the stream has passed everything that the server has executed up to now. */
  async closes(id: string): Promise<void> {
    const { flavor, info, reader, events } = this.#s;
    const target = await readLogPosition(await this.#s.sql(), info);
    const wait = (): void => {
      const stream = reader();
      if (this.#closed || stream === null) return;
      const gtids = stream.passed;
      const passed = gtids === null || target.gtids === null ? stream.hasPassed(target) : containsGtids(flavor, gtids, target.gtids);
      // No room: what is read ahead would be more and more.
      if (!passed || !stream.ready) return void setTimeout(wait, POLL_MS);
      events.tick();
      this.offset = stream.refresh();
      this.#s.closed(id);
      this.offset = null;
      events.flush();
    };
    wait();
  }
  close(): void {
    this.#closed = true;
  }
}
