/**
 * One source record through transforms and converters into the producer's batch. This is the hot path of every source: nothing
 * here makes a promise, and bytes are written once into a buffer that is reused.
 */
import type { Delivery, Producer, RecordHeader, RecordRanges } from "#broker/client/types";
import { byteSink, type ByteSink } from "../api/byte-sink.ts";
import type { Converter } from "../api/plugin.ts";
import type { Header, SourceRecord } from "../api/record.ts";
import type { Schema } from "../api/schema.ts";
import type { ConnectValue } from "../api/value.ts";
import type { Converters } from "./converters.ts";
import { NOTHING_TO_SEND } from "./delivery-ledger.ts";
import type { Stage } from "./failure.ts";
import type { TransformChain } from "./transform-chain.ts";
import type { TopicRegistry } from "./topic-registry.ts";

export type Outcome = "sent" | "dropped" | "topic-unknown";

type Write = (topic: string, schema: Schema | null, value: ConnectValue, out: ByteSink) => number;

const NO_HEADERS: readonly RecordHeader[] = [];
const HEADER_TOPICS_MAX = 10_000;
const BUFFER_KEPT_MAX = 8 * 1024 * 1024;

/** The converter's fast path, or its slow one in that shape. */
function writeOf(converter: Converter): Write {
  if (converter.write !== undefined) {
    const fast = converter.write.bind(converter);
    return fast;
  }
  return (topic, schema, value, out) => {
    const bytes = converter.fromConnect(topic, schema, value);
    if (bytes === null) return -1;
    out.reserve(bytes.length);
    out.bytes.set(bytes, out.length);
    out.length += bytes.length;
    return bytes.length;
  };
}

export class RecordWriter {
  readonly #producer: Producer;
  readonly #topics: TopicRegistry;
  readonly #chain: TransformChain<SourceRecord>;
  readonly #converters: Converters;
  readonly #hasSteps: boolean;
  readonly #writeKey: Write;
  readonly #writeValue: Write;
  #out: ByteSink = byteSink();
  #knownTopic: string | null = null;
  /** One object for all records: the producer reads it during the call. */
  readonly #ranges: { -readonly [K in keyof RecordRanges]: RecordRanges[K] };
  #lastHeaders: readonly Header[] = [];
  #lastTopic = "";
  /** Of `#lastHeaders`, by topic. */
  readonly #convertedFor = new Map<string, readonly RecordHeader[]>();
  #lastConverted: readonly RecordHeader[] = NO_HEADERS;
  /** Where the record in hand is, for reports and retries. */
  stage: Stage = "TRANSFORMATION";
  /** The record after the transforms; null before. */
  transformed: SourceRecord | null = null;
  /** Of the last record with outcome "sent". */
  delivery: Delivery = NOTHING_TO_SEND;

  constructor(producer: Producer, topics: TopicRegistry, chain: TransformChain<SourceRecord>, converters: Converters) {
    this.#producer = producer;
    this.#topics = topics;
    this.#chain = chain;
    this.#hasSteps = chain.steps.length > 0;
    this.#converters = converters;
    this.#ranges = { keyBytes: this.#out.bytes, keyStart: 0, keyLength: -1, valueBytes: this.#out.bytes, valueStart: 0, valueLength: -1 };
    this.#writeKey = writeOf(converters.key.plugin);
    this.#writeValue = writeOf(converters.value.plugin);
  }
  /** Throws what the stage throws. */
  write(record: SourceRecord, nowMs: number): Outcome {
    if (!this.#hasSteps) {
      this.transformed = record;
      return this.#send(record, nowMs);
    }
    this.stage = "TRANSFORMATION";
    this.transformed = null;
    const transformed = this.#chain.apply(record);
    if (transformed === null) return "dropped";
    this.transformed = transformed;
    return this.#send(transformed, nowMs);
  }
  /** After a throw or an unknown topic: goes on at the stage where `write` stopped. */
  resume(nowMs: number): Outcome {
    if (this.transformed === null) {
      const input = this.#chain.input;
      if (input === null) return "dropped";
      this.transformed = this.#chain.apply(input, this.#chain.at);
      if (this.transformed === null) return "dropped";
    }
    return this.#send(this.transformed, nowMs);
  }
  /** The class at work in the current stage. */
  stageClass(): string {
    switch (this.stage) {
      case "TRANSFORMATION":
        return this.#chain.steps[this.#chain.at]?.className ?? "";
      case "KEY_CONVERTER":
        return this.#converters.key.className;
      case "VALUE_CONVERTER":
        return this.#converters.value.className;
      case "HEADER_CONVERTER":
        return this.#converters.header.className;
      default:
        return "org.apache.kafka.clients.producer.KafkaProducer";
    }
  }
  #send(record: SourceRecord, nowMs: number): Outcome {
    const topic = record.topic;
    if (topic !== this.#knownTopic) {
      if (!this.#topics.has(topic)) return "topic-unknown";
      this.#knownTopic = topic;
    }
    const out = this.#out;
    out.length = 0;
    const headers = record.headers.length === 0 ? NO_HEADERS : this.#headers(topic, record.headers);
    this.stage = "KEY_CONVERTER";
    const keyLength = this.#writeKey(topic, record.keySchema, record.key, out);
    this.stage = "VALUE_CONVERTER";
    const valueStart = out.length;
    const valueLength = this.#writeValue(topic, record.valueSchema, record.value, out);
    this.stage = "KAFKA_PRODUCE";
    const bytes = out.bytes;
    const ranges = this.#ranges;
    ranges.keyBytes = bytes;
    ranges.keyLength = keyLength;
    ranges.valueBytes = bytes;
    ranges.valueStart = valueStart;
    ranges.valueLength = valueLength;
    this.delivery = this.#producer.appendRanges(topic, record.partition, ranges, record.timestamp ?? nowMs, headers);
    if (bytes.length > BUFFER_KEPT_MAX) this.#out = byteSink();
    return "sent";
  }
  /** A source that gives all its records one list (Debezium's context headers) has it converted once for each topic. */
  #headers(topic: string, headers: readonly Header[]): readonly RecordHeader[] {
    if (headers === this.#lastHeaders && topic === this.#lastTopic) return this.#lastConverted;
    this.stage = "HEADER_CONVERTER";
    const converter = this.#converters.header.plugin;
    if (headers !== this.#lastHeaders) {
      this.#lastHeaders = headers;
      this.#convertedFor.clear();
    }
    let converted = this.#convertedFor.get(topic);
    if (converted === undefined) {
      converted = headers.map((h) => ({ key: h.key, value: converter.fromConnectHeader(topic, h.key, h.schema, h.value) }));
      // Topics in turn whose headers are the same bytes share one list, which the producer encodes once.
      if (this.#convertedFor.size > 0 && sameHeaders(converted, this.#lastConverted)) converted = this.#lastConverted;
      if (this.#convertedFor.size < HEADER_TOPICS_MAX) this.#convertedFor.set(topic, converted);
    }
    this.#lastTopic = topic;
    this.#lastConverted = converted;
    return converted;
  }
}

function sameHeaders(a: readonly RecordHeader[], b: readonly RecordHeader[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ key, value }, i) => {
    const other = b[i];
    if (other === undefined || key !== other.key) return false;
    return value === null || other.value === null ? value === other.value : Buffer.compare(value, other.value) === 0;
  });
}
