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

Commands that speak to a worker (--url, MILLRACE_URL; http://127.0.0.1:8083), with -o json for programs:
  info                                 version and cluster
  get [connectors|plugins|loggers]     lists;  get connector|tasks|offsets NAME
  describe NAME                        state, health, tasks, topics and configuration
  apply -f FILE [-f FILE…]             creates or updates connectors from JSON or properties files
  patch NAME --set key=value --remove key
  restart NAME [--tasks] [--failed]    restart task NAME/0
  pause|resume|stop NAME
  delete NAME [--cleanup plan|true|slot,offsets,topics]
  doctor NAME | -f FILE | URL          checks the database, its settings and rights, and prints the SQL that mends it
  preview NAME | -f FILE [--records N] real records through transforms and converters, written nowhere
  slots                                what each source keeps on its server
  backfill start NAME TABLE… [--where SQL] [--blocking] [--id ID]
                                       reads tables of a running source once more;  backfill list NAME
  backfill pause|resume|stop NAME ID
  dlq list NAME                        dead letters;  dlq show NAME PARTITION/OFFSET
  dlq replay NAME [--record PARTITION/OFFSET] [--topic TOPIC]
  rewind NAME [--to OFFSETS.json]      back to the beginning, or to these offsets
  state export NAME                    configuration and offsets as JSON;  state import NAME -f FILE
  --token TOKEN, --user NAME:PASSWORD  (MILLRACE_TOKEN, MILLRACE_USER)

The commands above these take --override key=value, as often as needed. --help shows this.
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
  if (known === undefined && (await spoken(command, rest))) return;
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
/** False: no such command. */
async function spoken(command: string, rest: readonly string[]): Promise<boolean> {
  const [{ runVerb, VERBS }, { UsageError }] = await Promise.all([import("./verbs/run.ts"), import("./arguments.ts")]);
  const verb = Object.hasOwn(VERBS, command) ? VERBS[command] : undefined;
  if (verb === undefined) return false;
  try {
    const write = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(text);
    process.exitCode = await runVerb(verb, rest, process.env, write(process.stdout), write(process.stderr));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    usage(error.message);
  }
  return true;
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
