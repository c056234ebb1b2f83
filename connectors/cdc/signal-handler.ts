/** What a connector does for each signal, whatever channel it came by. */
import type { Logger } from "#connect/api/connector";
import type { OffsetValue } from "#connect/api/record";
import { anchored } from "./expressions.ts";
import type { IncrementalSnapshot } from "./incremental-snapshot/snapshot.ts";
import { logRequest, type Signal, type SnapshotRequest, snapshotRequest, stopRequest } from "./signals.ts";

/** What the stream tells of the signal table and of changes; see `incremental-snapshot/port.ts`. */
export interface StreamSignals {
  /** The signal table as the stream names it; null: there is none. */
  readonly table: string | null;
  /** A row was added. Called before the row's own record is written. "hold": the position stays before it until the signal is served. */
  inserted(id: string, type: string, data: string | null): "hold" | "go";
  deleted(id: string): void;
  changed(table: string, keyText: () => string): void;
  /** The definition of a table has changed, or it was truncated. */
  altered(table: string): void;
  /** Keys for the offset while an incremental snapshot runs. */
  offset(): Readonly<Record<string, OffsetValue>> | null;
}
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
/** A row of the signal table: its first columns are id, type and data. */
export const insertedSignal = (signals: StreamSignals, [id, type, data]: readonly unknown[]): "hold" | "go" =>
  signals.inserted(textOf(id), textOf(type), typeof data === "string" ? data : null);
export const deletedSignal = (signals: StreamSignals, [id]: readonly unknown[]): void => signals.deleted(textOf(id));
export interface SignalSettings<Plan extends { readonly id: string }> {
  /** Deleting the opening watermark closes a window. */
  readonly deletes: boolean;
  /** Null: there is no signal table for its watermarks. */
  readonly incremental: IncrementalSnapshot<Plan> | null;
  /** Runs where signals cannot ask for them: of backfills by REST. */
  readonly unasked?: IncrementalSnapshot<Plan>;
  /** Ids of the captured tables. */
  readonly tables: () => Promise<readonly string[]>;
  readonly log: Logger;
  /** For the signal `log`. */
  readonly position: () => string;
  /** Stops streaming, reads the tables, goes on. `from`: decides to where a restart in the midst of it goes back. */
  readonly blocking: (from: SignalOrigin, tables: readonly string[], overrides: ReadonlyMap<string, string>) => Promise<void>;
}
/** `table`: a row of the stream, which is seen again from the offset before it. `channel`: kafka or file. */
export type SignalOrigin = "table" | "channel";
export interface SignalHandler {
  /** For the stream; null: there are no incremental snapshots. */
  readonly stream: StreamSignals | null;
  /** A signal of a channel; resolves when the snapshot that it asks for is under way (incremental) or taken (blocking). */
  served(signal: Signal): Promise<void>;
  /** Something else that must not meet a request of a signal. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

/** One after another. */
class Turns {
  /** Requests that are still looking into the catalogue; later signals wait for them. Null: none are. */
  pending: Promise<void> | null = null;

  take(work: () => Promise<void>): Promise<void> {
    const done = (this.pending ?? Promise.resolve()).then(work);
    const mine: Promise<void> = done
      .catch(() => {})
      .finally(() => {
        if (this.pending === mine) this.pending = null;
      });
    this.pending = mine;
    return done;
  }
}

export function signalHandler<Plan extends { readonly id: string }>(s: SignalSettings<Plan>): SignalHandler {
  const incremental = s.incremental;
  const requested = async (from: SignalOrigin, id: string, request: SnapshotRequest): Promise<void> => {
    const tables = await s.tables();
    if (request.kind === "incremental") {
      if (incremental === null) throw new Error("incremental snapshots need signal.data.collection and the channel source");
      incremental.execute(id, request, tables);
      return;
    }
    const signalTable = incremental?.signalTable;
    const chosen = request.collections.flatMap((c) => tables.filter((t) => t !== signalTable && anchored(c, "data-collections").test(t)));
    await s.blocking(from, chosen, new Map(request.conditions.map((c) => [c.collection, c.filter])));
  };
  const turns = new Turns();
  const execute = (from: SignalOrigin, signal: Signal): "hold" | "go" => {
    const request = snapshotRequest(signal.data);
    if (request === null) {
      s.log.warn(`the execute-snapshot signal '${signal.id}' was ignored: its data cannot be read`);
      return "go";
    }
    turns
      .take(() => requested(from, signal.id, request))
      .catch((error: unknown) => s.log.warn(`the signal '${signal.id}' failed: ${String(error)}`));
    // Until the request is part of the offset (or done), a restart has to find the signal again.
    return "hold";
  };
  const handle = (from: SignalOrigin, signal: Signal): "hold" | "go" => {
    const { pending } = turns;
    if (pending !== null && /^(stop|pause|resume)-snapshot$/.test(signal.type)) {
      void pending.then(() => handle(from, signal));
      return "go";
    }
    switch (signal.type) {
      case "snapshot-window-open":
        incremental?.opened(signal.id);
        break;
      case "snapshot-window-close":
        incremental?.closed(signal.id);
        break;
      case "execute-snapshot":
        return execute(from, signal);
      case "stop-snapshot":
        incremental?.stop(stopRequest(signal.data));
        break;
      case "pause-snapshot":
        incremental?.pause();
        break;
      case "resume-snapshot":
        incremental?.resume();
        break;
      case "log":
        s.log.info(logRequest(signal.data, s.position()) ?? `the log signal '${signal.id}' has no message`);
        break;
      default:
        s.log.warn(`the signal '${signal.id}' of the unknown type '${signal.type}' was ignored`);
    }
    return "go";
  };
  const streamed = incremental ?? s.unasked ?? null;
  return {
    inTurn: (work) => turns.take(work),
    stream: streamed === null ? null : streamSignals(streamed, s.deletes, (signal) => handle("table", signal)),
    async served(signal) {
      handle("channel", signal);
      await turns.pending;
    },
  };
}
function streamSignals<Plan extends { readonly id: string }>(
  incremental: IncrementalSnapshot<Plan>,
  deletes: boolean,
  handle: (signal: Signal) => "hold" | "go",
): StreamSignals {
  return {
    table: incremental.signalTable,
    inserted: (id, type, data) => handle({ id, type, data }),
    deleted: (id) => {
      if (deletes) incremental.closed(id);
    },
    changed: (table, keyText) => incremental.changed(table, keyText),
    altered: (table) => incremental.altered(table),
    offset: () => (incremental.active ? incremental.offset() : null),
  };
}
