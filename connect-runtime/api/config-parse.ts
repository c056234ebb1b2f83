/**
 * Reads a map of strings by its declaration, as Kafka's ConfigDef.parse and ConfigDef.validate do, with Kafka's
 * messages. A LONG is a number while that is exact, else a bigint.
 */
import type { ConfigDef, ConfigFinding, ConfigKey, ConfigType, ConfigValue, ParsedConfig, RawConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";

const INTEGER_RANGES = {
  SHORT: [-32768n, 32767n],
  INT: [-2147483648n, 2147483647n],
  LONG: [-9223372036854775808n, 9223372036854775807n],
} as const;

export const missingConfig = (name: string): string => `Missing required configuration "${name}" which has no default value.`;

/** `Invalid value V for configuration NAME: TAIL`, V printed as Java prints it. */
export function invalidConfig(name: string, value: ConfigValue, tail: string | null, type?: ConfigType): string {
  return `Invalid value ${printed(value, type)} for configuration ${name}${tail === null ? "" : `: ${tail}`}`;
}
function printed(value: ConfigValue, type?: ConfigType): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  return type === "PASSWORD" ? "[hidden]" : String(value);
}
/** As answers show a parsed value: lists joined by commas, passwords hidden. */
export function configToString(value: ConfigValue, type: ConfigType): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.join(",");
  if (type === "DOUBLE" && typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 1e7) return value.toFixed(1);
  return type === "PASSWORD" ? "[hidden]" : String(value);
}

/** Java's String.trim: everything up to U+0020 at both ends. */
export function javaTrim(text: string): string {
  let start = 0,
    end = text.length;
  while (start < end && text.charCodeAt(start) <= 32) start++;
  while (end > start && text.charCodeAt(end - 1) <= 32) end--;
  return text.slice(start, end);
}
/** One raw value by its type. Throws ConfigError. */
export function parseConfigValue(name: string, type: ConfigType, raw: ConfigValue): ConfigValue {
  if (typeof raw !== "string") return raw;
  const text = javaTrim(raw);
  switch (type) {
    case "BOOLEAN": {
      const lower = text.toLowerCase();
      if (lower === "true" || lower === "false") return lower === "true";
      throw new ConfigError(invalidConfig(name, raw, "Expected value to be either true or false"));
    }
    case "INT":
    case "SHORT":
    case "LONG": {
      const [min, max] = INTEGER_RANGES[type];
      if (!/^[+-]?\d{1,40}$/.test(text)) throw new ConfigError(invalidConfig(name, raw, `Not a number of type ${type}`));
      const value = BigInt(text.replace("+", ""));
      if (value < min || value > max) throw new ConfigError(invalidConfig(name, raw, `Not a number of type ${type}`));
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case "DOUBLE": {
      const value = javaDouble(text);
      if (value === null) throw new ConfigError(invalidConfig(name, raw, "Not a number of type DOUBLE"));
      return value;
    }
    case "LIST":
      return text === "" ? [] : text.split(/\s*,\s*/);
    default:
      return text;
  }
}
/** Double.parseDouble; null where that throws. Hexadecimal forms are not taken. */
export function javaDouble(text: string): number | null {
  const m = /^\s*([+-]?)(?:(NaN)|(Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)\s*$/.exec(text);
  if (m === null) return null;
  if (m[2] !== undefined) return Number.NaN;
  const magnitude = m[3] === undefined ? Number(m[4]) : Number.POSITIVE_INFINITY;
  return m[1] === "-" ? -magnitude : magnitude;
}

function findErrors(key: ConfigKey, value: ConfigValue, raw: RawConfig): string[] {
  const tail = key.check?.(value, raw) ?? null;
  // Debezium's checks see the text as it was given.
  const shown = tail?.startsWith("The '") === true && Array.isArray(value) ? (raw[key.name] ?? value) : value;
  if (tail !== null) return [invalidConfig(key.name, shown, tail, key.type)];
  return key.validate === undefined ? [] : [...key.validate(value, raw)];
}
function valueOf(key: ConfigKey, raw: RawConfig): ConfigValue {
  const given = raw[key.name];
  if (given !== undefined) return parseConfigValue(key.name, key.type, given);
  if (key.default === undefined) throw new ConfigError(missingConfig(key.name));
  return parseConfigValue(key.name, key.type, key.default);
}
/** All declared keys, in their order; unknown ones are ignored. Throws ConfigError for the first that is wrong. */
export function parseConfig(def: ConfigDef, raw: RawConfig): ParsedConfig {
  const parsed: Record<string, ConfigValue> = {};
  for (const key of def) {
    const value = valueOf(key, raw);
    const error = findErrors(key, value, raw)[0];
    if (error !== undefined) throw new ConfigError(error);
    parsed[key.name] = value;
  }
  return parsed;
}
/** One finding for each declared key that is not internal: what `PUT …/config/validate` answers. Never throws for bad values. */
export function validateConfig(def: ConfigDef, raw: RawConfig): ConfigFinding[] {
  const findings: ConfigFinding[] = [];
  for (const key of def) {
    if (key.internal === true) continue;
    let value: ConfigValue = null;
    let errors: string[] = [];
    try {
      value = valueOf(key, raw);
      errors = findErrors(key, value, raw);
    } catch (e) {
      if (!(e instanceof ConfigError)) throw e;
      errors = [e.message];
    }
    // Kafka shows no value where the validator refused it, too.
    if (errors.length > 0 && key.validate === undefined) value = null;
    findings.push({
      name: key.name,
      value,
      recommendedValues: key.recommended?.(raw) ?? [],
      errors,
      visible: key.visible?.(raw) ?? true,
    });
  }
  return findings;
}

const wrongKind = (name: string): Error => new TypeError(`setting ${name} is not declared with the type it is read as`);
/** Typed reading of parsed settings. A wrong kind is a mistake in the plugin. */
export function stringSetting(config: ParsedConfig, name: string): string {
  const v = config[name];
  if (typeof v !== "string") throw wrongKind(name);
  return v;
}
export function optionalString(config: ParsedConfig, name: string): string | null {
  const v = config[name] ?? null;
  if (v !== null && typeof v !== "string") throw wrongKind(name);
  return v;
}
export function numberSetting(config: ParsedConfig, name: string): number {
  const v = config[name];
  if (typeof v === "bigint") return Number(v);
  if (typeof v !== "number") throw wrongKind(name);
  return v;
}
export function optionalNumber(config: ParsedConfig, name: string): number | null {
  return (config[name] ?? null) === null ? null : numberSetting(config, name);
}
export function booleanSetting(config: ParsedConfig, name: string): boolean {
  const v = config[name];
  if (typeof v !== "boolean") throw wrongKind(name);
  return v;
}
/** Null counts as an empty list. */
export function listSetting(config: ParsedConfig, name: string): readonly string[] {
  const v = config[name] ?? null;
  if (v === null) return [];
  if (typeof v !== "object") throw wrongKind(name);
  return v;
}
