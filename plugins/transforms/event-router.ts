/** io.debezium.transforms.outbox.EventRouter: rows of an outbox table become events of their own. */
import type { ParsedConfig } from "#connect/api/config";
import { booleanSetting, listSetting, optionalString, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConnectError, DataError } from "#connect/api/errors";
import { JavaRegex } from "#connect/api/java-regex";
import { javaToString } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import type { ConnectRecord, Header } from "#connect/api/record";
import { STRING, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { JsonParser } from "../converters/json/parse.ts";
import { checkedFirst, DEBEZIUM_VERSION, envelopeOf, javaError } from "./debezium.ts";
import { eventRouterConfig } from "./event-router-config.ts";
import { inferredSchema, inferredValue, type NullBehavior } from "./json-schema-data.ts";
import { replacing } from "./regex-router.ts";
import { requireStruct, splitPair } from "./side.ts";
import { int64Field, stringField } from "./struct-fields.ts";

type Placement = "header" | "envelope" | "partition" | null;
interface Additional {
  readonly field: string;
  readonly placement: Placement;
  readonly alias: string;
}
interface Options {
  readonly id: string;
  readonly key: string;
  readonly timestamp: string | null;
  readonly payload: string;
  readonly version: string | null;
  readonly routeBy: string;
  readonly additional: readonly Additional[];
  readonly errorOnMissing: boolean;
  readonly tombstones: boolean;
  readonly expand: boolean;
  readonly nulls: NullBehavior;
  readonly invalid: string;
  /** No field goes to the envelope: the payload is the value itself. */
  readonly plain: boolean;
}
function placementOf(text: string): Placement {
  const name = text.trim().toLowerCase();
  return name === "header" || name === "envelope" || name === "partition" ? name : null;
}
function optionsOf(c: ParsedConfig): Options {
  const additional = listSetting(c, "table.fields.additional.placement")
    .filter((s) => s !== "")
    .map((item): Additional => {
      const [field = "", placement = "", alias] = splitPair(item);
      return { field, placement: placementOf(placement), alias: alias ?? field };
    });
  return {
    id: stringSetting(c, "table.field.event.id"),
    key: stringSetting(c, "table.field.event.key"),
    timestamp: optionalString(c, "table.field.event.timestamp"),
    payload: stringSetting(c, "table.field.event.payload"),
    version: optionalString(c, "table.field.event.schema.version"),
    routeBy: stringSetting(c, "route.by.field"),
    additional,
    errorOnMissing: booleanSetting(c, "table.fields.additional.error.on.missing"),
    tombstones: booleanSetting(c, "route.tombstone.on.empty.payload"),
    expand: booleanSetting(c, "table.expand.json.payload"),
    nulls: stringSetting(c, "table.json.payload.null.behavior").toLowerCase() === "optional_bytes" ? "optional_bytes" : "ignore",
    invalid: stringSetting(c, "table.op.invalid.behavior").toLowerCase(),
    plain: !additional.some((a) => a.placement === "envelope"),
  };
}
const TIME_DIVISORS: Readonly<Record<string, bigint>> = {
  "io.debezium.time.Timestamp": 1n,
  "io.debezium.time.MicroTimestamp": 1000n,
  "io.debezium.time.NanoTimestamp": 1_000_000n,
};
const failed = (message: string): ConnectError => new ConnectError(message, { causeClass: "config" });
/** The configured column, or the moment at which the event was read. */
function timestampOf(event: Struct, row: Struct, field: string | null): number | null {
  const processed = (): number | null => {
    const ms = int64Field(event, "ts_ms");
    return ms === null ? null : Number(ms);
  };
  if (field === null) return processed();
  const declared = row.schema.byName.get(field);
  if (declared === undefined) throw failed(`Unable to find timestamp field ${field} in event`);
  const value = int64Field(row, field);
  if (value === null) return processed();
  const name = declared.schema.name;
  if (name === null) throw failed(`Unsupported field type ${declared.schema.type} (without logical schema name) for event timestamp`);
  const divisor = TIME_DIVISORS[name];
  if (divisor === undefined) throw failed(`Unsupported field type ${name} for event timestamp`);
  return Number(value / divisor);
}
interface Payload {
  readonly schema: Schema;
  readonly value: ConnectValue;
}
/** The JSON text as a struct; the text itself where that fails. */
function expanded(p: Payload, o: Options): Payload {
  if (!o.expand || typeof p.value !== "string" || !/^[{[]/.test(p.value)) return p;
  try {
    const node = new JsonParser(Buffer.from(p.value)).value();
    const schema = inferredSchema(o.payload, node, o.nulls);
    return schema === null ? p : { schema, value: inferredValue(node, schema) };
  } catch {
    return p;
  }
}
function isBlank(value: ConnectValue): boolean {
  return value === null || (typeof value === "string" && value.trim() === "");
}

/** The topic goes before the last part of the row's schema name. */
function routedName(name: string | null, topic: string): string {
  if (name === null) return topic;
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot + 1)}${topic}.${name.slice(dot + 1)}`;
}
/** Schemas of enveloped values, by what they are made of. */
class EnvelopeSchemas {
  readonly #known = new Map<string, { row: Schema; payload: Schema; schema: Schema }>();
  get(row: Schema, payload: Schema, version: number | null, topic: string, o: Options): Schema {
    const key = `${topic}\n${version ?? ""}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.row === row && known.payload === payload) return known.schema;
    const builder = new StructBuilder().field("payload", payload);
    for (const a of o.additional) {
      const field = a.placement === "envelope" ? row.byName.get(a.field) : undefined;
      if (field !== undefined) builder.field(a.alias, field.schema);
    }
    const schema = builder.build({ name: routedName(row.name, topic), version });
    if (this.#known.size > 1000) this.#known.clear();
    this.#known.set(key, { row, payload, schema });
    return schema;
  }
}
/** Throws for the field that is not there when that is wanted. */
function present(row: Struct, a: Additional, o: Options): boolean {
  if (row.schema.byName.has(a.field)) return true;
  if (o.errorOnMissing) row.field(a.field);
  return false;
}
function routed<R extends ConnectRecord>(
  record: R,
  event: Struct,
  o: Options,
  schemas: EnvelopeSchemas,
): Omit<R, "topic"> & { topic: string | null } {
  const row = requireStruct(event.get("after"), "Read Outbox Event");
  const payloadField = row.schema.byName.get(o.payload);
  if (payloadField === undefined) throw failed(`Unable to find payload field ${o.payload} in event`);
  const timestamp = timestampOf(event, row, o.timestamp);
  const id = row.get(o.id);
  const headers: Header[] = [...record.headers, { key: "id", schema: row.field(o.id).schema, value: id }];
  const payload = expanded({ schema: payloadField.schema, value: row.get(o.payload) }, o);
  const topic = stringField(row, o.routeBy);
  const enveloped: ConnectValue[] = [payload.value];
  let partition: number | null = null;
  for (const a of o.additional) {
    if (!present(row, a, o)) continue;
    if (a.placement === "header") headers.push({ key: a.alias, schema: row.field(a.field).schema, value: row.get(a.field) });
    else if (a.placement === "envelope") enveloped.push(row.get(a.field));
    else if (a.placement === "partition") {
      if (row.schema.byName.get(a.field)?.schema.type !== "INT32") throw new DataError(`Field '${a.field}' is not of type INT32`);
      const value = row.get(a.field);
      partition = typeof value === "number" ? value : null;
    } else throw javaError("NullPointerException", `the placement of ${a.field} is not known`);
  }
  const key = row.schema.byName.get(o.key);
  const common = { ...record, topic, partition, keySchema: key?.schema ?? STRING, key: row.get(o.key), timestamp, headers };
  if (isBlank(payload.value) && o.tombstones) return { ...common, valueSchema: null, value: null };
  if (o.plain) return { ...common, valueSchema: payload.schema, value: payload.value };
  const version = o.version === null ? null : Number(row.get(o.version));
  const schema = schemas.get(row.schema, payload.schema, version, topic ?? "", o);
  return { ...common, valueSchema: schema, value: new Struct(schema, enveloped) };
}
const CHECKED = checkedFirst(
  eventRouterConfig,
  "table.json.payload.null.behavior",
  "route.topic.regex",
  "table.fields.additional.placement",
  "table.op.invalid.behavior",
);
export const eventRouter: TransformPlugin = {
  kind: "transform",
  name: "event-router",
  classes: ["io.debezium.transforms.outbox.EventRouter"],
  version: DEBEZIUM_VERSION,
  config: eventRouterConfig,
  create(raw) {
    const c = parseConfig(CHECKED, raw);
    const o = optionsOf(c);
    const regex = new JavaRegex(stringSetting(c, "route.topic.regex"));
    const replacement = stringSetting(c, "route.topic.replacement");
    const schemas = new EnvelopeSchemas();
    return {
      apply(record) {
        if (record.value === null) return null;
        const event = envelopeOf(record);
        if (event === null) return record;
        const op = stringField(event, "op");
        if (op === "d") return null;
        if (op === "u") {
          if (o.invalid !== "fatal") return null;
          throw javaError(
            "IllegalStateException",
            `Unexpected update message received ${javaToString(record.key, record.keySchema)}, fail.`,
          );
        }
        const out = routed(record, event, o, schemas);
        const { topic } = out;
        if (topic === null) throw javaError("NullPointerException", `the route field ${o.routeBy} is null`);
        return { ...record, ...out, topic: replacing(() => regex.replaceWhole(topic, replacement)) ?? topic };
      },
    };
  },
};
