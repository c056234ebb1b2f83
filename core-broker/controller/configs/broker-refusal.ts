/** Whether dynamic settings of brokers are good. The text of Kafka's refusal, or null. */
import { BROKER_KEYS } from "./broker-keys.ts";
import { type ConfigKey, refusalOf } from "./config-key.ts";

const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(BROKER_KEYS.map((key) => [key.name, key]));
/** Of one listener each, so only with its name in front. */
const OF_LISTENERS =
  /^ssl\.(keystore\.(type|location|password|key|certificate\.chain)|key\.password|truststore\.(type|location|password|certificates))$/;
/** Settings of one broker only, not of all at once. */
const PER_BROKER = /^(listener\.name\.[^.]+\..+|listeners|sasl\.jaas\.config|principal\.builder\.class)$/;
const THREADS = [
  "background.threads",
  "num.io.threads",
  "num.network.threads",
  "num.recovery.threads.per.data.dir",
  "num.replica.fetchers",
] as const;

type Value = (name: string) => string | null;
/**
 * `changes`: what is set, null where it is taken back; `current`: what counts now. Settings that Kafka does not know are kept, as
 * plugins may read them; those it knows must be dynamic ones. The order is that of Kafka's checks.
 */
export function brokerRefusal(changes: ReadonlyMap<string, string | null>, allBrokers: boolean, current: Value): string | null {
  const names = [...changes.keys()];
  const fixed = names.filter((name) => brokerKeys.has(name) && brokerKeys.get(name)?.dynamic !== true);
  if (fixed.length > 0) return `Cannot update these configs dynamically: Set(${fixed.join(", ")})`;
  const secure = names.filter((name) => OF_LISTENERS.test(name));
  if (secure.length > 0) {
    return `These security configs can be dynamically updated only per-listener using the listener prefix: HashSet(${secure.join(", ")})`;
  }
  for (const [name, value] of changes) {
    const key = brokerKeys.get(name);
    const refusal = key === undefined || value === null ? null : refusalOf(key, value);
    if (refusal !== null) return refusal;
  }
  const single = allBrokers ? names.filter((name) => PER_BROKER.test(name)) : [];
  if (single.length > 0) {
    return `Cannot update these configs at default cluster level, broker id must be specified: Set(${single.join(", ")})`;
  }
  return (
    listenersRefusal(changes, current) ??
    cleanerRefusal(changes, current) ??
    threadsRefusal(changes, current) ??
    addressesRefusal(changes, current)
  );
}
/** Sockets stay as they were opened: the file has to name others. */
function listenersRefusal(changes: ReadonlyMap<string, string | null>, current: Value): string | null {
  const wanted = changes.get("listeners");
  if (wanted === undefined || wanted === null || wanted === current("listeners")) return null;
  return "listeners cannot be changed while the broker runs: change them in its properties file and start it again";
}
const invalid = (why: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${why} for configuration Invalid dynamic configuration`;
const MIB = 1 << 20;
function cleanerRefusal(changes: ReadonlyMap<string, string | null>, current: Value): string | null {
  const [threadsKey, bufferKey] = ["log.cleaner.threads", "log.cleaner.dedupe.buffer.size"];
  if (!changes.has(threadsKey) && !changes.has(bufferKey)) return null;
  const before = Number(current(threadsKey));
  const threads = Number(changes.get(threadsKey) ?? before);
  const buffer = Number(changes.get(bufferKey) ?? current(bufferKey));
  // Kafka divides first.
  if (threads === 0) return "/ by zero";
  if (Math.trunc(buffer / threads) <= MIB) return `requirement failed: ${bufferKey} must be at least 1MB per cleaner thread.`;
  if (threads < Math.trunc(before / 2))
    return invalid(`Log cleaner threads cannot be reduced to less than half the current value ${before}`);
  if (threads > before * 2) return invalid(`Log cleaner threads cannot be increased to more than double the current value ${before}`);
  return null;
}
function threadsRefusal(changes: ReadonlyMap<string, string | null>, current: Value): string | null {
  for (const name of THREADS) {
    const wanted = Number(changes.get(name) ?? Number.NaN);
    const now = Number(current(name));
    const failed = `Dynamic thread count update validation failed for ${name}=${wanted}, value should`;
    if (wanted < Math.trunc(now / 2)) return invalid(`${failed} be at least half the current value ${now}`);
    if (wanted > now * 2) return invalid(`${failed} not be greater than double the current value ${now}`);
  }
  return null;
}
function addressesRefusal(changes: ReadonlyMap<string, string | null>, current: Value): string | null {
  const [limit, overrides] = ["max.connections.per.ip", "max.connections.per.ip.overrides"];
  const listed = changes.get(overrides) ?? current(overrides) ?? "";
  for (const item of changes.has(overrides) ? listed.split(",").map((each) => each.trim()) : []) {
    if (item !== "" && !/:\s*\d+$/.test(item)) {
      const why = item.includes(":")
        ? `For input string: "${item.slice(item.lastIndexOf(":") + 1)}"`
        : `begin 0, end -1, length ${item.length}`;
      return `Error parsing configuration property '${overrides}': ${why}`;
    }
  }
  if (changes.get(limit)?.trim() !== "0" || listed.trim() !== "") return null;
  return `requirement failed: ${limit} can be set to zero only if ${overrides} property is set.`;
}
