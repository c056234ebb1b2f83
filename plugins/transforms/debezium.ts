/** What Debezium's transforms have in common: their settings' messages, envelopes, and structs widened by a few fields. */
import type { ConfigDef, ParsedConfig, RawConfig } from "#connect/api/config";
import type { ConfigCheck } from "#connect/api/config-checks";
import { parseConfig } from "#connect/api/config-parse";
import { ConfigError, ConnectError } from "#connect/api/errors";
import { CELL_GIVEN, RawRow, type RawColumn } from "#connect/api/raw-row";
import type { ConnectRecord } from "#connect/api/record";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";

export const DEBEZIUM_VERSION = "3.4.0.Final";
export const debeziumError = (message: string, cause?: unknown): ConnectError =>
  new ConnectError(message, { javaClass: "io.debezium.DebeziumException", causeClass: "config", cause });
export const javaError = (name: string, message: string): ConnectError =>
  new ConnectError(message, { javaClass: `java.lang.${name}`, causeClass: "data" });

/** Debezium's tail inside Kafka's sentence: `The 'name' value is invalid: …`. */
export function debeziumCheck(name: string, check: (value: Parameters<ConfigCheck>[0], config: RawConfig) => string | null): ConfigCheck {
  return (value, config) => {
    const problem = check(value, config);
    return problem === null ? null : `The '${name}' value is invalid: ${problem}`;
  };
}
/** Values of an enumeration, in any case. */
export const debeziumEnum = (name: string, ...allowed: readonly string[]): ConfigCheck =>
  debeziumCheck(name, (value) =>
    typeof value === "string" && allowed.some((a) => a.toLowerCase() === value.trim().toLowerCase())
      ? null
      : `Value must be one of ${allowed.join(", ")}`,
  );
export const debeziumRequired = (name: string): ConfigCheck =>
  debeziumCheck(name, (value) => (value === null || value === "" ? "A value is required" : null));

/** As Configuration.validateAndRecord: the reason goes to the log there, the error says only this. */
export function validatedConfig(def: ConfigDef, raw: RawConfig): ParsedConfig {
  try {
    return parseConfig(def, raw);
  } catch (e) {
    if (e instanceof ConfigError) throw new ConnectError("Unable to validate config.", { causeClass: "config", cause: e });
    throw e;
  }
}
/** Debezium checks settings in another order than it lists them: the first that is wrong is the one it names. */
export const checkedFirst = (def: ConfigDef, ...names: readonly string[]): ConfigDef => [
  ...names.flatMap((name) => def.filter((k) => k.name === name)),
  ...def.filter((k) => !names.includes(k.name)),
];
/** `a, b ,c` as trimmed entries; empty text gives none. */
export const commaList = (text: string | null): string[] => (text === null || text === "" ? [] : text.split(",").map((s) => s.trim()));

export const ENVELOPE_SUFFIX = ".Envelope";
/** The change event's struct, or null when the record is no change event. */
export function envelopeOf(record: ConnectRecord): Struct | null {
  const name = record.valueSchema?.name ?? null;
  return name !== null && name.endsWith(ENVELOPE_SUFFIX) && record.value instanceof Struct ? record.value : null;
}

export interface AddedField {
  readonly name: string;
  readonly schema: Schema;
}
/** The row's schema without its optionality, and fields added at the end. */
export function widenedSchema(schema: Schema, added: readonly AddedField[]): Schema {
  const builder = new StructBuilder();
  for (const f of schema.fields) builder.field(f.name, f.schema);
  for (const f of added) builder.field(f.name, f.schema);
  return builder.build(basicsOf(schema));
}
const givenColumn: RawColumn = { form: "decode", decode: () => null };
const widerColumns = new WeakMap<readonly RawColumn[], Map<number, readonly RawColumn[]>>();
function columnsWith(columns: readonly RawColumn[], added: number): readonly RawColumn[] {
  let byCount = widerColumns.get(columns);
  if (byCount === undefined) widerColumns.set(columns, (byCount = new Map()));
  let wider = byCount.get(added);
  if (wider === undefined) byCount.set(added, (wider = [...columns, ...Array.from({ length: added }, () => givenColumn)]));
  return wider;
}
/** The same row under a wider schema. A raw row stays raw. */
export function widened(row: Struct, schema: Schema, values: readonly ConnectValue[]): Struct {
  const raw = row.raw;
  if (raw === null) return new Struct(schema, values.length === 0 ? [...row.slots] : [...row.slots, ...values]);
  if (values.length === 0) return new Struct(schema, null, raw);
  const n = row.schema.fields.length,
    total = n + values.length;
  const starts = new Int32Array(total),
    ends = new Int32Array(total);
  const given = new Array<ConnectValue>(total).fill(null);
  for (let i = 0; i < n; i++) {
    const start = raw.starts[i] ?? -1;
    starts[i] = start;
    ends[i] = raw.ends[i] ?? start;
    if (start === CELL_GIVEN) given[i] = raw.given?.[i] ?? null;
  }
  for (let i = n; i < total; i++) {
    starts[i] = CELL_GIVEN;
    given[i] = values[i - n] ?? null;
  }
  return new Struct(schema, null, new RawRow(columnsWith(raw.columns, values.length), raw.bytes, starts, ends, given));
}
