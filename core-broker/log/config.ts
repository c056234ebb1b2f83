/** Log settings: Kafka 4.1's topic configs, their broker-level synonyms and defaults, read from strings. */
type TimestampType = "CreateTime" | "LogAppendTime";
type CompressionType = "producer" | "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";

export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  readonly flushMessages: number;
  readonly flushMs: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly deleteRetentionMs: number;
  readonly fileDeleteDelayMs: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly compact: boolean;
  readonly delete: boolean;
  readonly compressionType: CompressionType;
  /** Of gzip and zstd. */
  readonly compressionLevel: number;
  readonly timestampType: TimestampType;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

/** Broker-wide settings of the log that no topic can override. */
export interface BrokerLogConfig {
  readonly cleanerEnabled: boolean;
  readonly cleanerBackoffMs: number;
  readonly cleanerDedupeBufferBytes: number;
  readonly cleanerIoBufferBytes: number;
  readonly retentionCheckIntervalMs: number;
  readonly flushSchedulerIntervalMs: number;
  readonly checkpointIntervalMs: number;
  readonly producerIdExpirationMs: number;
  readonly producerIdExpirationCheckIntervalMs: number;
}

type Properties = Readonly<Record<string, string>>;
const FOR_EVER = Number.MAX_SAFE_INTEGER;
const HOUR_MS = 3_600_000;

interface Unit {
  readonly key: string;
  readonly factor: number;
}
/** Topic config → broker synonyms, first match wins. */
const SYNONYMS: Readonly<Record<string, readonly Unit[]>> = {
  "segment.bytes": [{ key: "log.segment.bytes", factor: 1 }],
  "segment.ms": [
    { key: "log.roll.ms", factor: 1 },
    { key: "log.roll.hours", factor: HOUR_MS },
  ],
  "segment.jitter.ms": [
    { key: "log.roll.jitter.ms", factor: 1 },
    { key: "log.roll.jitter.hours", factor: HOUR_MS },
  ],
  "segment.index.bytes": [{ key: "log.index.size.max.bytes", factor: 1 }],
  "index.interval.bytes": [{ key: "log.index.interval.bytes", factor: 1 }],
  "flush.messages": [{ key: "log.flush.interval.messages", factor: 1 }],
  "flush.ms": [
    { key: "log.flush.interval.ms", factor: 1 },
    { key: "log.flush.scheduler.interval.ms", factor: 1 },
  ],
  "retention.bytes": [{ key: "log.retention.bytes", factor: 1 }],
  "retention.ms": [
    { key: "log.retention.ms", factor: 1 },
    { key: "log.retention.minutes", factor: 60_000 },
    { key: "log.retention.hours", factor: HOUR_MS },
  ],
  "max.message.bytes": [{ key: "message.max.bytes", factor: 1 }],
  "delete.retention.ms": [{ key: "log.cleaner.delete.retention.ms", factor: 1 }],
  "file.delete.delay.ms": [{ key: "log.segment.delete.delay.ms", factor: 1 }],
  "min.compaction.lag.ms": [{ key: "log.cleaner.min.compaction.lag.ms", factor: 1 }],
  "max.compaction.lag.ms": [{ key: "log.cleaner.max.compaction.lag.ms", factor: 1 }],
  "min.cleanable.dirty.ratio": [{ key: "log.cleaner.min.cleanable.ratio", factor: 1 }],
  "cleanup.policy": [{ key: "log.cleanup.policy", factor: 1 }],
  "compression.type": [{ key: "compression.type", factor: 1 }],
  "compression.gzip.level": [{ key: "compression.gzip.level", factor: 1 }],
  "compression.zstd.level": [{ key: "compression.zstd.level", factor: 1 }],
  "message.timestamp.type": [{ key: "log.message.timestamp.type", factor: 1 }],
  "message.timestamp.before.max.ms": [{ key: "log.message.timestamp.before.max.ms", factor: 1 }],
  "message.timestamp.after.max.ms": [{ key: "log.message.timestamp.after.max.ms", factor: 1 }],
};

/** Thrown for a value that cannot be read; the caller decides between INVALID_CONFIG and refusing to start. */
export class LogConfigError extends Error {
  override readonly name = "LogConfigError";
}

