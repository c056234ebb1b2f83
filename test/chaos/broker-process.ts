/** The broker alone as a process: started by its command from a server.properties, killed without warning. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

export interface BrokerProcess {
  readonly bootstrap: string;
  readonly pid: number;
  /** From spawn to the ready line. */
  readonly startMs: number;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  output(): string;
}
/** Starts over `directory/data`. Resolves at the ready line; throws with the output when the process ends or 60 s pass. */
export async function startBrokerProcess(
  directory: string,
  port: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<BrokerProcess> {
  mkdirSync(directory, { recursive: true });
  const properties: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "log.dirs": join(directory, "data"),
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    ...settings,
  };
  const file = join(directory, "server.properties");
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const started = performance.now();
  const child = spawn(process.execPath, [join(ROOT, "connect-runtime/cli/millrace.js"), "broker", file], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-50_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  await ready(child, () => output);
  return {
    bootstrap: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    startMs: performance.now() - started,
    kill: () => end(child, "SIGKILL", gone),
    stop: () => end(child, "SIGTERM", gone),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    output: () => output,
  };
}
function ready(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((isReady, failed) => {
    const limit = setTimeout(() => failed(new Error(`not ready after 60 s:\n${output()}`)), 60_000);
    child.stdout?.on("data", () => {
      if (!output().includes("ready")) return;
      clearTimeout(limit);
      isReady();
    });
    child.once("exit", (code) => {
      clearTimeout(limit);
      failed(new Error(`ended with ${code} before it was ready:\n${output()}`));
    });
  });
}
async function end(child: ChildProcess, signal: NodeJS.Signals, gone: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await gone;
}
