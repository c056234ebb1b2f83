/**
 * Sessions on the server: one connection each, by mssql (tedious). Results come as arrays; large ones row by row, with the socket
 * paused while nobody takes them.
 */
import "./azure-on-demand.ts";
import sql from "mssql";
import { errorCode } from "../cdc/database-failures.ts";
import { atMost } from "../cdc/retries.ts";
import type { Login } from "./login.ts";
import type { SqlServer } from "./server-settings.ts";

export type Row = readonly unknown[];
/** LSNs are Buffers. */
export type Parameters = Readonly<Record<string, Buffer | number | string>>;
export interface RowConsumer {
  /** False: the next rows have to wait for `resume`. */
  readonly ready: boolean;
  row(values: Row): void;
}
/** The server's isolation levels, as transactions ask for them. */
export type Isolation = "READ UNCOMMITTED" | "READ COMMITTED" | "REPEATABLE READ" | "SERIALIZABLE" | "SNAPSHOT";
const LEVELS: Readonly<Record<Isolation, sql.IIsolationLevel>> = {
  "READ UNCOMMITTED": sql.ISOLATION_LEVEL.READ_UNCOMMITTED,
  "READ COMMITTED": sql.ISOLATION_LEVEL.READ_COMMITTED,
  "REPEATABLE READ": sql.ISOLATION_LEVEL.REPEATABLE_READ,
  SERIALIZABLE: sql.ISOLATION_LEVEL.SERIALIZABLE,
  SNAPSHOT: sql.ISOLATION_LEVEL.SNAPSHOT,
};
/** An error of the server, as tedious hands it on. */
interface LoginProblem {
  readonly message: string;
  readonly number: number;
}
interface TediousConnection {
  on(event: "errorMessage", listener: (problem: LoginProblem) => void): unknown;
}
class LoginError extends Error {
  readonly code = "ELOGIN";
  readonly number: number;
  constructor({ message, number }: LoginProblem, cause: unknown) {
    super(message, { cause });
    this.number = number;
  }
}
const PORT_MAX = 65_535;
const NEVER_MS = 2_147_483_647;
const CLOSE_MS = 5_000;

function authenticationOf(login: Login): sql.config {
  const server = { server: "" };
  switch (login.kind) {
    case "sql":
      return { ...server, user: login.user, password: login.password };
    case "ntlm":
      return { ...server, user: login.user, password: login.password, domain: login.domain };
    case "azure-password":
      return {
        ...server,
        authentication: {
          type: "azure-active-directory-password",
          options: {
            userName: login.user,
            password: login.password,
            clientId: login.clientId,
            tenantId: login.tenantId,
          },
        },
      };
    case "azure-service-principal":
      return {
        ...server,
        authentication: {
          type: "azure-active-directory-service-principal-secret",
          options: { clientId: login.clientId, clientSecret: login.clientSecret, tenantId: login.tenantId },
        },
      };
    case "azure-managed-identity":
      return {
        ...server,
        authentication: { type: "azure-active-directory-msi-vm", options: login.clientId === null ? {} : { clientId: login.clientId } },
      };
    case "azure-default":
      return {
        ...server,
        authentication: { type: "azure-active-directory-default", options: login.clientId === null ? {} : { clientId: login.clientId } },
      };
    case "azure-token":
      return { ...server, authentication: { type: "azure-active-directory-access-token", options: { token: login.token } } };
  }
}
/** For mssql. */
export function configOf(server: SqlServer): sql.config {
  const named = server.instance !== null && !server.portGiven;
  return {
    ...authenticationOf(server.login),
    server: server.host,
    ...(!named && { port: server.port }),
    ...(server.database !== null && { database: server.database }),
    connectionTimeout: server.connectTimeoutMs,
    requestTimeout: server.queryTimeoutMs,
    arrayRowMode: true,
    // By default each statement would be preceded by a SELECT 1.
    validateConnection: "socket",
    // One connection, kept for as long as the session is open.
    pool: { max: 1, min: 0, idleTimeoutMillis: NEVER_MS },
    options: {
      // mssql's types do not know "strict", which tedious takes.
      encrypt: server.encrypt as boolean,
      trustServerCertificate: server.trustServerCertificate,
      useUTC: true,
      appName: server.applicationName,
      readOnlyIntent: server.readOnly,
      multiSubnetFailover: server.multiSubnetFailover,
      ...(server.packetSize !== null && { packetSize: server.packetSize }),
      ...(server.workstationId !== null && { workstationId: server.workstationId }),
      ...(named && server.instance !== null && { instanceName: server.instance }),
      ...(server.certificateName !== null && { serverName: server.certificateName }),
      ...(server.trust !== null && { cryptoCredentialsDetails: { ca: server.trust } }),
    },
  };
}

