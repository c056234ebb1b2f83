/** What the connector does for each signal. */
import type { Client } from "pg";
import type { Logger } from "#connect/api/connector";
import { anchored } from "../cdc/java-regex.ts";
import { logRequest, type Signal, type SnapshotRequest, snapshotRequest, stopRequest } from "../cdc/signals.ts";
import { capturedTables, type IncrementalSnapshot } from "./incremental.ts";
import type { TablePlans } from "./plans.ts";
import type { StreamSignals } from "./stream.ts";

export interface SignalSettings {
  readonly table: string;
  readonly deletes: boolean;
  readonly incremental: IncrementalSnapshot;
  readonly plans: TablePlans;
  readonly sql: () => Promise<Client>;
  readonly log: Logger;
  readonly position: () => string;
  /** Stops streaming, reads the tables, goes on. */
  readonly blocking: (tables: readonly string[], overrides: ReadonlyMap<string, string>) => void;
}

export function signalHandler(s: SignalSettings): StreamSignals & { handle(signal: Signal): "hold" | "go" } {
  const requested = async (id: string, request: SnapshotRequest): Promise<void> => {
    const tables = await capturedTables(await s.sql(), s.plans);
    if (request.kind === "incremental") {
      s.incremental.execute(id, request, tables);
      return;
    }
    const chosen = request.collections.flatMap((c) => tables.filter((t) => t !== s.table && anchored(c, "data-collections").test(t)));
    s.blocking(chosen, new Map(request.conditions.map((c) => [c.collection, c.filter])));
  };
  /** Requests that are still looking into the catalogue; later signals wait for them. */
  let pending: Promise<void> | null = null;
  const execute = (signal: Signal): "hold" | "go" => {
    const request = snapshotRequest(signal.data);
    if (request === null) {
      s.log.warn(`the execute-snapshot signal '${signal.id}' was ignored: its data cannot be read`);
      return "go";
    }
    const before = pending ?? Promise.resolve();
    const mine: Promise<void> = before
      .then(() => requested(signal.id, request))
      .catch((error: unknown) => s.log.warn(`the signal '${signal.id}' failed: ${String(error)}`))
      .finally(() => {
        if (pending === mine) pending = null;
      });
    pending = mine;
    // Until the request is part of the offset (or done), a restart has to find the signal again.
    return "hold";
  };
  const handle = (signal: Signal): "hold" | "go" => {
    if (pending !== null && /^(stop|pause|resume)-snapshot$/.test(signal.type)) {
      void pending.then(() => handle(signal));
      return "go";
    }
    switch (signal.type) {
      case "snapshot-window-open":
        s.incremental.opened(signal.id);
        break;
      case "snapshot-window-close":
        s.incremental.closed(signal.id);
        break;
      case "execute-snapshot":
        return execute(signal);
      case "stop-snapshot":
        s.incremental.stop(stopRequest(signal.data));
        break;
      case "pause-snapshot":
        s.incremental.pause();
        break;
      case "resume-snapshot":
        s.incremental.resume();
        break;
      case "log":
        s.log.info(logRequest(signal.data, s.position()) ?? `the log signal '${signal.id}' has no message`);
        break;
      default:
        s.log.warn(`the signal '${signal.id}' of the unknown type '${signal.type}' was ignored`);
    }
    return "go";
  };
  return {
    table: s.table,
    handle,
    inserted: (id, type, data) => handle({ id, type, data }),
    deleted: (id) => {
      if (s.deletes) s.incremental.closed(id);
    },
    changed: (plan, keyText) => s.incremental.changed(plan, keyText),
    offset: () => (s.incremental.active ? s.incremental.offset() : null),
  };
}
