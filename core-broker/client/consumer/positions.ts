/** Finds the position of partitions that have none: the committed offset, else the beginning or end (auto.offset.reset). */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { Cluster } from "../cluster.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, offsetsAt, partitionKey } from "../list-offsets.ts";
import { fetchOffsets } from "../offset-store.ts";
import type { ConsumerConfig } from "./config.ts";
import type { PartitionState } from "./partition-state.ts";

/** Throws OFFSET_OUT_OF_RANGE where nothing is committed and auto.offset.reset is none, else what the requests failed with. */
export async function findPositions(
  cluster: Cluster,
  config: ConsumerConfig,
  states: readonly PartitionState[],
  timeoutMs: number,
): Promise<void> {
  const generations = new Map(states.map((state) => [state, state.generation]));
  const current = (state: PartitionState): boolean => state.position === null && generations.get(state) === state.generation;
  const fresh = states.filter((state) => state.reset === null);
  if (config.groupId !== null && fresh.length > 0) {
    const committed = await fetchOffsets(cluster, config.groupId, fresh, true, timeoutMs);
    for (const state of fresh) {
      const found = committed.get(partitionKey(state));
      if (found === undefined || !current(state)) continue;
      state.seek(found.offset);
      generations.set(state, state.generation);
    }
  }
  const open = states.filter(current);
  if (open.length === 0) return;
  const without = open.find((state) => state.reset === null);
  if (without !== undefined && config.reset === "none") {
    throw new KafkaError(
      ErrorCode.OFFSET_OUT_OF_RANGE,
      `Undefined offset with no reset policy for partitions: [${open
        .filter((state) => state.reset === null)
        .map(partitionKey)
        .join(", ")}]`,
    );
  }
  const target = (state: PartitionState): string => state.reset ?? config.reset;
  for (const [reset, group] of Map.groupBy(open, target)) {
    const timestamp = reset === "earliest" ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP;
    const offsets = await offsetsAt(cluster, group, timestamp, config.isolation, timeoutMs);
    group.forEach((state, i) => {
      const offset = offsets[i];
      if (offset !== undefined && current(state)) state.seek(offset);
    });
  }
}
