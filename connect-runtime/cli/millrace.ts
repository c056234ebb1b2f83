#!/usr/bin/env node
/** The one bin. Everything but the choice of the command is loaded when it is needed. */
import { enableCompileCache } from "node:module";

enableCompileCache();

const HELP = `Usage: millrace COMMAND [OPTIONS]

  start [--config FILE] [--data-dir DIR] [--broker HOST:PORT] [--rest HOST:PORT]
                                       broker and Connect worker in one process
  broker server.properties             a broker
  broker format --cluster-id ID --config FILE [--standalone] [--add-scram …] [--feature …] [--ignore-formatted]
  broker info --config FILE            data folders, as kafka-storage does it
  broker random-uuid                   a new cluster id
  connect connect-distributed.properties
                                       a Connect worker in distributed mode
  connect-standalone worker.properties connector.properties…
                                       a Connect worker without a cluster

Every command takes --override key=value, as often as needed. --help shows this.
`;
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  start: ["config", "data-dir", "broker", "rest"],
  broker: [],
  connect: [],
  "connect-standalone": [],
};

async function main(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === undefined || command === "--help" || command === "-h" || command === "help" || rest.includes("--help")) {
    process.stdout.write(HELP);
    process.exitCode = command === undefined ? 2 : 0;
    return;
  }
  const known = OPTIONS[command];
  if (known === undefined) return usage(`unknown command "${command}"; millrace --help lists the commands`);
  const { parseArguments, UsageError } = await import("./arguments.ts");
  try {
    const { runStorage, STORAGE_COMMANDS } = await import("./storage.ts");
    const [sub = "", ...more] = rest;
    if (command === "broker" && STORAGE_COMMANDS.includes(sub)) {
      process.exitCode = await storageCommand(() => runStorage(sub, more, (text) => void process.stdout.write(text)));
      return;
    }
    const args = parseArguments(rest, known);
    const [serve, { runUntilSignal }] = await Promise.all([import("./serve.ts"), import("./run.ts")]);
    const start = {
      start: serve.serveStart,
      broker: serve.serveBroker,
      connect: serve.serveConnect,
      "connect-standalone": serve.serveStandalone,
    }[command];
    if (start !== undefined) await runUntilSignal(() => start(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    usage(error.message);
  }
}
async function storageCommand(run: () => Promise<number>): Promise<number> {
  const [{ UsageError }, { startFailure }] = await Promise.all([import("./arguments.ts"), import("./failure.ts")]);
  try {
    return await run();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    process.stderr.write(`millrace: ${startFailure(error)}\n`);
    return 1;
  }
}
function usage(message: string): void {
  process.stderr.write(`millrace: ${message}\n`);
  process.exitCode = 2;
}
await main();
