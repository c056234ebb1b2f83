/** Environment variables of the usual Connect images, turned into worker settings. */

/** The Debezium image's short names. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  BOOTSTRAP_SERVERS: "bootstrap.servers",
  GROUP_ID: "group.id",
  CONFIG_STORAGE_TOPIC: "config.storage.topic",
  OFFSET_STORAGE_TOPIC: "offset.storage.topic",
  STATUS_STORAGE_TOPIC: "status.storage.topic",
  CONFIG_STORAGE_REPLICATION_FACTOR: "config.storage.replication.factor",
  OFFSET_STORAGE_REPLICATION_FACTOR: "offset.storage.replication.factor",
  STATUS_STORAGE_REPLICATION_FACTOR: "status.storage.replication.factor",
  OFFSET_STORAGE_PARTITIONS: "offset.storage.partitions",
  STATUS_STORAGE_PARTITIONS: "status.storage.partitions",
  KEY_CONVERTER: "key.converter",
  VALUE_CONVERTER: "value.converter",
  OFFSET_FLUSH_INTERVAL_MS: "offset.flush.interval.ms",
  OFFSET_FLUSH_TIMEOUT_MS: "offset.flush.timeout.ms",
  SHUTDOWN_TIMEOUT: "task.shutdown.graceful.timeout.ms",
  ADVERTISED_HOST_NAME: "rest.advertised.host.name",
  ADVERTISED_PORT: "rest.advertised.port",
};
/** Settings of the JVM, its logging and the images' scripts: nothing here to set. */
const JVM_ONLY =
  /^(HEAP_OPTS|KAFKA_(HEAP_OPTS|OPTS|JMX_OPTS|LOG4J_OPTS|GC_LOG_OPTS|JVM_PERFORMANCE_OPTS)|JMX(HOST|PORT)|CONNECT_LOG4J_\w+|CONNECT_PLUGIN_PATH|ENABLE_\w+_(SCRIPTING|OTEL|APICURIO_CONVERTERS)|ENABLE_JOLOKIA|JOLOKIA_\w+)$/;

export interface EnvSettings {
  readonly settings: Readonly<Record<string, string>>;
  /** Variables that mean something to a JVM only. */
  readonly ignored: readonly string[];
}
/** `CONNECT_FOO_BAR` is `foo.bar`, `__` is `_`, `___` is `-`; short names give way to the long ones. */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): EnvSettings {
  const settings: Record<string, string> = {};
  const ignored: string[] = [];
  for (const [name, setting] of Object.entries(SHORT_NAMES)) {
    const value = env[name];
    if (value !== undefined && value !== "") settings[setting] = value;
  }
  const host = env["HOST_NAME"] ?? "";
  const port = env["REST_PORT"] ?? "";
  if (host !== "" || port !== "") settings["listeners"] = `http://${host}:${port === "" ? "8083" : port}`;
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (JVM_ONLY.test(name)) ignored.push(name);
    else if (name.startsWith("CONNECT_") && name.length > "CONNECT_".length) settings[settingName(name)] = value;
  }
  return { settings, ignored };
}
function settingName(variable: string): string {
  return variable
    .slice("CONNECT_".length)
    .toLowerCase()
    .replace(/_{1,3}/g, (run) => (run.length === 1 ? "." : run.length === 2 ? "_" : "-"));
}
