/**
 * A connector's own offset topic over the worker's (KIP-618, `offsets.storage.topic`): what its own topic does not have is looked for
 * in the worker's, and the worker's gets a copy of what is written, so that the setting can be taken up and given up at any time.
 */
import type { Logger } from "#broker/base/logger";
import type { OffsetStore } from "../worker/types.ts";
import { canonicalKey } from "./offset-json.ts";

/** `close` ends the own store only. */
export function layeredOffsetStore(own: OffsetStore, worker: OffsetStore, log: Logger): OffsetStore {
  return {
    start: () => own.start(),
    async read(connector, partitions) {
      const [first, second] = await Promise.all([own.read(connector, partitions), worker.read(connector, partitions)]);
      return partitions.map((_, n) => first[n] ?? second[n] ?? null);
    },
    async write(connector, entries) {
      const removed = entries.filter((e) => e.offset === null);
      // Removed in the worker's topic first: after a crash in between, an old offset must not show through.
      if (removed.length > 0) await worker.write(connector, removed);
      await own.write(connector, entries);
      const copied = entries.filter((e) => e.offset !== null);
      if (copied.length > 0)
        worker.write(connector, copied).catch((error: unknown) => log.warn(`the copy of offsets of ${connector} failed: ${String(error)}`));
    },
    async list(connector) {
      const [first, second] = await Promise.all([own.list(connector), worker.list(connector)]);
      const known = new Set(first.map((e) => canonicalKey(connector, e.partition)));
      return [...first, ...second.filter((e) => !known.has(canonicalKey(connector, e.partition)))];
    },
    close: () => own.close(),
  };
}
