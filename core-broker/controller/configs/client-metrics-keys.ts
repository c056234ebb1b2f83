/** Settings of a client metrics subscription (KIP-714). They are kept; nothing is collected, as Kafka without a receiver. */
import type { ConfigKey } from "./config-key.ts";

export const CLIENT_METRICS_KEYS: readonly ConfigKey[] = [
  {
    name: "interval.ms",
    type: "INT",
    default: "300000",
    valid: { min: 100, max: 3_600_000 },
    doc: "How often clients push, in milliseconds.",
  },
  { name: "match", type: "LIST", default: "", doc: "Which clients push: pairs of selector=pattern." },
  { name: "metrics", type: "LIST", default: "", doc: "Prefixes of the metrics to push." },
];
