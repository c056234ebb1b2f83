/**
 * Connections to the server. `pg` does start-up, TLS and authentication; for COPY and replication its socket is taken
 * over afterwards (`cdc/direct-reads.ts`).
 */
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import pg from "pg";
import { directSocket } from "../cdc/direct-reads.ts";
import type { Settings } from "../cdc/settings.ts";
import { livingConnection } from "../cdc/task-parts.ts";
import { initialStatements } from "../cdc/task-settings.ts";

export interface Server {
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

/** Text forms that the decoders rely on, whatever the database's or the user's defaults are. */
const SESSION =
  "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex -c client_encoding=UTF8";

export function serverOf(settings: Settings): Server {
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

function tls(server: Server): pg.ClientConfig["ssl"] {
  if (server.ssl === "disable" || server.ssl === "allow") return false;
  const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  const ca = read(server.sslFiles.ca),
    cert = read(server.sslFiles.cert),
    key = read(server.sslFiles.key);
  const verify = server.ssl === "verify-ca" || server.ssl === "verify-full";
  return {
    rejectUnauthorized: verify,
    ...(server.ssl === "verify-ca" && { checkServerIdentity: () => undefined }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(server.sslFiles.passphrase !== undefined && { passphrase: server.sslFiles.passphrase }),
  };
}

/** `replication`: a walsender session (it takes SQL as well, by the simple protocol). */
export interface ConnectOptions {
  readonly replication?: boolean;
  readonly applicationName?: string;
}

async function attempt(server: Server, options: ConnectOptions, ssl: pg.ClientConfig["ssl"]): Promise<pg.Client> {
  const client = new pg.Client({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database: server.database,
    ssl,
    keepAlive: server.keepAlive,
    connectionTimeoutMillis: server.connectTimeoutMs,
    application_name: options.applicationName ?? "Millrace",
    options: SESSION,
    ...(ssl === false && { stream: directSocket }),
    ...(options.replication !== true && server.queryTimeoutMs > 0 && { query_timeout: server.queryTimeoutMs }),
    ...(options.replication === true && { replication: "database" }),
  } as pg.ClientConfig);
  // Without a listener an error of an idle connection would end the process.
  client.on("error", () => {});
  // What pg cannot even begin (a port that is none) leaves its timer running, which destroys a socket that nobody listens to yet.
  socketOf(client).on("error", () => {});
  await client.connect();
  return client;
}

export async function connect(server: Server, options: ConnectOptions = {}): Promise<pg.Client> {
  const secure = tls(server);
  let client: pg.Client;
  try {
    client = await attempt(server, options, secure);
  } catch (error) {
    if (server.ssl !== "prefer" || !(error instanceof Error) || !/does not support SSL/.test(error.message)) throw error;
    client = await attempt(server, options, false);
  }
  if (options.replication !== true) for (const statement of server.initialStatements) await client.query(statement);
  return client;
}

/** The authenticated socket of a client. */
export const socketOf = (client: pg.Client): Duplex => (client as pg.Client & { connection: { stream: Duplex } }).connection.stream;
/** This connection, or a new one if it was lost. */
export const living = (client: pg.Client | null, server: Server): Promise<pg.Client> =>
  livingConnection(client, {
    ping: (c) => c.query("SELECT 1"),
    end: (c) => c.end().catch(() => {}),
    open: () => connect(server),
  });
