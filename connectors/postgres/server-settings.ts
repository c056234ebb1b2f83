/** Where the server is and how to log in, from the connector's settings. */
import type { Settings } from "../cdc/settings.ts";
import { initialStatements } from "../cdc/task-settings.ts";

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: SslMode;
  readonly sslFiles: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string };
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly keepAlive: boolean;
  readonly initialStatements: readonly string[];
}
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

export function serverOf(settings: Settings): PostgresServer {
  const file = (name: string): string | undefined => settings.optional(name) || undefined;
  const ca = file("database.sslrootcert"),
    cert = file("database.sslcert"),
    key = file("database.sslkey"),
    passphrase = file("database.sslpassword");
  return {
    host: settings.string("database.hostname"),
    port: settings.int("database.port"),
    user: settings.string("database.user"),
    password: settings.optional("database.password") ?? undefined,
    database: settings.string("database.dbname"),
    ssl: settings.choice("database.sslmode").replace("_", "-") as SslMode,
    sslFiles: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(passphrase && { passphrase }) },
    queryTimeoutMs: settings.int("database.query.timeout.ms"),
    connectTimeoutMs: settings.int("connection.validation.timeout.ms"),
    keepAlive: settings.bool("database.tcpKeepAlive"),
    initialStatements: initialStatements(settings),
  };
}
