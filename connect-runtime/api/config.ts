/**
 * Declaration of a plugin's settings, with the properties that Kafka's ConfigDef has, because `PUT …/config/validate` and
 * `GET …/config` must answer with all of them. One declaration feeds parsing, validation, the docs table and the UI.
 */
import type { ConnectValue } from "./value.ts";

export type ConfigType = "BOOLEAN" | "STRING" | "INT" | "SHORT" | "LONG" | "DOUBLE" | "LIST" | "CLASS" | "PASSWORD";
export type ConfigValue = boolean | string | number | bigint | readonly string[] | null;
export type Importance = "HIGH" | "MEDIUM" | "LOW";
export type Width = "NONE" | "SHORT" | "MEDIUM" | "LONG";

export interface ConfigKey {
  readonly name: string;
  readonly type: ConfigType;
  /** undefined: the setting is required. A string is parsed like a given one; null is "no default value, not required". */
  readonly default?: ConfigValue;
  readonly importance: Importance;
  /** Our own words, never Kafka's. */
  readonly doc: string;
  readonly group?: string | null;
  readonly orderInGroup?: number;
  readonly width?: Width;
  readonly displayName?: string;
  readonly dependents?: readonly string[];
  readonly recommended?: (config: RawConfig) => readonly ConfigValue[];
  readonly visible?: (config: RawConfig) => boolean;
  /** Not listed in answers (Kafka's defineInternal). */
  readonly internal?: true;
  /** Null: fine. Else the tail of Kafka's sentence "Invalid value X for configuration NAME: <tail>". */
  readonly check?: (value: ConfigValue, config: RawConfig) => string | null;
  /** A whole message instead of a tail, for connectors with their own wording (Debezium). Runs after parsing. */
  readonly validate?: (value: ConfigValue, config: RawConfig) => readonly string[];
}
export type RawConfig = Readonly<Record<string, string | null>>;
export type ConfigDef = readonly ConfigKey[];

/** One entry of the `configs[].value` array in a validation answer. */
export interface ConfigFinding {
  readonly name: string;
  readonly value: ConfigValue;
  readonly recommendedValues: readonly ConfigValue[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}
/** Values parsed by the declaration: every declared key is present. */
export interface ParsedConfig {
  readonly [name: string]: ConfigValue;
}
export type { ConnectValue };
