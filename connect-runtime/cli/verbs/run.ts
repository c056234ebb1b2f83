/** Commands that speak to a worker: kcctl's verbs, and those for looking closer. */
import { UsageError } from "../arguments.ts";
import { backfill } from "./backfill.ts";
import { CommandError, targetOf } from "./client.ts";
import * as connectors from "./connectors.ts";
import * as diagnosis from "./diagnosis.ts";
import { rendered } from "./output.ts";
import * as recovery from "./recovery.ts";
import type { Verb, VerbInput } from "./verb.ts";

export const VERBS: Readonly<Record<string, Verb>> = {
  info: connectors.info,
  get: connectors.get,
  describe: connectors.describeConnector,
  apply: connectors.apply,
  patch: connectors.patch,
  restart: connectors.restart,
  pause: connectors.pause,
  resume: connectors.resume,
  stop: connectors.stop,
  delete: connectors.remove,
  preview: diagnosis.preview,
  doctor: diagnosis.doctor,
  slots: diagnosis.slots,
  backfill,
  dlq: recovery.dlq,
  rewind: recovery.rewind,
  state: recovery.state,
};
const SHORT: Readonly<Record<string, string>> = {
  "-f": "--file",
  "-o": "--output",
  "-n": "--name",
  "-s": "--set",
  "-r": "--remove",
  "-u": "--user",
};
const VALUES = new Set(["url", "token", "user", "output", "name", "records", "topic", "cleanup", "to", "where", "id"]);
const LISTS = new Set(["file", "set", "remove", "record"]);
const FLAGS = new Set(["tasks", "failed", "blocking"]);

/** Throws UsageError. */
export function parseVerb(args: readonly string[]): VerbInput {
  const words: string[] = [];
  const options: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  const flags = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    const [given, inline] = arg.startsWith("--") ? cut(arg) : ([arg, undefined] as const);
    const name = (SHORT[given] ?? given).slice(2);
    if (FLAGS.has(name)) {
      flags.add(name);
      continue;
    }
    if (!VALUES.has(name) && !LISTS.has(name)) throw new UsageError(`unknown option ${given}`);
    const value = inline ?? args[++i];
    if (value === undefined) throw new UsageError(`option ${given} needs a value`);
    if (VALUES.has(name)) options[name] = value;
    else (lists[name] ??= []).push(value);
  }
  return { words, options, lists, flags };
}
function cut(arg: string): readonly [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}
/** The exit code: 0 done, 1 refused or not in order. Throws UsageError. */
export async function runVerb(
  verb: Verb,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  out: (text: string) => void,
  err: (text: string) => void,
): Promise<number> {
  const input = parseVerb(args);
  const output = input.options["output"] ?? "table";
  if (output !== "json" && output !== "table") throw new UsageError(`-o knows json and table, not ${output}`);
  try {
    const printed = await verb(targetOf(input.options, env), input);
    out(`${rendered(printed, output === "json")}\n`);
    return printed.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    err(`millrace: ${error.message}\n`);
    return 1;
  }
}
