/**
 * What a connector can say about the system behind it besides moving data: checks with the way to mend what fails, where the
 * source stands, what would be left behind, and a look at real records. All of it reads only, but `remove`. Every call is
 * bounded by its signal.
 */
import type { TaskConfig } from "./connector.ts";
import type { SourceOffset, SourceRecord } from "./record.ts";

export interface Check {
  /** What was looked at, a short name that stays the same: `replication right`. */
  readonly check: string;
  readonly ok: boolean;
  /** A failed check that does not keep the connector from running is a warning. */
  readonly severity: "error" | "warning";
  /** What was found. */
  readonly message: string;
  readonly nextStep?: string;
  /** Statements that mend it, in order, ready to run by somebody who has the right to. */
  readonly sql?: readonly string[];
}
export interface SourcePosition {
  /** In the source's own words (an LSN, a binlog file and position). */
  readonly position: string | null;
  readonly head: string;
  /** Where the position stands still while the connector passes over what is none of its own: what moves then. */
  readonly reached?: string | null;
  /** Bytes of log between both; null where that cannot be told. */
  readonly behindBytes: number | null;
  /** Where bytes cannot be told: what waits in the source, in a sentence's part; null or absent: nothing. */
  readonly waiting?: string | null;
  /** More to know, e.g. what a slot retains. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}
/** Something that the connector made in the source, or that exists for it alone. */
export interface Leftover {
  /** slot, publication … */
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  /** How to remove it by hand. */
  readonly sql: readonly string[];
  /** False: somebody else may be using it, it is removed only when asked for by its kind. */
  readonly ours: boolean;
  /** Set where it is topics, which the runtime removes; those that are not there are none. `client`: settings, perhaps secret ones. */
  readonly topics?: { readonly names: readonly string[]; readonly client: Readonly<Record<string, string>> };
}
export interface Diagnosis {
  check(config: TaskConfig, signal: AbortSignal): Promise<readonly Check[]>;
  /** Null: nothing to compare. `offset`: the durable one. */
  position?(config: TaskConfig, offset: SourceOffset | null, signal: AbortSignal): Promise<SourcePosition | null>;
  leftovers?(config: TaskConfig, signal: AbortSignal): Promise<readonly Leftover[]>;
  /** The connector has been stopped. Throws where it cannot be removed. */
  remove?(config: TaskConfig, leftover: Leftover, signal: AbortSignal): Promise<void>;
  /**
   * Up to `limit` records as the connector would send them. Leaves nothing behind: no slot, no offset, no topic. A batch need
   * not stay valid once the next one is asked for.
   */
  preview?(config: TaskConfig, limit: number, signal: AbortSignal): AsyncIterable<readonly SourceRecord[]>;
}
