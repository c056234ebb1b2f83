/** The contracts of the small plugins: transforms, predicates, converters, header converters, config providers. */
import type { ByteSink } from "./byte-sink.ts";
import type { ConfigDef, RawConfig } from "./config.ts";
import type { ConnectRecord } from "./record.ts";
import type { Schema } from "./schema.ts";
import type { Restructure } from "./struct-plan.ts";
import type { ConnectValue } from "./value.ts";

interface Named {
  readonly name: string;
  /** Java class names, `$Key`/`$Value` variants included. */
  readonly classes: readonly string[];
  readonly version: string;
}
export interface Transform {
  /** The new record, or null to drop it. Throws DataError for data it cannot take. Synchronous and without I/O. */
  apply<R extends ConnectRecord>(record: R): R | null;
  /** The fast path of `apply`, where all it does can be said as a plan. Same result; `apply` serves what the plan does not. */
  readonly restructure?: Restructure;
  close?(): void;
}
export interface TransformPlugin extends Named {
  readonly kind: "transform";
  readonly config: ConfigDef;
  /** `className` is the class that was asked for, so that one plugin serves `$Key` and `$Value`. Throws ConfigError. */
  create(config: RawConfig, className: string): Transform;
}
export interface PredicatePlugin extends Named {
  readonly kind: "predicate";
  readonly config: ConfigDef;
  create(config: RawConfig): { test(record: ConnectRecord): boolean };
}
export interface SchemaAndValue {
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}
export interface WireHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}
export interface Converter {
  /** Null: a null key or a tombstone. */
  fromConnect(topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null;
  toConnect(topic: string, bytes: Uint8Array | null): SchemaAndValue;
  /**
   * The fast path of fromConnect: appends to the sink and returns the number of bytes, or -1 for null. Same bytes as
   * fromConnect. What was appended stands from `out.length` before the call.
   */
  write?(topic: string, schema: Schema | null, value: ConnectValue, out: ByteSink): number;
}
export interface ConverterPlugin extends Named {
  readonly kind: "converter";
  readonly config: ConfigDef;
  create(config: RawConfig, isKey: boolean): Converter;
}
export interface HeaderConverter {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: ConnectValue): Uint8Array | null;
  toConnectHeader(topic: string, key: string, bytes: Uint8Array | null): SchemaAndValue;
}
export interface HeaderConverterPlugin extends Named {
  readonly kind: "header-converter";
  readonly config: ConfigDef;
  create(config: RawConfig): HeaderConverter;
}
export interface ConfigProvider {
  /** The value of `${provider:path:key}`; path is "" where none is given. Throws ConfigError. */
  get(path: string, key: string): Promise<string>;
}
export interface ConfigProviderPlugin extends Named {
  readonly kind: "config-provider";
  create(config: RawConfig): ConfigProvider;
}
