/** How far a sink's group is behind the ends of its topics. */
import type { Admin } from "#broker/client/types";
import { groupOf } from "../worker/client-config.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { SinkLag } from "./health.ts";

export async function sinkLag(name: string, config: ConfigMap, admin: Admin): Promise<SinkLag> {
  const offsets = await admin.groupOffsets(groupOf(name, config));
  const ends = offsets.length === 0 ? [] : await admin.endOffsets(offsets);
  const partitions = offsets.map((o, i) => ({ topic: o.topic, partition: o.partition, offset: o.offset, end: ends[i] ?? o.offset }));
  return { lagRecords: partitions.reduce((sum, p) => sum + Math.max(0, p.end - p.offset), 0), partitions };
}