export class Session {
  readonly #pool: sql.ConnectionPool;
  #transaction: sql.Transaction | null = null;
  #streaming: { readonly request: sql.Request; paused: boolean } | null = null;
  #closed = false;

  private constructor(pool: sql.ConnectionPool) {
    this.#pool = pool;
  }
  /** Throws mssql's errors; `number` is the server's. Of a login the first error: "Login failed" follows whatever was wrong. */
  static async open(server: SqlServer): Promise<Session> {
    if (server.port < 0 || server.port > PORT_MAX)
      throw Object.assign(new Error(`The port number ${server.port} is not valid.`), { code: "EINVALIDPORT" });
    let told: LoginProblem | null = null;
    const pool = new sql.ConnectionPool({
      ...configOf(server),
      beforeConnect: (connection: TediousConnection) => {
        connection.on("errorMessage", (problem) => {
          told ??= problem;
        });
      },
    });
    // Errors of an idle connection; the next request finds it gone.
    pool.on("error", () => {});
    await pool.connect().catch((cause: unknown) => {
      throw told === null || errorCode(cause) !== "ELOGIN" ? cause : new LoginError(told, cause);
    });
    return new Session(pool);
  }
  get closed(): boolean {
    return this.#closed;
  }
  #request(parameters: Parameters = {}): sql.Request {
    const request = this.#transaction === null ? new sql.Request(this.#pool) : new sql.Request(this.#transaction);
    request.arrayRowMode = true;
    for (const [name, value] of Object.entries(parameters)) {
      if (typeof value === "number") request.input(name, sql.BigInt, value);
      else if (typeof value === "string") request.input(name, sql.NVarChar, value);
      else request.input(name, sql.VarBinary(10), value);
    }
    return request;
  }
  async rows(statement: string, parameters?: Parameters): Promise<readonly Row[]> {
    const result: { readonly recordset?: readonly unknown[] } = await this.#request(parameters).query(statement);
    return (result.recordset ?? []) as readonly Row[];
  }
  async first(statement: string, parameters?: Parameters): Promise<Row | null> {
    return (await this.rows(statement, parameters))[0] ?? null;
  }
  /** Statements that change the session (SET …), which must not run inside sp_executesql. */
  async run(statement: string): Promise<void> {
    await this.#request().batch(statement);
  }
  /** Holds the connection until `rollback`: if it breaks, everything fails rather than going on without the transaction. */
  async begin(isolation: Isolation): Promise<void> {
    const transaction = new sql.Transaction(this.#pool);
    transaction.on("error", () => {});
    await transaction.begin(LEVELS[isolation]);
    this.#transaction = transaction;
  }
  async rollback(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    await transaction?.rollback();
  }
  /** Resolves when the last row was taken. */
  async stream(statement: string, consumer: RowConsumer): Promise<void> {
    const request = this.#request();
    request.stream = true;
    const streaming = { request, paused: false };
    this.#streaming = streaming;
    try {
      await new Promise<void>((resolve, reject) => {
        request.on("row", (row: Row) => {
          consumer.row(row);
          if (!consumer.ready && !streaming.paused) {
            streaming.paused = true;
            request.pause();
          }
        });
        // After an error too the request ends with "done"; until then the connection takes nothing else, not even a rollback.
        let failure: Error | null = null;
        request.on("error", (error: Error) => {
          failure ??= error;
        });
        request.on("done", () => (failure === null ? resolve() : reject(failure)));
        // In a streamed request the outcome comes by events.
        void Promise.resolve(request.query(statement)).catch(reject);
      });
    } finally {
      this.#streaming = null;
    }
  }
  /** Goes on with a streamed result whose consumer was not ready. */
  resume(): void {
    const streaming = this.#streaming;
    if (streaming?.paused !== true) return;
    streaming.paused = false;
    streaming.request.resume();
  }
  /** Also in the midst of a result. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#streaming?.request.cancel();
    this.resume();
    await atMost(CLOSE_MS, this.#transaction?.rollback());
    await atMost(CLOSE_MS, this.#pool.close());
  }
}
