/** JDBC addresses. Only PostgreSQL's are understood so far; others are refused by name. */
import { ConfigError } from "#connect/api/errors";

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly sslMode: string;
}

/** Throws ConfigError naming what is wrong. Credentials in the address serve where the settings give none. */
export function parseJdbcUrl(url: string, user: string | null, password: string | null): ConnectionTarget {
  const match = /^jdbc:([a-z0-9]+):(.*)$/i.exec(url);
  if (match === null)
    throw new ConfigError(
      `The 'connection.url' value is invalid: ${JSON.stringify(url)} is no JDBC address (jdbc:postgresql://host:port/database)`,
    );
  const vendor = (match[1] ?? "").toLowerCase();
  if (vendor !== "postgresql") {
    throw new ConfigError(
      `The 'connection.url' value is invalid: databases of type ${vendor} are not supported yet, only jdbc:postgresql://…`,
    );
  }
  let parsed: URL;
  try {
    // The scheme must be a special one for URL to see host and port.
    parsed = new URL(`http:${match[2] ?? ""}`);
  } catch (error) {
    throw new ConfigError(`The 'connection.url' value is invalid: ${JSON.stringify(url)}`, error);
  }
  const query = parsed.searchParams;
  const sslMode = query.get("sslmode") ?? (query.get("ssl") === "true" ? "verify-full" : "prefer");
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    database: decodeURIComponent(parsed.pathname.slice(1)) || (user ?? "postgres"),
    user: user ?? query.get("user") ?? (parsed.username === "" ? null : decodeURIComponent(parsed.username)),
    password: password ?? query.get("password") ?? (parsed.password === "" ? null : decodeURIComponent(parsed.password)),
    sslMode,
  };
}
