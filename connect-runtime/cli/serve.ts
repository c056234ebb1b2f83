/** `millrace start`, `broker`, `connect`, `connect-standalone`: settings to running parts. */
import { tmpdir } from "node:os";
import { delimiter, resolve } from "node:path";
import { systemClock } from "#broker/base/clock";
import { systemRandom } from "#broker/base/random";
import { settingsFromEnv } from "../config-env.ts";
import { wantsLogin, workerConfig, type WorkerMode } from "../config.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { RunningConnect } from "../connect.ts";
import { type Arguments, hostAndPort, UsageError } from "./arguments.ts";
import { type CliLogger, cliLogger } from "./logger.ts";
import { propertiesFile, type Running, sinceStartMs } from "./run.ts";

const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";

function logger(settings: ConfigMap): CliLogger {
  return cliLogger((settings["log.level"] ?? "info").toLowerCase());
}
async function openConnect(settings: ConfigMap, mode: WorkerMode, log: CliLogger): Promise<RunningConnect> {
  const config = workerConfig(settings, mode);
  const [{ startConnect }, { createKafkaClients }] = await Promise.all([import("../connect.ts"), import("#broker/client/index")]);
  return startConnect(config, {
    clients: createKafkaClients({ clock: systemClock, random: systemRandom, logger: log }),
    clock: systemClock,
    random: systemRandom,
    log,
    setLogLevel: (level) => log.setLevel(level),
  });
}
/** Where file connectors may read and write unless told otherwise. */
const fileRoots = (...more: readonly string[]): ConfigMap => ({
  "file.connector.roots": [process.cwd(), ...more, tmpdir()].join(delimiter),
});

function fromEnv(log: CliLogger): ConfigMap {
  const { settings, ignored } = settingsFromEnv(process.env);
  if (ignored.length > 0) log.info(`environment variables for a JVM have no meaning here: ${ignored.join(", ")}`);
  return settings;
}

export async function serveStart(args: Arguments): Promise<Running> {
  if (args.files.length > 0) throw new UsageError(`start takes no files, use --config ${args.files[0]}`);
  const broker = hostAndPort("broker", args.options["broker"] ?? "127.0.0.1:9092");
  const rest = hostAndPort("rest", args.options["rest"] ?? "127.0.0.1:8083");
  const dataDir = args.options["data-dir"] ?? "./millrace-data";
  const file = args.options["config"] === undefined ? {} : await propertiesFile(args.options["config"]);
  const given: Record<string, string> = { ...file, ...args.overrides };
  if (args.options["data-dir"] !== undefined || given["log.dirs"] === undefined) given["log.dirs"] = resolve(dataDir);
  const log = logger(given);
  // Both files call their addresses `listeners`: the worker's are http, the broker's are not.
  const listed = (given["listeners"] ?? "").split(",").filter((l) => l.trim() !== "");
  const brokerListeners = listed.filter((l) => !/^https?:/i.test(l.trim()));
  const restListeners = listed.filter((l) => /^https?:/i.test(l.trim()));
  const [{ startBroker }, { brokerKeys }] = await Promise.all([import("#broker/broker"), import("#broker/config")]);
  // Each part gets its own keys; what neither knows is told about once, by the worker.
  const isBrokers = (key: string): boolean => brokerKeys.has(key) || key === "metrics.listeners";
  const own = (ofBroker: boolean): ConfigMap => Object.fromEntries(Object.entries(given).filter(([key]) => isBrokers(key) === ofBroker));
  const running = await startBroker(
    {
      "process.roles": "broker,controller",
      "node.id": "1",
      "offsets.topic.replication.factor": "1",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      // The worker is the group's first member and need not wait for others.
      "group.initial.rebalance.delay.ms": "0",
      ...own(true),
      ...(given["log.level"] === undefined ? {} : { "log.level": given["log.level"] }),
      listeners:
        args.options["broker"] === undefined && brokerListeners.length > 0
          ? brokerListeners.join(",")
          : `PLAINTEXT://${bracketed(broker.host)}:${broker.port}`,
    },
    // The broker filters by its own levels, which change by themselves.
    { clock: systemClock, random: systemRandom, logger: cliLogger("all") },
  );
  try {
    const connect = await openConnect(
      {
        ...fileRoots(resolve(dataDir)),
        "group.id": "connect-cluster",
        "config.storage.topic": "connect-configs",
        "offset.storage.topic": "connect-offsets",
        "status.storage.topic": "connect-status",
        "config.storage.replication.factor": "1",
        "offset.storage.replication.factor": "1",
        "status.storage.replication.factor": "1",
        "key.converter": JSON_CONVERTER,
        "value.converter": JSON_CONVERTER,
        ...own(false),
        "bootstrap.servers": running.bootstrap,
        listeners:
          args.options["rest"] === undefined && restListeners.length > 0
            ? restListeners.join(",")
            : `http://${bracketed(rest.host)}:${rest.port}`,
      },
      "distributed",
      log,
    );
    return {
      ready: `millrace ready: broker ${running.bootstrap}, REST ${connect.url}, data ${dataDir} (started in ${sinceStartMs()} ms)`,
      async close() {
        await connect.close();
        await running.close();
      },
    };
  } catch (error) {
    await running.close();
    throw error;
  }
}
const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

