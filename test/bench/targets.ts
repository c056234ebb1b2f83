/** The two sides that are measured: this product, and Apache Kafka 4.1 with Debezium 3.4 from their jars. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, linkSync, openSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Target {
  readonly name: "millrace" | "debezium";
  readonly rest: string;
  readonly bootstrap: string;
  /** Broker and worker; the same process where there is only one. */
  readonly pids: { readonly broker: number; readonly connect: number };
  readonly startSeconds: number;
  stop(): Promise<void>;
}
const ROOT = join(import.meta.dirname, "../..");
const J = "org.apache.kafka.connect.json.JsonConverter";

async function until(what: string, ready: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 6000; i++) {
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode}`);
    if (await ready().catch(() => false)) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  throw new Error(`${what} is not ready after a minute`);
}
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await gone;
  clearTimeout(limit);
}
const answers = (url: string) => async (): Promise<boolean> => (await fetch(url)).ok;

async function startMillrace(folder: string, brokerPort: number, restPort: number): Promise<Target> {
  const begun = performance.now();
  const log = openSync(join(folder, "millrace.log"), "a");
  const rest = `http://127.0.0.1:${restPort}`;
  const args = ["start", "--data-dir", join(folder, "millrace"), "--broker", `127.0.0.1:${brokerPort}`, "--rest", `127.0.0.1:${restPort}`];
  const profile = process.env["BENCH_CPU_PROF"] === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${process.env["BENCH_CPU_PROF"]}`];
  const child = spawn(process.execPath, [...profile, join(ROOT, "connect-runtime/cli/millrace.js"), ...args], {
    stdio: ["ignore", log, log],
  });
  await until("millrace", answers(`${rest}/connectors`), child);
  const pid = child.pid ?? 0;
  return {
    name: "millrace",
    rest,
    bootstrap: `127.0.0.1:${brokerPort}`,
    pids: { broker: pid, connect: pid },
    startSeconds: (performance.now() - begun) / 1000,
    stop: () => end(child),
  };
}

/** Null with a reason when the jars or Java are not there: KAFKA_LIBS and DBZ_LIBS name the folders. */
async function startDebezium(folder: string, brokerPort: number, restPort: number): Promise<Target | string> {
  const kafkaLibs = process.env["KAFKA_LIBS"] ?? join(homedir(), ".cache/anchors/mvn/kafka-libs");
  const debeziumLibs = process.env["DBZ_LIBS"] ?? join(homedir(), ".cache/anchors/mvn/dbz/dbz-libs");
  if (!existsSync(kafkaLibs))
    return `KAFKA_LIBS (${kafkaLibs}) is not there: the jars of org.apache.kafka:kafka_2.13:4.1.0, connect-runtime and connect-json`;
  if (!existsSync(debeziumLibs))
    return `DBZ_LIBS (${debeziumLibs}) is not there: the jars of io.debezium:debezium-connector-postgres:3.4.0.Final`;
  const java = (main: string, args: readonly string[], heap: readonly string[]): ChildProcess =>
    spawn(
      "java",
      [
        ...heap,
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        `${kafkaLibs}/*`,
        main,
        ...args,
      ],
      { stdio: ["ignore", log, log] },
    );
  const log = openSync(join(folder, "debezium.log"), "a");
  const server = join(folder, "server.properties");
  writeFileSync(
    server,
    [
      "process.roles=broker,controller",
      "node.id=1",
      `controller.quorum.voters=1@127.0.0.1:${brokerPort + 1}`,
      `listeners=PLAINTEXT://127.0.0.1:${brokerPort},CONTROLLER://127.0.0.1:${brokerPort + 1}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${brokerPort}`,
      "controller.listener.names=CONTROLLER",
      `log.dirs=${join(folder, "kafka")}`,
      "offsets.topic.replication.factor=1",
      "transaction.state.log.replication.factor=1",
      "transaction.state.log.min.isr=1",
      "group.initial.rebalance.delay.ms=0",
      "",
    ].join("\n"),
  );
  execFileSync("java", ["-cp", `${kafkaLibs}/*`, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", server], {
    stdio: "ignore",
  });
  const begun = performance.now();
  const broker = java("kafka.Kafka", [server], ["-Xms1G", "-Xmx1G"]);
  const plugins = join(folder, "plugins/debezium");
  mkdirSync(plugins, { recursive: true });
  for (const jar of readdirSync(debeziumLibs))
    if (!/^(jackson-(core|databind|annotations)|slf4j-api)/.test(jar) && !existsSync(join(plugins, jar)))
      linkSync(join(debeziumLibs, jar), join(plugins, jar));
  const worker = join(folder, "connect.properties");
  writeFileSync(
    worker,
    [
      `bootstrap.servers=127.0.0.1:${brokerPort}`,
      "group.id=bench",
      `key.converter=${J}`,
      `value.converter=${J}`,
      "offset.storage.topic=bench-offsets",
      "offset.storage.replication.factor=1",
      "config.storage.topic=bench-configs",
      "config.storage.replication.factor=1",
      "status.storage.topic=bench-status",
      "status.storage.replication.factor=1",
      `listeners=HTTP://127.0.0.1:${restPort}`,
      `plugin.path=${join(folder, "plugins")}`,
      "",
    ].join("\n"),
  );
  const connect = java("org.apache.kafka.connect.cli.ConnectDistributed", [worker], ["-Xms256M", "-Xmx2G"]);
  const rest = `http://127.0.0.1:${restPort}`;
  await until("Kafka Connect", answers(`${rest}/connectors`), connect);
  return {
    name: "debezium",
    rest,
    bootstrap: `127.0.0.1:${brokerPort}`,
    pids: { broker: broker.pid ?? 0, connect: connect.pid ?? 0 },
    startSeconds: (performance.now() - begun) / 1000,
    async stop() {
      await end(connect);
      await end(broker);
    },
  };
}
/** Both sides on the ports after `port`, put into `targets` as they come; BENCH_ONLY=millrace: one. */
export async function startTargets(folder: string, port: number, targets: Target[]): Promise<void> {
  targets.push(await startMillrace(folder, port + 1, port + 2));
  const other = process.env["BENCH_ONLY"] === "millrace" ? "BENCH_ONLY=millrace" : await startDebezium(folder, port + 3, port + 5);
  if (typeof other === "string") console.log(`without Debezium: ${other}`);
  else targets.push(other);
}
