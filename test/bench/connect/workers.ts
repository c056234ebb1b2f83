/** The two workers that are measured over one broker: ours, and Kafka Connect 4.1 from its jars with the heap it ships with. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kafkaLibs } from "../../peers/kafka.ts";

export interface RunningWorker {
  readonly pid: number;
  readonly rest: string;
  /** From spawn until `GET /connectors` answers 200. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}
export interface WorkerKind {
  readonly name: "millrace" | "kafka";
  start(): Promise<RunningWorker>;
}
const ROOT = join(import.meta.dirname, "../../..");
const START_MS = 300_000;
export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await gone;
  clearTimeout(limit);
}
async function started(command: string, args: readonly string[], rest: string, log: string): Promise<RunningWorker> {
  const begun = performance.now();
  const out = openSync(log, "a");
  const child = spawn(command, args, { stdio: ["ignore", out, out] });
  while (performance.now() - begun < START_MS) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}; see ${log}`);
    const status = await fetch(`${rest}/connectors`).then(
      (r) => r.status,
      () => 0,
    );
    if (status === 200) return { pid: child.pid ?? 0, rest, startSeconds: (performance.now() - begun) / 1000, stop: () => end(child) };
    await sleep(5);
  }
  await end(child);
  throw new Error(`${command} did not answer within ${START_MS} ms; see ${log}`);
}
/** The same properties for both; the group tells them apart. */
function properties(folder: string, group: string, bootstrap: string, port: number): string {
  mkdirSync(folder, { recursive: true });
  const json = "org.apache.kafka.connect.json.JsonConverter";
  const lines = [
    `bootstrap.servers=${bootstrap}`,
    `group.id=${group}`,
    `key.converter=${json}`,
    `value.converter=${json}`,
    `listeners=http://127.0.0.1:${port}`,
    "offset.flush.interval.ms=10000",
  ];
  for (const topic of ["config", "offset", "status"])
    lines.push(`${topic}.storage.topic=${group}-${topic}`, `${topic}.storage.replication.factor=1`);
  const file = join(folder, `${group}.properties`);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
export function millraceWorker(folder: string, bootstrap: string, port: number): WorkerKind {
  const file = properties(folder, "bench-millrace", bootstrap, port);
  const profile = process.env["BENCH_CPU_PROF"] === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${process.env["BENCH_CPU_PROF"]}`];
  const roots = ["--override", `file.connector.roots=${folder}`];
  const args = [...profile, join(ROOT, "connect-runtime/cli/millrace.js"), "connect", file, ...roots];
  return {
    name: "millrace",
    start: () => started(process.execPath, args, `http://127.0.0.1:${port}`, join(folder, "millrace.log")),
  };
}
/** Null with a reason when the jars or Java are not there. */
export function kafkaWorker(folder: string, bootstrap: string, port: number): WorkerKind | string {
  const { libs, reason } = kafkaLibs();
  if (libs === null) return reason;
  const file = properties(folder, "bench-kafka", bootstrap, port);
  const flags = ["-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"];
  const args = [
    ...flags,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    `${libs}/*`,
    "org.apache.kafka.connect.cli.ConnectDistributed",
    file,
  ];
  return { name: "kafka", start: () => started("java", args, `http://127.0.0.1:${port}`, join(folder, "kafka.log")) };
}
