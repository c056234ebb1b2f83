/**
 * How long the open batch of a partition waits for more records. Kafka's default, 5 ms since 4.0 (KIP-1030), pays where records come in masses.
 * Where they are few it is most of the time from a commit to a consumer; so as long as a partition's batches are of a few records, the next one goes once the
 * one before is answered. Where records are many, batches have more by then, and the full time is waited.
 */
import type { Batch } from "./batch.ts";
import type { ProducerConfig } from "./config.ts";
import type { PartitionQueue } from "./partition-queue.ts";

const QUIET_RECORDS = 8;
/** A request costs about as much CPU as 30 records; so no more than a thousand a second are sent for their own sake. */
const QUIET_PAUSE_MS = 1;

/** Small batches, and nothing that could not be sent now. */
export const isQuiet = (queue: Pick<PartitionQueue, "countHint" | "inFlight">, config: Pick<ProducerConfig, "lingerAdapts">): boolean =>
  config.lingerAdapts && queue.inFlight.length === 0 && queue.countHint <= QUIET_RECORDS;

/** Monotonic ms at which the open batch may go. */
export function lingersUntil(
  queue: Pick<PartitionQueue, "countHint" | "inFlight" | "sentAt">,
  open: Pick<Batch, "createdAt" | "count">,
  config: Pick<ProducerConfig, "lingerAdapts" | "lingerMs">,
): number {
  const latest = open.createdAt + config.lingerMs;
  return isQuiet(queue, config) && open.count <= QUIET_RECORDS ? Math.min(latest, queue.sentAt + QUIET_PAUSE_MS) : latest;
}