/** Topic overrides before broker properties before Kafka's defaults. */
export function logConfig(topic: Properties, broker: Properties = {}): LogConfig {
  const number = (name: string, fallback: number): number => numberOf(name, topic, broker) ?? fallback;
  const text = (name: string, fallback: string): string => textOf(name, topic, broker) ?? fallback;
  const policies = text("cleanup.policy", "delete")
    .split(",")
    .map((policy) => policy.trim())
    .filter((policy) => policy !== "");
  for (const policy of policies) oneOf("cleanup.policy", policy, ["delete", "compact"]);
  const retentionMs = number("retention.ms", 168 * HOUR_MS);
  const gzip = text("compression.type", "producer") === "gzip";
  return {
    segmentBytes: number("segment.bytes", 1 << 30),
    segmentMs: number("segment.ms", 168 * HOUR_MS),
    segmentJitterMs: number("segment.jitter.ms", 0),
    segmentIndexBytes: number("segment.index.bytes", 10 << 20),
    indexIntervalBytes: number("index.interval.bytes", 4096),
    flushMessages: number("flush.messages", FOR_EVER),
    flushMs: number("flush.ms", FOR_EVER),
    retentionBytes: number("retention.bytes", -1),
    retentionMs: retentionMs < 0 ? -1 : retentionMs,
    maxMessageBytes: number("max.message.bytes", 1_048_588),
    deleteRetentionMs: number("delete.retention.ms", 24 * HOUR_MS),
    fileDeleteDelayMs: number("file.delete.delay.ms", 60_000),
    minCompactionLagMs: number("min.compaction.lag.ms", 0),
    maxCompactionLagMs: number("max.compaction.lag.ms", FOR_EVER),
    minCleanableDirtyRatio: number("min.cleanable.dirty.ratio", 0.5),
    compact: policies.includes("compact"),
    delete: policies.includes("delete"),
    compressionType: oneOf("compression.type", text("compression.type", "producer"), [
      "producer",
      "uncompressed",
      "gzip",
      "snappy",
      "lz4",
      "zstd",
    ]),
    compressionLevel: gzip ? number("compression.gzip.level", -1) : number("compression.zstd.level", 3),
    timestampType: oneOf("message.timestamp.type", text("message.timestamp.type", "CreateTime"), ["CreateTime", "LogAppendTime"]),
    timestampBeforeMaxMs: number("message.timestamp.before.max.ms", FOR_EVER),
    timestampAfterMaxMs: number("message.timestamp.after.max.ms", HOUR_MS),
  };
}

export function brokerLogConfig(broker: Properties): BrokerLogConfig {
  const number = (name: string, fallback: number): number => {
    const value = broker[name];
    return value === undefined ? fallback : parseNumber(name, value);
  };
  return {
    cleanerEnabled: (broker["log.cleaner.enable"] ?? "true").trim() !== "false",
    cleanerBackoffMs: number("log.cleaner.backoff.ms", 15_000),
    cleanerDedupeBufferBytes: number("log.cleaner.dedupe.buffer.size", 128 << 20),
    cleanerIoBufferBytes: number("log.cleaner.io.buffer.size", 512 << 10),
    retentionCheckIntervalMs: number("log.retention.check.interval.ms", 300_000),
    flushSchedulerIntervalMs: number("log.flush.scheduler.interval.ms", FOR_EVER),
    checkpointIntervalMs: number("log.flush.offset.checkpoint.interval.ms", 60_000),
    producerIdExpirationMs: number("producer.id.expiration.ms", 24 * HOUR_MS),
    producerIdExpirationCheckIntervalMs: number("producer.id.expiration.check.interval.ms", 600_000),
  };
}

function textOf(name: string, topic: Properties, broker: Properties): string | undefined {
  const own = topic[name];
  if (own !== undefined) return own.trim();
  for (const { key } of SYNONYMS[name] ?? []) {
    const value = broker[key];
    if (value !== undefined) return value.trim();
  }
  return undefined;
}
function numberOf(name: string, topic: Properties, broker: Properties): number | undefined {
  const own = topic[name];
  if (own !== undefined) return parseNumber(name, own);
  for (const { key, factor } of SYNONYMS[name] ?? []) {
    const value = broker[key];
    if (value === undefined) continue;
    const parsed = parseNumber(key, value);
    return parsed < 0 ? parsed : parsed * factor;
  }
  return undefined;
}
/** Long.MAX_VALUE loses its last digits here; it still means "for ever". */
function parseNumber(name: string, value: string): number {
  const parsed = Number(value);
  if (value.trim() === "" || Number.isNaN(parsed))
    throw new LogConfigError(`Invalid value ${value} for configuration ${name}: not a number`);
  return Math.min(parsed, FOR_EVER);
}
function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  for (const candidate of allowed) if (candidate === value) return candidate;
  throw new LogConfigError(`Invalid value ${value} for configuration ${name}: String must be one of: ${allowed.join(", ")}`);
}
