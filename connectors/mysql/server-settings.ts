/** Where the server is and how to log in, from the connector's settings. */
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "../cdc/settings.ts";
import { initialStatements } from "../cdc/task-settings.ts";
import type { StoreFile } from "../cdc/tls-stores.ts";
import { sessionStatements } from "./driver-settings.ts";

export type SslMode = "disabled" | "preferred" | "required" | "verify_ca" | "verify_identity";
export interface MysqlServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly ssl: SslMode;
  readonly trust: StoreFile | null;
  readonly key: StoreFile | null;
  /** Of opening a connection. */
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly queryTimeoutMs: number;
  /** Run on each new connection that is not for replication. */
  readonly initialStatements: readonly string[];
}

/** MariaDB's names, as its connector's settings list them. */
const MARIADB_MODES: Readonly<Record<string, SslMode>> = { disable: "disabled", trust: "required", verify_full: "verify_identity" };
const SSL_MODES: readonly SslMode[] = ["disabled", "preferred", "required", "verify_ca", "verify_identity"];

export function serverOf(settings: Settings): MysqlServer {
  const store = (name: string): StoreFile | null => {
    const path = settings.optional(name) ?? "";
    return path === "" ? null : { path, password: settings.optional(`${name}.password`) };
  };
  const mode = (settings.optional("database.ssl.mode") ?? "preferred").toLowerCase().replace("-", "_");
  const ssl = MARIADB_MODES[mode] ?? SSL_MODES.find((m) => m === mode);
  if (ssl === undefined) throw new ConfigError(`The 'database.ssl.mode' value is invalid: Value must be one of ${SSL_MODES.join(", ")}`);
  return {
    host: settings.string("database.hostname"),
    port: settings.int("database.port"),
    user: settings.string("database.user"),
    password: settings.optional("database.password") ?? "",
    ssl,
    trust: store("database.ssl.truststore"),
    key: store("database.ssl.keystore"),
    connectTimeoutMs: settings.int("connect.timeout.ms"),
    queryTimeoutMs: settings.int("database.query.timeout.ms"),
    initialStatements: [...sessionStatements(settings), ...initialStatements(settings)],
  };
}
