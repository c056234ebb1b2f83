/** The worker's settings with Kafka Connect 4.1's names and defaults (a data table). */
import type { ConfigDef, ConfigKey, ConfigType, ConfigValue } from "./api/config.ts";
import { inRange, nonEmptyString, oneOf, oneOfIgnoringCase, type ConfigCheck } from "./api/config-checks.ts";

function key(name: string, type: ConfigType, value: ConfigValue | undefined, doc: string, check?: ConfigCheck): ConfigKey {
  return {
    name,
    type,
    importance: "MEDIUM",
    doc,
    ...(value === undefined ? {} : { default: value }),
    ...(check === undefined ? {} : { check }),
  };
}
const SIMPLE_HEADERS = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/** What both modes read. */
export const WORKER_KEYS: ConfigDef = [
  key("bootstrap.servers", "LIST", "localhost:9092", "Brokers to ask first, host:port, comma separated"),
  key("key.converter", "CLASS", undefined, "Converter of record keys"),
  key("value.converter", "CLASS", undefined, "Converter of record values"),
  key("header.converter", "CLASS", SIMPLE_HEADERS, "Converter of headers"),
  key("task.shutdown.graceful.timeout.ms", "LONG", 5_000, "How long all tasks together may take to stop"),
  key("task.thread.heap.mb", "INT", 512, "Heap of a task thread in MB", inRange(16)),
  key("task.thread.tasks.max", "INT", 100, "Light tasks that share a thread at most; 1: none share", inRange(1)),
  key("task.unresponsive.timeout.ms", "LONG", 60_000, "A thread whose event loop stands still for so long is ended", inRange(1_000)),
  key(
    "task.restart.causes",
    "LIST",
    "transient,bug",
    "Causes after which a failed task starts again by itself: transient, bug, data; empty: none",
  ),
  key("task.restart.attempts.max", "INT", 20, "Restarts in a row at most (after a bug 3)", inRange(0)),
  key("task.restart.backoff.ms", "LONG", 2_000, "Pause before the first restart; doubles with each", inRange(0)),
  key("task.restart.backoff.max.ms", "LONG", 300_000, "Longest pause before a restart", inRange(0)),
  key("task.restart.reset.ms", "LONG", 600_000, "A task that ran for so long begins to count anew", inRange(0)),
  key("offset.flush.interval.ms", "LONG", 60_000, "How often tasks commit their offsets"),
  key("offset.flush.timeout.ms", "LONG", 5_000, "How long a commit of source offsets may take"),
  key("listeners", "LIST", "http://:8083", "Addresses of the REST server"),
  key("rest.advertised.host.name", "STRING", null, "Host that other workers and clients reach this one by"),
  key("rest.advertised.port", "INT", null, "Port that other workers and clients reach this one by"),
  key("rest.advertised.listener", "STRING", null, "Scheme that is advertised", (v) =>
    v === null ? null : oneOfIgnoringCase("http", "https")(v, {}),
  ),
  key("access.control.allow.origin", "STRING", "", "CORS: allowed origins"),
  key("access.control.allow.methods", "STRING", "", "CORS: allowed methods"),
  key("admin.listeners", "LIST", null, "Addresses of the admin endpoints; empty: none"),
  key("response.http.headers.config", "STRING", "", "Headers added to every answer"),
  key("plugin.path", "LIST", null, "Packages, folders and files with plugins by others (docs/plugins.md); jars are passed over"),
  key("plugin.discovery", "STRING", "hybrid_warn", "Read and ignored: plugins are built in"),
  key("config.providers", "LIST", "", "Names of the config providers that may be used"),
  key("connector.client.config.override.policy", "STRING", "All", "All, None, Principal, Allowlist"),
  key("connector.client.config.override.allowlist", "LIST", "", "Client settings that connectors may override under the policy Allowlist"),
  key("topic.tracking.enable", "BOOLEAN", true, "Remember the topics that a connector uses"),
  key("topic.tracking.allow.reset", "BOOLEAN", true, "Allow PUT /connectors/NAME/topics/reset"),
  key("topic.creation.enable", "BOOLEAN", true, "Let source connectors define the topics that they need"),
  key("rest.extension.classes", "LIST", "", "BasicAuthSecurityRestExtension asks for a login; others are read and ignored"),
  key("metrics.sample.window.ms", "LONG", 30_000, "Window of metric samples"),
  key("metrics.num.samples", "INT", 2, "Number of metric windows"),
  key("metrics.recording.level", "STRING", "INFO", "Level of metrics"),
  key("metric.reporters", "LIST", "", "Read and ignored"),
  key("client.dns.lookup", "STRING", "use_all_dns_ips", "How clients use DNS answers"),
  key(
    "millrace.rest.access.file",
    "STRING",
    null,
    "Users of REST with tokens, roles and connectors (JSON); somebody has to log in if it is set",
  ),
  key(
    "millrace.rest.jaas.config",
    "STRING",
    null,
    "JAAS file of BasicAuthSecurityRestExtension, for the JVM's java.security.auth.login.config",
  ),
  key(
    "millrace.rest.secrets",
    "STRING",
    "masked",
    "masked, or visible: configurations are shown as they are, as Kafka Connect does",
    oneOf("masked", "visible"),
  ),
  key(
    "millrace.stalled.ms",
    "LONG",
    60_000,
    "With nothing moving for so long although there is something to do, a task is called stalled; so is one whose poll does not come back",
    inRange(1),
  ),
  key("millrace.audit.file", "STRING", null, "File that changes made through REST are written to, a JSON line each"),
  key("millrace.audit.topic", "STRING", null, "Topic that changes made through REST are written to"),
  key("log.level", "STRING", "info", "error, warn, info or debug", oneOfIgnoringCase("error", "warn", "info", "debug", "trace", "off")),
];

