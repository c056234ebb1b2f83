/** JDBC addresses, in the forms of the drivers of PostgreSQL, MySQL, MariaDB and SQL Server. */
import { ConfigError } from "#connect/api/errors";
import type { Dialect } from "./dialect.ts";
import { mysql } from "./mysql/dialect.ts";
import { postgresql } from "./postgresql/dialect.ts";
import { sqlserver } from "./sqlserver/dialect.ts";

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | null;
  readonly password: string | null;
  /** on: encrypted, the certificate is not looked at. */
  readonly tls: "off" | "on" | "verify";
}
export interface ParsedUrl {
  readonly target: ConnectionTarget;
  readonly dialect: Dialect;
}
const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ["postgresql", postgresql],
  ["mysql", mysql],
  ["mariadb", mysql],
  ["sqlserver", sqlserver],
]);
const invalid = (what: string, cause?: unknown): ConfigError => new ConfigError(`The 'connection.url' value is invalid: ${what}`, cause);

/** Throws ConfigError naming what is wrong. Credentials in the address serve where the settings give none. */
export function parseJdbcUrl(url: string, user: string | null, password: string | null): ParsedUrl {
  const match = /^jdbc:([a-z0-9]+):(.*)$/i.exec(url);
  if (match === null) throw invalid(`${JSON.stringify(url)} is no JDBC address (jdbc:postgresql://host:port/database)`);
  const vendor = (match[1] ?? "").toLowerCase();
  const dialect = DIALECTS.get(vendor);
  if (dialect === undefined)
    throw invalid(`databases of type ${vendor} are not supported, only ${[...DIALECTS.keys()].map((v) => `jdbc:${v}://…`).join(", ")}`);
  const rest = match[2] ?? "";
  return { dialect, target: vendor === "sqlserver" ? semicolons(url, rest, user, password) : uri(url, rest, dialect, user, password) };
}

function uri(url: string, rest: string, dialect: Dialect, user: string | null, password: string | null): ConnectionTarget {
  let parsed: URL;
  try {
    // The scheme must be a special one for URL to see host and port.
    parsed = new URL(`http:${rest}`);
  } catch (error) {
    throw invalid(JSON.stringify(url), error);
  }
  const query = parsed.searchParams;
  const name = user ?? query.get("user") ?? (parsed.username === "" ? null : decodeURIComponent(parsed.username));
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
    port: parsed.port === "" ? dialect.portDefault : Number(parsed.port),
    database: decodeURIComponent(parsed.pathname.slice(1)) || (name ?? "postgres"),
    user: name,
    password: password ?? query.get("password") ?? (parsed.password === "" ? null : decodeURIComponent(parsed.password)),
    tls: tlsOf(query),
  };
}
/** `sslmode` and `ssl` of PostgreSQL, `sslMode` and `useSSL` of MySQL and MariaDB. */
function tlsOf(query: URLSearchParams): ConnectionTarget["tls"] {
  const mode = (query.get("sslmode") ?? query.get("sslMode") ?? "").toLowerCase().replaceAll("_", "-");
  if (["verify-full", "verify-ca", "verify-identity"].includes(mode)) return "verify";
  if (["require", "required", "trust"].includes(mode) || query.get("useSSL") === "true") return "on";
  return mode === "" && query.get("ssl") === "true" ? "verify" : "off";
}

/** jdbc:sqlserver://host[\instance][:port];name=value;… */
function semicolons(url: string, rest: string, user: string | null, password: string | null): ConnectionTarget {
  const match = /^\/\/([^;:\\]*)(?:\\[^;:]*)?(?::(\d+))?(?:;(.*))?$/.exec(rest);
  if (match === null) throw invalid(JSON.stringify(url));
  const given = new Map<string, string>();
  for (const [, name, braced, plain] of (match[3] ?? "").matchAll(/([^=;]+)=(?:\{([^}]*)\}|([^;]*))/g))
    given.set((name ?? "").trim().toLowerCase(), braced ?? plain ?? "");
  const encrypt = (given.get("encrypt") ?? "true").toLowerCase();
  return {
    host: match[1] || given.get("servername") || "localhost",
    port: Number(match[2] ?? given.get("port") ?? given.get("portnumber") ?? sqlserver.portDefault),
    database: given.get("databasename") ?? given.get("database") ?? "master",
    user: user ?? given.get("user") ?? given.get("username") ?? null,
    password: password ?? given.get("password") ?? null,
    tls: encrypt === "false" || encrypt === "optional" ? "off" : given.get("trustservercertificate") === "true" ? "on" : "verify",
  };
}
