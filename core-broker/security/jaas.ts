/** JAAS lines as `sasl.jaas.config` carries them: a login module, a flag, options, a semicolon. */
export type JaasOptions = ReadonlyMap<string, string>;

/** `name=value` and `name="value"`; a backslash keeps the next character. */
export function jaasOptions(line: string): JaasOptions {
  const options = new Map<string, string>();
  for (const match of line.matchAll(/(?<=[\s;]|^)([^=\s";]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/g)) {
    options.set(match[1] ?? "", (match[2] ?? match[3] ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  return options;
}
/** `user_NAME="password"` of the PLAIN login module. */
export function plainUsers(options: JaasOptions): ReadonlyMap<string, string> {
  return new Map(
    [...options].filter(([name]) => name.startsWith("user_")).map(([name, password]) => [name.slice("user_".length), password]),
  );
}