/** Added by distributed mode. */
export const DISTRIBUTED_KEYS: ConfigDef = [
  key("group.id", "STRING", undefined, "Name of the Connect cluster", nonEmptyString),
  key("session.timeout.ms", "INT", 10_000, "After this time without heartbeat a worker is gone"),
  key("rebalance.timeout.ms", "INT", 60_000, "How long workers have to rejoin"),
  key("heartbeat.interval.ms", "INT", 3_000, "Time between heartbeats"),
  key("connect.protocol", "STRING", "sessioned", "eager, compatible or sessioned", oneOf("eager", "compatible", "sessioned")),
  key("scheduled.rebalance.max.delay.ms", "INT", 300_000, "How long a departed worker's work waits for its return", inRange(0)),
  key("worker.sync.timeout.ms", "INT", 3_000, "How long a worker that is behind tries to catch up"),
  key(
    "worker.unsync.backoff.ms",
    "INT",
    300_000,
    "Read and ignored: a worker that could not catch up goes on trying, and runs what it has meanwhile.",
  ),
  key("offset.storage.topic", "STRING", undefined, "Topic of source offsets", nonEmptyString),
  key("offset.storage.partitions", "INT", 25, "Its partitions; -1: the broker's default"),
  key("offset.storage.replication.factor", "SHORT", 3, "Its replicas; -1: the broker's default"),
  key("config.storage.topic", "STRING", undefined, "Topic of connector configurations", nonEmptyString),
  key("config.storage.replication.factor", "SHORT", 3, "Its replicas; -1: the broker's default"),
  key("status.storage.topic", "STRING", undefined, "Topic of states", nonEmptyString),
  key("status.storage.partitions", "INT", 5, "Its partitions; -1: the broker's default"),
  key("status.storage.replication.factor", "SHORT", 3, "Its replicas; -1: the broker's default"),
  key("inter.worker.key.generation.algorithm", "STRING", "HmacSHA256", "Algorithm of session keys"),
  key("inter.worker.key.size", "INT", null, "Size of session keys in bits"),
  key("inter.worker.key.ttl.ms", "INT", 3_600_000, "Age at which the session key is replaced; 0: never", inRange(0)),
  key("inter.worker.signature.algorithm", "STRING", "HmacSHA256", "Algorithm by which internal requests are signed"),
  key("inter.worker.verification.algorithms", "LIST", "HmacSHA256", "Algorithms that are accepted"),
  key(
    "exactly.once.source.support",
    "STRING",
    "disabled",
    "disabled, preparing or enabled",
    oneOfIgnoringCase("DISABLED", "PREPARING", "ENABLED"),
  ),
];
export const STANDALONE_KEYS: ConfigDef = [
  key("offset.storage.file.filename", "STRING", undefined, "File of source offsets", nonEmptyString),
];

/** Keys with these beginnings are passed on to clients, converters, providers and listeners. */
export const PASSED_ON_PREFIXES: readonly string[] = [
  "producer.",
  "consumer.",
  "admin.",
  "key.converter.",
  "value.converter.",
  "header.converter.",
  "config.providers.",
  "config.storage.",
  "offset.storage.",
  "status.storage.",
  "listeners.https.",
  "admin.listeners.https.",
  "security.",
  "sasl.",
  "ssl.",
  "metrics.context.",
  "file.",
  "millrace.",
];
/** Client settings that a worker file may hold at its top level. */
export const CLIENT_KEYS: ReadonlySet<string> = new Set([
  "client.id",
  "connections.max.idle.ms",
  "metadata.max.age.ms",
  "metadata.recovery.strategy",
  "metadata.recovery.rebootstrap.trigger.ms",
  "receive.buffer.bytes",
  "reconnect.backoff.max.ms",
  "reconnect.backoff.ms",
  "request.timeout.ms",
  "retry.backoff.max.ms",
  "retry.backoff.ms",
  "send.buffer.bytes",
  "socket.connection.setup.timeout.max.ms",
  "socket.connection.setup.timeout.ms",
  "security.protocol",
  "enable.metrics.push",
]);
