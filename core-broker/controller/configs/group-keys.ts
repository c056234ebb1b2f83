/** Kafka 4.1's settings per group. */
import type { ConfigKey } from "./config-key.ts";

export const GROUP_KEYS: readonly ConfigKey[] = [
  {
    name: "consumer.heartbeat.interval.ms",
    type: "INT",
    default: "5000",
    valid: { min: 1 },
    doc: "Heartbeat interval that members of this group are given.",
  },
  {
    name: "consumer.session.timeout.ms",
    type: "INT",
    default: "45000",
    valid: { min: 1 },
    doc: "A member of this group that is silent for so long is removed.",
  },
  { name: "share.auto.offset.reset", type: "STRING", default: "latest" },
  { name: "share.heartbeat.interval.ms", type: "INT", default: "5000", valid: { min: 1 } },
  { name: "share.isolation.level", type: "STRING", default: "read_uncommitted", valid: { oneOf: ["read_committed", "read_uncommitted"] } },
  { name: "share.record.lock.duration.ms", type: "INT", default: "30000", valid: { min: 1000 } },
  { name: "share.session.timeout.ms", type: "INT", default: "45000", valid: { min: 1 } },
  { name: "streams.heartbeat.interval.ms", type: "INT", default: "5000", valid: { min: 1 } },
  { name: "streams.num.standby.replicas", type: "INT", default: "0", valid: { min: 0 } },
  { name: "streams.session.timeout.ms", type: "INT", default: "45000", valid: { min: 1 } },
];
