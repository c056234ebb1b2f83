/** Where the server is and how to log in, from the connector's settings. */
import { readFileSync } from "node:fs";
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "../cdc/settings.ts";
import { initialStatements } from "../cdc/task-settings.ts";
import { sessionStatements } from "./driver-settings.ts";
import { looksLikePkcs12, readPkcs12 } from "./pkcs12.ts";

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
/** A PEM file, or a PKCS#12 store with its password. */
export interface StoreFile {
  readonly path: string;
  readonly password: string | null;
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

const PEM = /-----BEGIN [A-Z0-9 ]+-----/;
/** Text of a PEM file or of a PKCS#12 store. Throws ConfigError, also for Java's own form of stores (JKS). */
export function pemOf(file: StoreFile, setting: string): string {
  const refuse = (why: string): never => {
    throw new ConfigError(`The '${setting}' value is invalid: ${file.path} ${why}`);
  };
  let bytes: Buffer;
  try {
    bytes = readFileSync(file.path);
  } catch (error) {
    return refuse(`cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  const text = bytes.toString("latin1");
  if (PEM.test(text)) return text;
  if (!looksLikePkcs12(bytes))
    return refuse("is neither PEM nor PKCS#12. Convert it: keytool -importkeystore -srckeystore … -destkeystore … -deststoretype pkcs12");
  try {
    const { certificates, keys } = readPkcs12(bytes, file.password ?? "");
    return [...keys, ...certificates].join("");
  } catch (error) {
    return refuse(`cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
}
