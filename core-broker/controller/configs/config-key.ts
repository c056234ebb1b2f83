/** A setting that Kafka knows, and what values it takes. Values are always text here, as clients and records carry them. */
export type ConfigType = "BOOLEAN" | "STRING" | "INT" | "SHORT" | "LONG" | "DOUBLE" | "LIST" | "CLASS" | "PASSWORD";

interface ValidValues {
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly string[];
  /** Allowed beside the range. */
  readonly orEqual?: number;
  readonly anyCase?: true;
  readonly nonEmpty?: true;
  /** `*`, or pairs of partition:broker. */
  readonly throttledReplicas?: true;
}
/** A broker setting that a topic falls back to; its value times `factor` is the topic's. */
interface ConfigSynonym {
  readonly name: string;
  readonly factor?: number;
}
export interface ConfigKey {
  readonly name: string;
  readonly type: ConfigType;
  /** Null: none. */
  readonly default: string | null;
  readonly valid?: ValidValues;
  /** May be altered while the broker runs. */
  readonly dynamic?: true;
  /** Accepted, but not shown to clients. */
  readonly internal?: true;
  readonly synonyms?: readonly ConfigSynonym[];
  readonly doc?: string;
}

/** The code by which DescribeConfigs names a type. */
export const CONFIG_TYPE_CODE: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};

const INTEGER_BOUNDS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  INT: [-(2n ** 31n), 2n ** 31n - 1n],
  SHORT: [-(2n ** 15n), 2n ** 15n - 1n],
  LONG: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** The text of Kafka's refusal, or null when the value is good. */
export function refusalOf(key: ConfigKey, raw: string): string | null {
  const value = raw.trim();
  const refused = (shown: string, why: string): string => `Invalid value ${shown} for configuration ${key.name}: ${why}`;
  switch (key.type) {
    case "BOOLEAN":
      return /^(true|false)$/i.test(value) ? null : refused(value, "Expected value to be either true or false");
    case "INT":
    case "SHORT":
    case "LONG": {
      if (!isInteger(key.type, value)) return refused(raw, `Not a number of type ${key.type}`);
      return outOfRange(key, Number(value), value, refused);
    }
    case "DOUBLE": {
      const parsed = Number(value);
      if (value === "" || Number.isNaN(parsed)) return refused(raw, `Not a number of type ${key.type}`);
      return outOfRange(key, parsed, Number.isInteger(parsed) ? parsed.toFixed(1) : String(parsed), refused);
    }
    case "LIST":
      return listRefusal(key, listItems(value), refused);
    default:
      return textRefusal(key, value, refused);
  }
}
type Refused = (shown: string, why: string) => string;
function isInteger(type: "INT" | "SHORT" | "LONG", value: string): boolean {
  if (!/^[+-]?\d+$/.test(value)) return false;
  const [min, max] = INTEGER_BOUNDS[type] ?? [0n, 0n];
  const parsed = BigInt(value.replace(/^\+/, ""));
  return parsed >= min && parsed <= max;
}
function outOfRange(key: ConfigKey, parsed: number, shown: string, refused: Refused): string | null {
  const { min, max, orEqual } = key.valid ?? {};
  if (orEqual !== undefined && min !== undefined && max !== undefined) {
    const fits = parsed === orEqual || (parsed >= min && parsed <= max);
    return fits ? null : refused(shown, `Value must be between ${min} and ${max} or equal to ${orEqual}`);
  }
  if (min !== undefined && parsed < min) return refused(shown, `Value must be at least ${min}`);
  if (max !== undefined && parsed > max) return refused(shown, `Value must be no more than ${max}`);
  return null;
}
function listRefusal(key: ConfigKey, items: readonly string[], refused: Refused): string | null {
  const { oneOf, throttledReplicas, nonEmpty } = key.valid ?? {};
  if (throttledReplicas === true && !(items.length === 1 && items[0] === "*") && !items.every((item) => /^\d+:\d+$/.test(item))) {
    const form = "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
    return refused(`[${items.join(", ")}]`, `${key.name} must be the literal '*' or a list of replicas in the following format: ${form}`);
  }
  if (nonEmpty === true && items.length === 0) return refused("[]", "List must not be empty");
  const wrong = oneOf === undefined ? undefined : items.find((item) => !oneOf.includes(item));
  return wrong === undefined ? null : refused(wrong, `String must be one of: ${oneOf?.join(", ") ?? ""}`);
}
function textRefusal(key: ConfigKey, value: string, refused: Refused): string | null {
  const { oneOf, anyCase, nonEmpty } = key.valid ?? {};
  if (nonEmpty === true && value === "") return refused(value, "String must be non-empty");
  if (oneOf === undefined) return null;
  const found = anyCase === true ? oneOf.some((one) => one.toLowerCase() === value.toLowerCase()) : oneOf.includes(value);
  return found ? null : refused(value, `String must be one of${anyCase === true ? " (case insensitive)" : ""}: ${oneOf.join(", ")}`);
}
/** Kafka's LIST: separated by commas, blanks trimmed, an empty text is the empty list. */
export const listItems = (value: string): string[] => (value.trim() === "" ? [] : value.split(",").map((item) => item.trim()));
