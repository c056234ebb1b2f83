/** Which brokers hold a partition. */
import type { MetadataImage } from "./image.ts";

/** Replicas spread round robin over the brokers, leaders first; the text of the refusal when there are too few. */
export function assign(
  image: MetadataImage,
  firstPartition: number,
  count: number,
  factor: number,
): string | readonly (readonly number[])[] {
  const brokers = [...image.brokers.keys()].sort((a, b) => a - b);
  if (factor > brokers.length) {
    const why = `The target replication factor of ${factor} cannot be reached because only ${brokers.length} broker(s) are registered.`;
    return `Unable to replicate the partition ${factor} time(s): ${why}`;
  }
  return Array.from({ length: count }, (_, index) =>
    Array.from({ length: factor }, (__, replica) => brokers[(firstPartition + index + replica) % brokers.length] ?? -1),
  );
}
/** What is wrong with replica lists that a client gave, in Kafka's words; null: nothing. */
export function manualAssignment(image: MetadataImage, lists: readonly (readonly number[])[], factor: number): string | null {
  for (const replicas of lists) {
    if (replicas.length === 0) return "The manual partition assignment includes an empty replica list.";
    const seen = new Set<number>();
    for (const broker of replicas) {
      if (seen.has(broker)) return `The manual partition assignment includes the broker ${broker} more than once.`;
      seen.add(broker);
      if (!image.brokers.has(broker)) {
        return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`;
      }
    }
    if (replicas.length !== factor) {
      const why = `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${factor} replica(s).`;
      return why;
    }
  }
  return null;
}
