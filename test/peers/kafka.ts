/**
 * A real Apache Kafka (KRaft, one node) from its jars, with the machine's Java 17. The jars are looked for in $KAFKA_LIBS and
 * in the cache folder; where either is missing the answer says so, and tests are skipped with that reason. To have it:
 * `mvn dependency:copy-dependencies` of org.apache.kafka:kafka_2.13:4.1.0 into a folder, and KAFKA_LIBS=that folder.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export interface KafkaPeer {
  readonly bootstrap: string;
  /** Listeners beside the plaintext one, by name, e.g. SASL_PLAINTEXT → 127.0.0.1:31302. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly libs: string;
  readonly folder: string;
  /** SIGKILL, then the same data again. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
export interface KafkaOptions {
  /** Plaintext; the controller takes the next one, extra listeners those after it. */
  readonly port: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** e.g. ["SASL_PLAINTEXT"]; their settings go into `properties`. */
  readonly listeners?: readonly string[];
  /** Arguments of `kafka-storage format`, e.g. ["--add-scram", "SCRAM-SHA-256=[name=alice,password=secret]"]. */
  readonly format?: readonly string[];
}
export type KafkaStart = { readonly kafka: KafkaPeer; readonly reason: "" } | { readonly kafka: null; readonly reason: string };

const CLUSTER_ID = "bWlsbHJhY2UtdGVzdHMtMQ";
const START_TIMEOUT_MS = 60_000;

/** The folder with the jars, or why there is none. */
export function kafkaLibs(): { libs: string | null; reason: string } {
  const candidates = [process.env["KAFKA_LIBS"], join(homedir(), ".cache/anchors/mvn/kafka-libs")];
  const libs = candidates.find(
    (each) => each !== undefined && existsSync(each) && readdirSync(each).some((name) => /^kafka_2\.13-.*\.jar$/.test(name)),
  );
  if (libs === undefined)
    return { libs: null, reason: "no Kafka jars (set KAFKA_LIBS to a folder with those of org.apache.kafka:kafka_2.13)" };
  if (spawnSync("java", ["-version"]).status !== 0) return { libs: null, reason: "no java on the path" };
  return { libs, reason: "" };
}

export async function startKafka(options: KafkaOptions): Promise<KafkaStart> {
  const { libs, reason } = kafkaLibs();
  if (libs === null) return { kafka: null, reason };
  const folder = mkdtempSync(join(tmpdir(), "kafka-peer-"));
  const file = join(folder, "server.properties");
  const extra = (options.listeners ?? []).map((name, i) => [name, `127.0.0.1:${options.port + 2 + i}`] as const);
  writeFileSync(file, properties(options, folder, extra));
  const format = [
    "-Xmx256m",
    "-cp",
    `${libs}/*`,
    "kafka.tools.StorageTool",
    "format",
    "-t",
    CLUSTER_ID,
    "-c",
    file,
    ...(options.format ?? []),
  ];
  const formatted = spawnSync("java", format, { encoding: "utf8" });
  if (formatted.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`kafka-storage format failed: ${formatted.stdout}${formatted.stderr}`);
  }
  let child: ChildProcess | null = null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const exited = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await exited;
  };
  // A test run that is cut short must not leave a JVM behind.
  process.once("exit", () => child?.kill("SIGKILL"));
  const peer: KafkaPeer = {
    bootstrap: `127.0.0.1:${options.port}`,
    listeners: Object.fromEntries(extra),
    libs,
    folder,
    kill: () => end("SIGKILL"),
    async start() {
      child = spawn("java", ["-Xmx512m", "-cp", `${libs}/*`, "kafka.Kafka", file], { stdio: ["ignore", "pipe", "pipe"] });
      await started(child, options.port);
    },
    async stop() {
      await end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await peer.start();
  return { kafka: peer, reason: "" };
}

function properties(options: KafkaOptions, folder: string, extra: readonly (readonly [string, string])[]): string {
  const plain = `PLAINTEXT://127.0.0.1:${options.port}`;
  const advertised = [plain, ...extra.map(([name, address]) => `${name}://${address}`)].join(",");
  const all = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${options.port + 1}`,
    listeners: `${advertised},CONTROLLER://127.0.0.1:${options.port + 1}`,
    "advertised.listeners": advertised,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": ["CONTROLLER:PLAINTEXT", "PLAINTEXT:PLAINTEXT", ...extra.map(([name]) => `${name}:${name}`)].join(
      ",",
    ),
    "log.dirs": join(folder, "data"),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    ...options.properties,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

/** Ready when it says so and its port answers. */
function started(child: ChildProcess, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    const timer = setTimeout(
      () => reject(new Error(`Kafka did not start in ${START_TIMEOUT_MS} ms:\n${log.slice(-4000)}`)),
      START_TIMEOUT_MS,
    );
    const read = (chunk: Buffer): void => {
      log = (log + chunk.toString()).slice(-20_000);
      if (!log.includes("Kafka Server started")) return;
      clearTimeout(timer);
      child.stdout?.removeListener("data", read);
      child.stdout?.resume();
      child.removeListener("exit", exited);
      const probe = net.connect(port, "127.0.0.1", () => {
        probe.destroy();
        resolve();
      });
      probe.on("error", reject);
    };
    const exited = (): void => {
      clearTimeout(timer);
      reject(new Error(`Kafka ended while starting:\n${log.slice(-4000)}`));
    };
    child.once("exit", exited);
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  });
}
