/** One consumed record through converters and transforms: the mirror of record-writer. */
import type { ConsumedRecord } from "#broker/client/types";
import type { Header, SinkRecord } from "../api/record.ts";
import type { Converters } from "./converters.ts";
import type { Stage } from "./failure.ts";
import type { TransformChain } from "./transform-chain.ts";

const NO_HEADERS: readonly Header[] = [];

export class RecordReader {
  readonly #chain: TransformChain<SinkRecord>;
  readonly #converters: Converters;
  /** Where the record in hand is, for reports and retries. */
  stage: Stage = "KEY_CONVERTER";

  constructor(chain: TransformChain<SinkRecord>, converters: Converters) {
    this.#chain = chain;
    this.#converters = converters;
  }
  /** Null: dropped by a transform. Throws what the stage throws. */
  read(record: ConsumedRecord): SinkRecord | null {
    const { key, value, header } = this.#converters;
    this.stage = "KEY_CONVERTER";
    const k = key.plugin.toConnect(record.topic, record.key);
    this.stage = "VALUE_CONVERTER";
    const v = value.plugin.toConnect(record.topic, record.value);
    this.stage = "HEADER_CONVERTER";
    let headers = NO_HEADERS;
    if (record.headers.length > 0) {
      headers = record.headers.map((h) => {
        const converted = header.plugin.toConnectHeader(record.topic, h.key, h.value);
        return { key: h.key, schema: converted.schema, value: converted.value };
      });
    }
    this.stage = "TRANSFORMATION";
    return this.#chain.apply({
      topic: record.topic,
      partition: record.partition,
      keySchema: k.schema,
      key: k.value,
      valueSchema: v.schema,
      value: v.value,
      timestamp: record.timestampType === "NO_TIMESTAMP_TYPE" ? null : record.timestamp,
      headers,
      offset: record.offset,
      timestampType: record.timestampType,
      originalTopic: record.topic,
      originalPartition: record.partition,
      originalOffset: record.offset,
    });
  }
  /** After a throw: the converters are pure and run again; the chain goes on at the step that failed. */
  resume(record: ConsumedRecord): SinkRecord | null {
    if (this.stage !== "TRANSFORMATION" || this.#chain.input === null) return this.read(record);
    return this.#chain.apply(this.#chain.input, this.#chain.at);
  }
  stageClass(): string {
    switch (this.stage) {
      case "KEY_CONVERTER":
        return this.#converters.key.className;
      case "VALUE_CONVERTER":
        return this.#converters.value.className;
      case "HEADER_CONVERTER":
        return this.#converters.header.className;
      default:
        return this.#chain.steps[this.#chain.at]?.className ?? "";
    }
  }
}
