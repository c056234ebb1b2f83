/** The command line: commands, options, files. */
import { parseAssignment } from "../properties.ts";

export class UsageError extends Error {}

export interface Arguments {
  readonly files: readonly string[];
  /** Of `--name VALUE`. */
  readonly options: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
}
/** `known` are the options with a value besides `--override`. Throws UsageError. */
export function parseArguments(args: readonly string[], known: readonly string[]): Arguments {
  const files: string[] = [];
  const options: Record<string, string> = {};
  const overrides: Record<string, string> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-")) {
      files.push(arg);
      continue;
    }
    const at = arg.indexOf("=");
    const name = at < 0 ? arg : arg.slice(0, at);
    if (name !== "--override" && !known.includes(name.slice(2))) throw new UsageError(`unknown option ${name}`);
    const value = at < 0 ? args[++i] : arg.slice(at + 1);
    if (value === undefined) throw new UsageError(`option ${name} needs a value`);
    if (name !== "--override") {
      options[name.slice(2)] = value;
      continue;
    }
    const assignment = parseAssignment(value);
    if (assignment === null) throw new UsageError(`--override needs key=value, got "${value}"`);
    overrides[assignment[0]] = assignment[1];
  }
  return { files, options, overrides };
}
export function hostAndPort(option: string, text: string): { readonly host: string; readonly port: number } {
  const m = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(m?.[3]);
  if (m === null || port > 65_535) throw new UsageError(`--${option} needs HOST:PORT, got "${text}"`);
  return { host: m[1] ?? m[2] ?? "", port };
}