export async function serveBroker(args: Arguments): Promise<Running> {
  const [path] = args.files;
  if (path === undefined || args.files.length > 1) throw new UsageError("broker needs one file: millrace broker server.properties");
  const settings = { ...(await propertiesFile(path)), ...args.overrides };
  const { startBroker } = await import("#broker/broker");
  const running = await startBroker(settings, { clock: systemClock, random: systemRandom, logger: cliLogger("all") });
  return {
    ready: `millrace ready: broker ${running.bootstrap}, data ${running.dataDirs.join(",")}${metricsAt(running)} (started in ${sinceStartMs()} ms)`,
    close: () => running.close(),
  };
}

const metricsAt = ({ metricsPort }: { readonly metricsPort: number | null }): string =>
  metricsPort === null ? "" : `, metrics on port ${metricsPort}`;

export async function serveConnect(args: Arguments): Promise<Running> {
  if (args.files.length > 1) throw new UsageError("connect takes one file: millrace connect connect-distributed.properties");
  const [path] = args.files;
  const file = path === undefined ? {} : await propertiesFile(path);
  const early = cliLogger((file["log.level"] ?? "info").toLowerCase());
  const settings = loopback({ ...fileRoots(), ...file, ...fromEnv(early), ...args.overrides });
  const connect = await openConnect(settings, "distributed", logger(settings));
  return {
    ready: `millrace ready: REST ${connect.url}, group ${settings["group.id"] ?? ""} (started in ${sinceStartMs()} ms)`,
    close: () => connect.close(),
  };
}
/** Whoever does not ask for an open address by name, or for a login, does not get one. */
const loopback = (settings: ConfigMap): ConfigMap =>
  wantsLogin(settings) ? settings : { listeners: "http://127.0.0.1:8083", ...settings };

export async function serveStandalone(args: Arguments): Promise<Running> {
  const [path, ...connectors] = args.files;
  if (path === undefined) throw new UsageError("connect-standalone needs files: worker.properties connector.properties…");
  const settings = loopback({ ...fileRoots(), ...(await propertiesFile(path)), ...args.overrides });
  const configs = await Promise.all(connectors.map((file) => connectorFile(file)));
  const connect = await openConnect(settings, "standalone", logger(settings));
  for (const config of configs) await connect.herder.put(config["name"] ?? "", config, null, true);
  return {
    ready: `millrace ready: REST ${connect.url}, ${configs.length} connectors (started in ${sinceStartMs()} ms)`,
    close: () => connect.close(),
  };
}
/** A properties file, or JSON as REST takes it (KIP-1040): the map alone, or name and config. */
async function connectorFile(path: string): Promise<ConfigMap> {
  if (!path.endsWith(".json")) return propertiesFile(path);
  const { readFile } = await import("node:fs/promises");
  const { readConfig, readCreateConnector } = await import("../rest/bodies.ts");
  const bytes = await readFile(path);
  const parsed: unknown = JSON.parse(bytes.toString());
  const wrapped = typeof parsed === "object" && parsed !== null && "config" in parsed && typeof parsed.config === "object";
  const created = wrapped ? readCreateConnector(bytes) : null;
  const config = created === null ? readConfig(bytes) : { ...created.config, name: created.name ?? created.config["name"] ?? null };
  return Object.fromEntries(Object.entries(config).flatMap(([k, v]) => (v === null ? [] : [[k, v]])));
}
