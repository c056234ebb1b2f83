/** Which batches belong to aborted transactions; compaction drops them. */
import * as field from "./batch-fields.ts";
import type { AbortedEntry } from "./transaction-index.ts";

export type AbortedTransactions = ReadonlyMap<number, readonly AbortedEntry[]>;
export function abortedByProducer(entries: readonly AbortedEntry[]): AbortedTransactions {
  const byProducer = new Map<number, AbortedEntry[]>();
  for (const entry of entries) {
    const known = byProducer.get(entry.producerId);
    if (known === undefined) byProducer.set(entry.producerId, [entry]);
    else known.push(entry);
  }
  return byProducer;
}
export function isAborted(aborted: AbortedTransactions, buf: Buffer, pos: number): boolean {
  if (!field.isTransactional(field.attributesOf(buf, pos))) return false;
  const offset = field.baseOffsetOf(buf, pos);
  return (aborted.get(field.producerIdOf(buf, pos)) ?? []).some((entry) => entry.firstOffset <= offset && offset < entry.lastOffset);
}
