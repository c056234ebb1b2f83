/**
 * Settings that the reference hands to its JDBC driver: `driver.*`, and all of `database.*` that is no setting of the connector. Names
 * are those of MySQL Connector/J and MariaDB Connector/J. There is no JDBC here: what matters is done, what would make the connection
 * safer than it is gets refused, the rest is named in a warning.
 */
import { ConfigError } from "#connect/api/errors";
import type { RawConfig } from "#connect/api/config";
import type { Settings } from "../cdc/settings.ts";

/** Done elsewhere, by these names. */
const DONE = new Set(["connectiontimezone", "sessionvariables"]);
/** Ask for TLS, or for a check of the server's certificate, which `database.ssl.*` decides here. By lower-cased name: what they say when they do not. */
const SAFER: Readonly<Record<string, RegExp>> = {
  sslmode: /^(disabled?|preferred)$/i,
  usessl: /^false$/i,
  requiressl: /^false$/i,
  verifyservercertificate: /^false$/i,
  disablesslhostnameverification: /^true$/i,
  trustcertificatekeystoreurl: /^$/,
  clientcertificatekeystoreurl: /^$/,
  serversslcert: /^$/,
  keystore: /^$/,
  truststore: /^$/,
};
const PASSED_ON = /^(?:driver|database)\.(.+)$/;

/** Throws ConfigError. */
export function refuseDriverSettings(config: RawConfig): void {
  for (const [name, value] of Object.entries(config)) {
    const harmless = SAFER[PASSED_ON.exec(name)?.[1]?.toLowerCase() ?? ""];
    if (harmless === undefined || value === null || harmless.test(value.trim())) continue;
    const instead = "use database.ssl.mode, database.ssl.truststore and database.ssl.keystore";
    throw new ConfigError(`The '${name}' value is invalid: there is no JDBC driver here; ${instead}`);
  }
}
/** One for each that changes nothing. `known`: whether the connector itself has a setting of that name. */
export const driverNotices = (s: Settings, known: (name: string) => boolean): readonly string[] =>
  s
    .matching(PASSED_ON)
    .filter(({ match }) => !known(match[0]) && !DONE.has((match[1] ?? "").toLowerCase()))
    .map(({ match }) => `the setting '${match[0]}' has no effect: there is no JDBC driver here`);
/** Run on each connection before the initial statements. */
export const sessionStatements = (s: Settings): readonly string[] =>
  s
    .matching(PASSED_ON)
    .filter(({ match, value }) => match[1]?.toLowerCase() === "sessionvariables" && value.trim() !== "")
    .map(({ value }) => `SET ${sessionVariables(value)}`);
/** `a=1,@b='x,y';c=2` as SET takes it: commas and semicolons separate outside of quotes and brackets; names without @ are of the session. */
function sessionVariables(text: string): string {
  const parts = text.match(/(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|\([^)]*\)|[^,;'"(])+/g) ?? [];
  return parts
    .map((p) => p.trim())
    .filter((p) => p !== "")
    .map((p) => (p.startsWith("@") || /^(?:session|local|global)\s/i.test(p) ? p : `SESSION ${p}`))
    .join(", ");
}
