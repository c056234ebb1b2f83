/** The producer's configuration: Kafka's names and defaults. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { CODECS, type Codec } from "../../protocol/records/compression/index.ts";
import { ConfigReader, invalid } from "../config.ts";
import type { ClientConfig } from "../types.ts";

export interface ProducerConfig {
  readonly acks: -1 | 0 | 1;
  readonly batchBytes: number;
  readonly lingerMs: number;
  /** `linger.ms` was not set: a quiet partition need not wait for it (linger.ts). */
  readonly lingerAdapts: boolean;
  readonly codec: Codec;
  readonly bufferMemoryBytes: number;
  readonly inFlightMax: number;
  readonly idempotent: boolean;
  readonly retriesMax: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly requestBytesMax: number;
  readonly maxBlockMs: number;
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
}
const INT32_MAX = 0x7fffffff;
const IDEMPOTENT_IN_FLIGHT_MAX = 5;

/** Throws KafkaError(INVALID_CONFIG) with Kafka's messages, also for settings that exclude each other. */
export function producerConfig(config: ClientConfig): ProducerConfig {
  const read = new ConfigReader(config);
  const acksText = read.oneOf("acks", ["all", "-1", "0", "1"], "all");
  const acks = acksText === "0" ? 0 : acksText === "1" ? 1 : -1;
  const transactionalId = read.text("transactional.id");
  const retriesMax = read.int("retries", INT32_MAX, 0, INT32_MAX);
  const inFlightMax = read.int("max.in.flight.requests.per.connection", 5, 1);
  const asked = read.text("enable.idempotence") === null ? null : read.bool("enable.idempotence", true);
  const possible = acks === -1 && retriesMax > 0 && inFlightMax <= IDEMPOTENT_IN_FLIGHT_MAX;
  if ((asked === true || transactionalId !== null) && acks !== -1) throw conflict("acks", "all");
  if ((asked === true || transactionalId !== null) && retriesMax === 0) throw conflict("retries", "non-zero");
  if ((asked === true || transactionalId !== null) && inFlightMax > IDEMPOTENT_IN_FLIGHT_MAX) {
    throw conflict("max.in.flight.requests.per.connection", "at most 5");
  }
  if (asked === false && transactionalId !== null) {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, "Cannot set a transactional.id without also enabling idempotence.");
  }
  const lingerMs = read.int("linger.ms", 5);
  const requestTimeoutMs = read.int("request.timeout.ms", 30_000, 1);
  const deliveryText = read.text("delivery.timeout.ms");
  const deliveryTimeoutMs = read.int("delivery.timeout.ms", 120_000);
  if (deliveryText !== null && deliveryTimeoutMs < lingerMs + requestTimeoutMs) {
    throw invalid("delivery.timeout.ms", deliveryText, "should be equal to or larger than linger.ms + request.timeout.ms");
  }
  return {
    acks,
    batchBytes: Math.max(read.int("batch.size", 16_384), 256),
    lingerMs,
    lingerAdapts: read.text("linger.ms") === null,
    codec: read.oneOf("compression.type", CODECS, "none"),
    bufferMemoryBytes: read.int("buffer.memory", 33_554_432, 1),
    inFlightMax,
    // Like Java: the default gives way to settings that exclude it, an explicit wish does not.
    idempotent: asked ?? possible,
    retriesMax,
    requestTimeoutMs,
    deliveryTimeoutMs: Math.max(deliveryTimeoutMs, lingerMs + requestTimeoutMs),
    requestBytesMax: read.int("max.request.size", 1_048_576, 1),
    maxBlockMs: read.int("max.block.ms", 60_000, 1),
    transactionalId,
    transactionTimeoutMs: read.int("transaction.timeout.ms", 60_000, 1),
  };
}
const conflict = (name: string, need: string): KafkaError =>
  new KafkaError(ErrorCode.INVALID_CONFIG, `Must set ${name} to ${need} in order to use the idempotent producer.`);
