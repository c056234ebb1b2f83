/** Broker and workers as processes of their own, for tests that kill them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kafkaLibs, startKafka } from "../peers/kafka.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "connect-runtime/cli/millrace.js");
const READY_MS = 60_000;

export interface Process {
  readonly pid: number;
  /** SIGTERM, or another signal; resolves when the process is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
}
/** Runs the command and resolves at the line that says it is ready. Throws with the output when the process ends before. */
export async function spawned(command: string, args: readonly string[], ready: RegExp): Promise<Process> {
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-60_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  void gone.then(() => process.off("exit", kill));
  await becameReady(
    child,
    () => ready.test(output),
    () => output,
  );
  return {
    pid: child.pid ?? -1,
    output: () => output,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await gone;
    },
  };
}
function becameReady(child: ChildProcess, ready: () => boolean, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => ready() && done(), 20);
    const limit = setTimeout(() => done(new Error(`not ready after ${READY_MS} ms:\n${output()}`)), READY_MS);
    const exited = (code: number | null): void => done(new Error(`ended with ${code} before it was ready:\n${output()}`));
    child.once("exit", exited);
    function done(error?: Error): void {
      clearInterval(timer);
      clearTimeout(limit);
      child.off("exit", exited);
      if (error === undefined) resolve();
      else reject(error);
    }
  });
}
/** Our command; `node` are options of Node itself. */
export const spawnOurs = (node: readonly string[], args: readonly string[]): Promise<Process> =>
  spawned(process.execPath, [...node, MAIN, ...args], /ready/);
export const properties = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");

/** A broker that can be killed and started again over the same data. */
export interface BrokerProcess {
  readonly bootstrap: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
export interface BrokerChoice {
  readonly name: string;
  /** Why it cannot run here; empty: it can. */
  readonly skipped: string;
  start(port: number): Promise<BrokerProcess>;
}
const CLEANING = { "log.cleaner.backoff.ms": "300", "log.retention.check.interval.ms": "1000" };

async function startOurs(port: number): Promise<BrokerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "our-broker-"));
  const file = join(folder, "server.properties");
  writeFileSync(
    file,
    properties({
      "process.roles": "broker,controller",
      "node.id": "1",
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
      "log.dirs": join(folder, "data"),
      "offsets.topic.num.partitions": "3",
      "offsets.topic.replication.factor": "1",
      "transaction.state.log.num.partitions": "3",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "group.initial.rebalance.delay.ms": "0",
      "group.min.session.timeout.ms": "1000",
      ...CLEANING,
    }),
  );
  let running: Process | null = null;
  const broker: BrokerProcess = {
    bootstrap: `127.0.0.1:${port}`,
    async kill() {
      await running?.end("SIGKILL");
    },
    async start() {
      running = await spawnOurs([], ["broker", file]);
    },
    async stop() {
      await running?.end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}
async function startApache(port: number): Promise<BrokerProcess> {
  const { kafka, reason } = await startKafka({ port, properties: CLEANING });
  if (kafka === null) throw new Error(reason);
  return kafka;
}
export const BROKERS: readonly BrokerChoice[] = [
  { name: "our broker", skipped: "", start: startOurs },
  { name: "Apache Kafka 4.1", skipped: kafkaLibs().reason, start: startApache },
];

export interface WorkerProcess {
  readonly rest: string;
  readonly running: boolean;
  start(): Promise<void>;
  end(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
  /** Resident bytes of the process now. */
  memory(): Promise<number>;
}
const STRING = "org.apache.kafka.connect.storage.StringConverter";
export const distributedSettings = (bootstrap: string, group: string, port: number): Record<string, string> => ({
  "bootstrap.servers": bootstrap,
  "group.id": group,
  "config.storage.topic": `${group}-configs`,
  "offset.storage.topic": `${group}-offsets`,
  "status.storage.topic": `${group}-status`,
  "config.storage.replication.factor": "1",
  "offset.storage.replication.factor": "1",
  "status.storage.replication.factor": "1",
  "offset.storage.partitions": "3",
  "status.storage.partitions": "2",
  "key.converter": STRING,
  "value.converter": STRING,
  "offset.flush.interval.ms": "700",
  // A killed worker that comes back removes its former self: nobody waits for this, and a slow machine takes nobody for dead.
  "session.timeout.ms": "10000",
  "heartbeat.interval.ms": "500",
  "rebalance.timeout.ms": "20000",
  "scheduled.rebalance.max.delay.ms": "1500",
  listeners: `http://127.0.0.1:${port}`,
  "rest.advertised.host.name": "127.0.0.1",
});
/** A worker of ours that is not started yet; it has the counting source. */
export function workerProcess(folder: string, port: number, settings: Readonly<Record<string, string>>): WorkerProcess {
  const file = join(folder, `worker-${port}.properties`);
  writeFileSync(file, properties(settings));
  let running: Process | null = null;
  /** What former processes have said. */
  let last = "";
  return {
    rest: `http://127.0.0.1:${port}`,
    get running() {
      return running !== null;
    },
    async start() {
      running = await spawnOurs(["--import", join(import.meta.dirname, "counting-source.ts")], ["connect", file]);
    },
    async end(signal) {
      const ending = running;
      running = null;
      await ending?.end(signal);
      last += ending?.output() ?? "";
    },
    output: () => last + (running?.output() ?? ""),
    async memory() {
      const { readFile } = await import("node:fs/promises");
      const status = await readFile(`/proc/${running?.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    },
  };
}
