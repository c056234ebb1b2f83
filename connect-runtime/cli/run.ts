/** Running until a signal, and ending cleanly. */
import { readFile } from "node:fs/promises";
import { systemClock } from "#broker/base/clock";
import { parseProperties } from "../properties.ts";
import { settleWhenIdle } from "../worker/idle-memory.ts";
import { UsageError } from "./arguments.ts";
import { startFailure } from "./failure.ts";

export interface Running {
  /** Printed on standard output, once. */
  readonly ready: string;
  close(): Promise<void>;
}
const CLOSE_TIMEOUT_MS = 30_000;
const PARENT_CHECK_MS = 500;

/** Starts, prints the ready line and stays until SIGINT or SIGTERM. Sets the exit code. */
export async function runUntilSignal(start: () => Promise<Running>): Promise<void> {
  // A signal during the start counts as well.
  const stop = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.resolve());
  const parent = process.ppid;
  const alive = setInterval(() => {
    // npm passes a signal on to the shell between us only; when that is gone, so is whoever started us.
    if (process.env["npm_lifecycle_event"] !== undefined && process.ppid !== parent) stop.resolve();
  }, PARENT_CHECK_MS);
  try {
    const running = await start();
    process.stdout.write(`${running.ready}\n`);
    settleWhenIdle(systemClock);
    await stop.promise;
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
    await running.close();
    process.exit(0);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    process.stderr.write(`millrace: ${startFailure(error)}\n`);
    if (process.env["MILLRACE_TRACE"] !== undefined) console.error(error);
    process.exit(1);
  } finally {
    clearInterval(alive);
  }
}
export async function propertiesFile(path: string): Promise<Record<string, string>> {
  return parseProperties(await readFile(path, "utf8"));
}
/** Milliseconds since the process began, for the ready line. */
export const sinceStartMs = (): number => Math.round(performance.now());
