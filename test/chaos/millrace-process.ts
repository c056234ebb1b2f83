/** The product as a process: started by its command, killed without warning, talked to by REST. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

export interface MillraceProcess {
  readonly rest: string;
  readonly bootstrap: string;
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  output(): string;
}
/** Resolves at the ready line. Throws with the output when the process ends or 60 s pass. */
export async function startMillrace(
  dataDir: string,
  brokerPort: number,
  restPort: number,
  overrides: Readonly<Record<string, string>> = {},
): Promise<MillraceProcess> {
  const args = ["start", "--data-dir", dataDir, "--broker", `127.0.0.1:${brokerPort}`, "--rest", `127.0.0.1:${restPort}`];
  for (const [key, value] of Object.entries(overrides)) args.push("--override", `${key}=${value}`);
  const child = spawn(process.execPath, [join(ROOT, "connect-runtime/cli/millrace.js"), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  await new Promise<void>((ready, failed) => {
    const limit = setTimeout(() => failed(new Error(`not ready after 60 s:\n${output}`)), 60_000);
    child.stdout.on("data", () => {
      if (!/ready/.test(output)) return;
      clearTimeout(limit);
      ready();
    });
    child.once("exit", (code) => {
      clearTimeout(limit);
      failed(new Error(`ended with ${code} before it was ready:\n${output}`));
    });
  });
  return {
    rest: `http://127.0.0.1:${restPort}`,
    bootstrap: `127.0.0.1:${brokerPort}`,
    pid: child.pid ?? 0,
    kill: () => end(child, "SIGKILL", gone),
    stop: () => end(child, "SIGTERM", gone),
    output: () => output,
  };
}
async function end(child: ChildProcess, signal: NodeJS.Signals, gone: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await gone;
}

export async function putConnector(rest: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${rest}/connectors/${name}/config`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(config),
    });
    if (response.ok) return;
    if (response.status !== 409 || attempt > 100) throw new Error(`PUT ${name}: ${response.status} ${await response.text()}`);
    await sleep(100);
  }
}
export async function connectorStates(rest: string): Promise<string> {
  const response = await fetch(`${rest}/connectors?expand=status`);
  return response.text();
}
export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** mulberry32: the same seed gives the same run of numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
