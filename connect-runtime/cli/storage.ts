/** `millrace broker format`, `info` and `random-uuid`. */
import { UsageError } from "./arguments.ts";
import { propertiesFile } from "./run.ts";

export const STORAGE_COMMANDS: readonly string[] = ["format", "info", "random-uuid"];
const SHORT: Readonly<Record<string, string>> = {
  "-c": "--config",
  "-t": "--cluster-id",
  "-g": "--ignore-formatted",
  "-S": "--add-scram",
  "-f": "--feature",
  "-s": "--standalone",
};
const FLAGS = ["--ignore-formatted", "--standalone", "--no-initial-controllers"];
const MANY = ["--add-scram", "--feature"];
const SINGLE = ["--config", "--cluster-id"];

interface StorageArguments {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
}
/** Prints to standard output; returns the exit code. Throws UsageError and BrokerError. */
export async function runStorage(command: string, args: readonly string[], print: (text: string) => void): Promise<number> {
  const storage = await import("#broker/cli/storage");
  if (command === "random-uuid") {
    print(`${storage.newClusterId()}\n`);
    return 0;
  }
  const { flags, values } = parse(args);
  const [config] = values.get("--config") ?? [];
  if (config === undefined) throw new UsageError(`argument --config/-c is required`);
  const properties = await propertiesFile(config);
  if (command === "info") {
    const { text, problems } = storage.storageInfo(properties);
    print(text);
    return problems ? 1 : 0;
  }
  const [clusterId] = values.get("--cluster-id") ?? [];
  if (clusterId === undefined) throw new UsageError("argument --cluster-id/-t is required");
  const lines = storage.formatStorage(properties, {
    clusterId,
    ignoreFormatted: flags.has("--ignore-formatted"),
    scram: values.get("--add-scram") ?? [],
    features: values.get("--feature") ?? [],
    standalone: flags.has("--standalone"),
  });
  for (const line of lines) print(`${line}\n`);
  return 0;
}
function parse(args: readonly string[]): StorageArguments {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) {
      values.set("--config", [arg]);
      continue;
    }
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const given = equals < 0 ? arg : arg.slice(0, equals);
    const name = SHORT[given] ?? given;
    if (FLAGS.includes(name)) {
      flags.add(name);
      continue;
    }
    if (!MANY.includes(name) && !SINGLE.includes(name)) throw new UsageError(`unknown option ${given}`);
    const value = equals < 0 ? args[++at] : arg.slice(equals + 1);
    if (value === undefined) throw new UsageError(`option ${given} needs a value`);
    values.set(name, [...(MANY.includes(name) ? (values.get(name) ?? []) : []), value]);
  }
  return { flags, values };
}
