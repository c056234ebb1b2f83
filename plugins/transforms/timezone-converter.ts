/** io.debezium.transforms.TimezoneConverter: moves the times in change events to another time zone. */
import type { ConfigDef } from "#connect/api/config";
import { listSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConnectError } from "#connect/api/errors";
import { javaToString } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import { TIMESTAMP } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { DEBEZIUM_VERSION, debeziumError, debeziumRequired, envelopeOf, javaError } from "./debezium.ts";
import { offsetText, zone, type Zone } from "./time-zone.ts";

const config: ConfigDef = [
  {
    name: "converted.timezone",
    type: "STRING",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    width: "MEDIUM",
    displayName: "Converted Timezone",
    doc: "The zone: a name such as America/Los_Angeles, or an offset such as +08:00.",
    check: debeziumRequired("converted.timezone"),
  },
  {
    name: "include.list",
    type: "LIST",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    width: "MEDIUM",
    displayName: "Include List",
    doc: "Rules source:table:field, topic:name:field or name:field for what is converted.",
  },
  {
    name: "exclude.list",
    type: "LIST",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    width: "MEDIUM",
    displayName: "Exclude List",
    doc: "Rules of the same form for what is not.",
  },
];
const RULES = /^\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|]$))+$/;
const OFFSET = /^[+-]\d{2}:\d{2}(:\d{2})?$/;
/** Names that java.util.TimeZone knows and java.time does not: they pass the check and fail at the first event. */
const OLD_NAMES: ReadonlySet<string> = new Set(
  "EST MST HST ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST".split(" "),
);

type FieldSets = Map<string, Set<string>>;
interface Rules {
  readonly topics: FieldSets;
  readonly tables: FieldSets;
  readonly names: FieldSets;
}
/** A prefix holds for the rules after it until another comes. */
function readRules(items: readonly string[]): Rules {
  const rules: Rules = { topics: new Map(), tables: new Map(), names: new Map() };
  let prefix: string | null = null;
  for (const item of items) {
    const parts = item.split(":");
    const head = (parts[0] ?? "").toLowerCase();
    const prefixed = parts.length > 1 && (head === "source" || head === "topic");
    if (prefixed) prefix = parts[0] ?? "";
    const [name = "", field] = prefixed ? parts.slice(1) : parts;
    const target = prefix === "topic" ? rules.topics : prefix === "source" ? rules.tables : rules.names;
    let fields = target.get(name);
    if (fields === undefined) target.set(name, (fields = new Set()));
    if (field !== undefined) fields.add(field);
  }
  return rules;
}
function matching(rules: Rules, table: string | null, topic: string): ReadonlySet<string> | null {
  const own = table ?? "";
  return rules.topics.get(topic) ?? rules.tables.get(own) ?? rules.names.get(topic) ?? rules.names.get(own) ?? null;
}

interface Target {
  readonly zone: Zone;
  /** Offset of times without a date: that of now. */
  readonly now: () => number;
}
const DATE_TIME = /^([+-]?\d{4,9}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}(?::\d{2})?)$/;
const TIME_OF_DAY = /^(\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}(?::\d{2})?)$/;
const unparseable = (text: string): ConnectError =>
  new ConnectError(`Text '${text}' could not be parsed at index 0`, {
    javaClass: "java.time.format.DateTimeParseException",
    causeClass: "data",
  });
/** Digits of a fraction as java.time prints them: no zeros at the end. */
const fraction = (text: string | undefined): string => (text ?? "").replace(/\.?0*$/, "");

function zonedTimestamp(text: string, t: Target): string {
  const m = DATE_TIME.exec(text);
  const own = m === null ? null : zone(m[5] ?? "");
  if (m === null || own === null) throw unparseable(text);
  const local = Date.parse(`${m[1] ?? ""}T${m[2] ?? ""}:${m[3] ?? "00"}Z`);
  const offset = t.zone.atLocal(local);
  const moved = new Date(local - own.at(0) + offset);
  return `${moved.toISOString().slice(0, -5)}${fraction(m[4])}${offsetText(offset)}`;
}
function zonedTime(text: string, t: Target): string {
  const m = TIME_OF_DAY.exec(text);
  const own = m === null ? null : zone(m[4] ?? "");
  if (m === null || own === null) throw unparseable(text);
  const offset = t.now();
  const moved = new Date(Date.parse(`1970-01-02T${m[1] ?? ""}:${m[2] ?? "00"}Z`) - own.at(0) + offset);
  return `${moved.toISOString().slice(11, -5)}${fraction(m[3])}${offsetText(offset)}`;
}
/** A count of units since the epoch, taken as wall-clock time in the zone. */
function counted(value: ConnectValue, perMs: bigint, t: Target): ConnectValue {
  const n = typeof value === "number" ? BigInt(value) : value;
  if (typeof n !== "bigint") return value;
  const ms = n >= 0n ? n / perMs : (n - perMs + 1n) / perMs;
  return n - BigInt(t.zone.atLocal(Number(ms))) * perMs;
}
const CONVERSIONS: Readonly<Record<string, (value: ConnectValue, t: Target) => ConnectValue>> = {
  "io.debezium.time.ZonedTimestamp": (v, t) => (typeof v === "string" ? zonedTimestamp(v, t) : v),
  "io.debezium.time.ZonedTime": (v, t) => (typeof v === "string" ? zonedTime(v, t) : v),
  "io.debezium.time.Timestamp": (v, t) => counted(v, 1n, t),
  "io.debezium.time.MicroTimestamp": (v, t) => counted(v, 1000n, t),
  "io.debezium.time.NanoTimestamp": (v, t) => counted(v, 1_000_000n, t),
  [TIMESTAMP]: (v, t) => (v instanceof Date ? new Date(v.getTime() - t.zone.atLocal(v.getTime())) : v),
};
type Wanted = (field: string) => boolean;

