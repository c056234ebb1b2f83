/** The two brokers that are measured with the same clients: ours, and Apache Kafka 4.1 from its jars with the heap it ships with. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKafkaClients } from "#broker/client/index";
import { kafkaLibs } from "../../peers/kafka.ts";

export interface RunningBroker {
  readonly pid: number;
  /** From spawn until Metadata is answered. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}
export interface BrokerKind {
  readonly name: "millrace" | "kafka";
  readonly bootstrap: string;
  /** Starts over an empty folder the first time, over what is there afterwards. */
  start(): Promise<RunningBroker>;
}
const ROOT = join(import.meta.dirname, "../../..");
const clients = createKafkaClients();
export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** The jars' folder; throws when there is none. */
export function libs(): string {
  const { libs: folder, reason } = kafkaLibs();
  if (folder === null) throw new Error(reason);
  return folder;
}
/** The flags that kafka-run-class.sh gives. */
export const JVM = [
  "-server",
  "-XX:+UseG1GC",
  "-XX:MaxGCPauseMillis=20",
  "-XX:InitiatingHeapOccupancyPercent=35",
  "-XX:+ExplicitGCInvokesConcurrent",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

async function started(child: ChildProcess, bootstrap: string, begun: number): Promise<RunningBroker> {
  const admin = await clients.admin({
    "bootstrap.servers": bootstrap,
    "default.api.timeout.ms": "60000",
    "reconnect.backoff.max.ms": "20",
  });
  await admin.listTopics();
  const startSeconds = (performance.now() - begun) / 1000;
  await admin.close();
  return { pid: child.pid ?? 0, startSeconds, stop: () => end(child) };
}
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await gone;
  clearTimeout(limit);
}
function propertiesOf(port: number, data: string, extra: readonly string[]): string {
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    `log.dirs=${data}`,
    "offsets.topic.replication.factor=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    ...extra,
    "",
  ].join("\n");
}

export function millrace(folder: string, port: number): BrokerKind {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "server.properties");
  writeFileSync(file, propertiesOf(port, join(folder, "data"), [`listeners=PLAINTEXT://127.0.0.1:${port}`]));
  const profile = process.env["BENCH_CPU_PROF"] === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${process.env["BENCH_CPU_PROF"]}`];
  return {
    name: "millrace",
    bootstrap: `127.0.0.1:${port}`,
    start() {
      const log = openSync(join(folder, "log"), "a");
      const begun = performance.now();
      const child = spawn(process.execPath, [...profile, join(ROOT, "connect-runtime/cli/millrace.js"), "broker", file], {
        stdio: ["ignore", log, log],
      });
      return started(child, `127.0.0.1:${port}`, begun);
    },
  };
}

export function apacheKafka(folder: string, port: number): BrokerKind {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "server.properties");
  const listeners = `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 1}`;
  const quorum = `controller.quorum.voters=1@127.0.0.1:${port + 1}`;
  writeFileSync(file, propertiesOf(port, join(folder, "data"), [listeners, quorum, "controller.listener.names=CONTROLLER"]));
  execFileSync("java", ["-cp", `${libs()}/*`, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", file], {
    stdio: "ignore",
  });
  return {
    name: "kafka",
    bootstrap: `127.0.0.1:${port}`,
    start() {
      const log = openSync(join(folder, "log"), "a");
      const begun = performance.now();
      const child = spawn("java", ["-Xms1G", "-Xmx1G", ...JVM, "-cp", `${libs()}/*`, "kafka.Kafka", file], { stdio: ["ignore", log, log] });
      return started(child, `127.0.0.1:${port}`, begun);
    },
  };
}

export async function withTopic<T>(bootstrap: string, name: string, partitions: number, use: () => Promise<T>): Promise<T> {
  const admin = await clients.admin({ "bootstrap.servers": bootstrap });
  await admin.createTopics([{ name, partitions, replicationFactor: 1 }]);
  try {
    return await use();
  } finally {
    await admin.deleteTopics([name]);
    await admin.close();
  }
}
