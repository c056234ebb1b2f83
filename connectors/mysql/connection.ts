/**
 * Connections to the server. mysql2 does start-up, TLS and logins; for the binary log its socket is taken over afterwards
 * (`cdc/direct-reads.ts`).
 */
import { connect as connectSocket, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getSystemErrorName } from "node:util";
import mysql, { type Connection, type ConnectionOptions } from "mysql2/promise";
import { errorCode } from "../cdc/database-failures.ts";
import { directSocket } from "../cdc/direct-reads.ts";
import { ownKey, trustedCertificates } from "../cdc/tls-stores.ts";
import { signEd25519 } from "./auth-ed25519.ts";
import { errorNumber } from "./failures.ts";
import type { MysqlServer } from "./server-settings.ts";

function tls(server: MysqlServer): NonNullable<ConnectionOptions["ssl"]> {
  const verify = server.ssl === "verify_ca" || server.ssl === "verify_identity";
  const own = server.key === null ? null : ownKey(server.key, "database.ssl.keystore");
  return {
    rejectUnauthorized: verify,
    verifyIdentity: server.ssl === "verify_identity",
    ...(verify && server.trust !== null && { ca: trustedCertificates(server.trust, "database.ssl.truststore") }),
    ...(own !== null && { key: own.key, cert: own.chain }),
    ...(server.key?.password && { passphrase: server.key.password }),
  };
}

/**
 * mysql2 checks a certificate against no address (it would take one for `localhost`), only against names; with the dot that ends
 * a full name an address is one, and what checks the certificate takes the dot off.
 */
const byAddress = (server: MysqlServer): ConnectionOptions =>
  server.ssl === "verify_identity" && isIP(server.host) !== 0
    ? { host: `${server.host}.`, stream: connectSocket({ port: server.port, host: server.host, noDelay: true, keepAlive: true }) }
    : {};

/**
 * mysql2 gives every failure of the TLS handshake one code. Where it was the network (the server was killed meanwhile), Node's own is put
 * back, so that it is tried again.
 */
async function open(options: ConnectionOptions): Promise<Connection> {
  try {
    return await mysql.createConnection(options);
  } catch (error) {
    if (errorCode(error) === "HANDSHAKE_SSL_ERROR" && error instanceof Error) {
      const { errno, syscall } = error as NodeJS.ErrnoException;
      const system = typeof syscall === "string" && typeof errno === "number" ? getSystemErrorName(errno) : null;
      const code = system ?? (/socket disconnected before secure TLS/.test(error.message) ? "ECONNRESET" : null);
      if (code !== null) Object.assign(error, { code });
    }
    throw error;
  }
}

/** Packets of the server that hold the scramble end with a zero byte. */
const SCRAMBLE_BYTES = 32;
async function attempt(server: MysqlServer, options: ConnectionOptions, secure: boolean): Promise<Connection> {
  const connection = await open({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    connectTimeout: server.connectTimeoutMs,
    charset: "utf8mb4",
    timezone: "Z",
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    // Nothing is prepared here; the driver's default makes lists for 16,000 statements, half a MiB for each connection.
    maxPreparedStatements: 1,
    authPlugins: {
      // MariaDB's; the others are mysql2's own.
      client_ed25519: () => (data: Buffer) => signEd25519(Buffer.from(server.password), data.subarray(0, SCRAMBLE_BYTES)),
    },
    ...(secure ? { ssl: tls(server), ...byAddress(server) } : { stream: plainSocket(server) }),
    ...options,
  });
  // Without a listener an error of an idle connection would end the process.
  connection.on("error", () => {});
  return connection;
}

/** Throws mysql2's error (its `code` and `errno` are the server's), or ConfigError for files that cannot be used. */
export async function connect(server: MysqlServer, options: ConnectionOptions = {}): Promise<Connection> {
  const connection = await login(server, options);
  try {
    await limitQueries(connection, server.queryTimeoutMs);
    for (const statement of server.initialStatements) await connection.query(statement);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}
/** `database.query.timeout.ms`: the server ends what takes longer. Versions of before these variables are left alone. */
async function limitQueries(connection: Connection, timeoutMs: number): Promise<void> {
  if (timeoutMs <= 0) return;
  // Each server runs its own comment: MariaDB's in seconds, MySQL's (SELECT alone) in milliseconds.
  const own = `/*M! max_statement_time = ${timeoutMs / 1000} *//*!50708 max_execution_time = ${timeoutMs} */`;
  await connection.query(`SET SESSION ${own}`).catch((error: unknown) => {
    if (!UNKNOWN_VARIABLE.has(errorNumber(error))) throw error;
  });
}
const UNKNOWN_VARIABLE = new Set([1064, 1193]);
/** As `connect`, without the initial statements and the limit. */
export async function login(server: MysqlServer, options: ConnectionOptions = {}): Promise<Connection> {
  if (server.ssl === "disabled") return attempt(server, options, false);
  try {
    return await attempt(server, options, true);
  } catch (error) {
    if (server.ssl !== "preferred" || errorCode(error) !== "HANDSHAKE_NO_SSL_SUPPORT") throw error;
    return attempt(server, options, false);
  }
}

function plainSocket(server: MysqlServer): Socket {
  const socket = directSocket();
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return socket.connect(server.port, server.host);
}

/** The authenticated socket of a connection, without mysql2's own listeners. */
export function takeSocket(connection: Connection): Duplex {
  const { stream } = Reflect.get(connection, "connection") as { readonly stream: Duplex };
  for (const name of ["data", "error", "close", "end"]) stream.removeAllListeners(name);
  return stream;
}
