/**
 * Records of the worker's own topics that mean nothing: foreign keys, damaged values. They are skipped, as Kafka Connect does, and
 * counted and kept here, so that health and metrics can show them.
 */
import type { Logger } from "#broker/base/logger";
import type { ConsumedRecord } from "#broker/client/types";

export interface SkippedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** At most 200 characters. */
  readonly key: string;
  readonly why: string;
}
const KEPT_MAX = 100;
const KEY_CHARS_MAX = 200;

export class SkippedRecords {
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();
  readonly #newest: SkippedRecord[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }
  note({ topic, partition, offset, key }: ConsumedRecord, why: string): void {
    const text = key === null ? "" : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString().slice(0, KEY_CHARS_MAX);
    const record = { topic, partition, offset, key: text, why };
    const count = (this.#counts.get(topic) ?? 0) + 1;
    this.#counts.set(topic, count);
    if (this.#newest.push(record) > KEPT_MAX) this.#newest.shift();
    // Somebody else's topic would fill the log.
    if (count <= KEPT_MAX) this.#log.warn(`skipped a record of topic ${topic} that ${why}`, { partition, offset, key: text });
    if (count === KEPT_MAX) this.#log.warn(`more such records of topic ${topic} are counted, and not logged any more`);
  }
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
  /** The newest ones whose key is of this connector. */
  of(connector: string): readonly SkippedRecord[] {
    return this.#newest.filter(({ key }) => namesIn(key).some((name) => name === connector));
  }
}
/** Connectors that a key may be meant for: task numbers and names are both joined by hyphens. */
function namesIn(key: string): readonly string[] {
  const offset = /^\["((?:[^"\\]|\\.)*)",/.exec(key)?.[1];
  if (offset !== undefined) return [offset];
  const rest = /^(?:status-)?(?:connector|task|commit|target-state|tasks-fencing|restart-connector)-(.*)$/s.exec(key)?.[1];
  const used = /^status-topic-.*:connector-(.*)$/s.exec(key)?.[1];
  return [used, rest, rest?.replace(/-\d+$/, "")].filter((name) => name !== undefined);
}
