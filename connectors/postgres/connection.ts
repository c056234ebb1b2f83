/**
 * Connections to the server. `pg` does start-up, TLS and authentication; for COPY and replication its socket is taken
 * over afterwards (`cdc/direct-reads.ts`).
 */
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import pg from "pg";
import { directSocket } from "../cdc/direct-reads.ts";
import { livingConnection } from "../cdc/task-parts.ts";
import type { PostgresServer } from "./server-settings.ts";

/** Text forms that the decoders rely on, whatever the database's or the user's defaults are. */
const SESSION =
  "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex -c client_encoding=UTF8";

function tls(server: PostgresServer): pg.ClientConfig["ssl"] {
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

async function attempt(server: PostgresServer, options: ConnectOptions, ssl: pg.ClientConfig["ssl"]): Promise<pg.Client> {
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

export async function connect(server: PostgresServer, options: ConnectOptions = {}): Promise<pg.Client> {
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
export const living = (client: pg.Client | null, server: PostgresServer): Promise<pg.Client> =>
  livingConnection(client, {
    ping: (c) => c.query("SELECT 1"),
    end: (c) => c.end().catch(() => {}),
    open: () => connect(server),
  });