function convertedRow(row: Struct, wanted: Wanted, t: Target): Struct {
  const slots = row.schema.fields.map((f) => {
    const value = row.get(f.name);
    const convert = f.schema.name === null ? undefined : CONVERSIONS[f.schema.name];
    return convert === undefined || value === null || !wanted(f.name) ? row.at(f.index) : convert(value, t);
  });
  return new Struct(row.schema, slots);
}
/** `fields` null: all fields of the rows. */
function convertedEvent(event: Struct, fields: ReadonlySet<string> | null, exclude: boolean, t: Target): Struct {
  const named = (part: string): Set<string> => {
    const set = new Set<string>();
    for (const f of fields ?? []) {
      const [first = "", ...rest] = f.split(".");
      if (rest.length > 0 && (first === "source" || first === "before" || first === "after")) {
        if (first === part) set.add(rest.join("."));
      } else if (part !== "source") set.add(f);
    }
    return set;
  };
  const slots = [...event.slots];
  for (const part of ["before", "after", "source"]) {
    const field = event.schema.byName.get(part);
    const row = field === undefined ? null : slots[field.index];
    if (field === undefined || !(row instanceof Struct)) continue;
    const set = named(part);
    if (part === "source" && set.size === 0) continue;
    slots[field.index] = convertedRow(row, fields === null ? () => true : (name) => set.has(name) !== exclude, t);
  }
  return new Struct(event.schema, slots);
}
function checkRules(items: readonly string[], kind: "include" | "exclude"): void {
  if (items.length === 0 || RULES.test(`[${items.join(", ")}]`)) return;
  throw debeziumError(
    `Invalid ${kind} list format. Please specify a list of rules in the format of "source:<tablename>:<fieldnames>", "topic:<topicname>:<fieldnames>", "<matchname>:<fieldnames>"`,
  );
}
function targetOf(id: string): Target | null {
  const offset = /^[+-](\d{2}):\d{2}/.exec(id);
  const found = id === "Z" || (/^[+-]/.test(id) && !OFFSET.test(id)) ? null : zone(id);
  if (found !== null && Number(offset?.[1] ?? 0) > 18) return null;
  if (found === null && !OLD_NAMES.has(id))
    throw debeziumError(
      "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC offset in the format of +/-hh:mm, (e.g. +08:00).",
    );
  if (found === null || (OLD_NAMES.has(id) && !OFFSET.test(id))) return null;
  return { zone: found, now: () => found.at(Date.now()) };
}
export const timezoneConverter: TransformPlugin = {
  kind: "transform",
  name: "timezone-converter",
  classes: ["io.debezium.transforms.TimezoneConverter"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(config, raw);
    const include = listSetting(c, "include.list"),
      exclude = listSetting(c, "exclude.list");
    checkRules(include, "include");
    if (include.length === 0) checkRules(exclude, "exclude");
    const id = stringSetting(c, "converted.timezone");
    const target = targetOf(id);
    if (include.length > 0 && exclude.length > 0)
      throw debeziumError("Both include and exclude lists are specified. Please specify only one.");
    const rules = readRules(exclude.length > 0 ? exclude : include);
    return {
      apply(record) {
        const event = envelopeOf(record);
        if (event === null) return record;
        const source = event.schema.byName.has("source") ? event.get("source") : null;
        const table = source instanceof Struct && source.schema.byName.has("table") ? javaToString(source.get("table")) : null;
        const fields = matching(rules, table, record.topic);
        if (include.length > 0 && fields === null) return record;
        if (exclude.length > 0 && fields !== null && fields.size === 0) return record;
        if (target === null && OFFSET.test(id))
          throw javaError(
            "time.DateTimeException",
            `Zone offset hours not in valid range: value ${id.slice(1, 3)} is not in the range -18 to 18`,
          );
        if (target === null)
          throw new ConnectError(`Unknown time-zone ID: ${id}`, { javaClass: "java.time.zone.ZoneRulesException", causeClass: "config" });
        const all = fields === null || fields.size === 0;
        return { ...record, value: convertedEvent(event, all ? null : fields, exclude.length > 0, target) };
      },
    };
  },
};
