/** Where the server is and how to log in, from the connector's settings. `driver.*` are named as the JDBC driver names them. */
import type { Settings } from "../cdc/settings.ts";
import { trustedCertificates } from "../cdc/tls-stores.ts";
import { type DriverSettings, invalid, type Login, loginOf } from "./login.ts";

export interface SqlServer {
  readonly host: string;
  readonly port: number;
  readonly portGiven: boolean;
  readonly instance: string | null;
  /** Only with one database; else statements name it. */
  readonly database: string | null;
  readonly login: Login;
  readonly encrypt: boolean | "strict";
  /** The certificate is not checked. */
  readonly trustServerCertificate: boolean;
  /** Name in the server's certificate, where it is not the host's. */
  readonly certificateName: string | null;
  /** PEM text of the authorities; null: those that Node knows. */
  readonly trust: string | null;
  readonly readOnly: boolean;
  readonly multiSubnetFailover: boolean;
  /** Bytes; null: tedious's own. */
  readonly packetSize: number | null;
  readonly workstationId: string | null;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly queryTimeoutMs: number;
}
const CONNECT_TIMEOUT_MS = 15_000;

/** By lower-cased name, since the JDBC driver takes its properties in any case. */
function driverSettings(s: Settings): DriverSettings {
  const given = new Map(
    s.matching(/^(?:driver|database)\.(.+)$/).map(({ match, value }) => [(match[1] ?? "").toLowerCase(), value.trim()]),
  );
  return (name) => {
    const value = given.get(name.toLowerCase());
    return value === undefined || value === "" ? null : value;
  };
}
/** Ignored they would make the connection less safe, or its data something else. */
const REFUSED: Readonly<Record<string, string>> = {
  accesstokencallbackclass: "a Java class; use driver.accessToken or driver.authentication",
  trustmanagerclass: "a Java class; use driver.trustStore",
  socketfactoryclass: "a Java class",
  servercertificate: "not supported by this connector; use driver.trustStore with the certificate in PEM",
  clientcertificate: "not supported by this connector",
  failoverpartner: "not supported by this connector; use an availability group's listener",
};
const TAKEN = new Set(
  "accesstoken authentication authenticationscheme integratedsecurity domain clientid tenantid msiclientid aadsecureprincipalid aadsecureprincipalsecret encrypt trustservercertificate hostnameincertificate truststore truststorepassword truststoretype applicationintent applicationname logintimeout instancename multisubnetfailover packetsize workstationid columnencryptionsetting".split(
    " ",
  ),
);
function refuse(driver: DriverSettings): void {
  for (const [name, reason] of Object.entries(REFUSED)) if (driver(name) !== null) throw invalid(`driver.${name}`, reason);
  if ((driver("columnEncryptionSetting") ?? "disabled").toLowerCase() !== "disabled")
    throw invalid(
      "driver.columnEncryptionSetting",
      "Always Encrypted is not supported by this connector; its columns are read as they are stored",
    );
}
/** Properties of the JDBC driver that nothing here reads. */
export const driverNotices = (s: Settings): readonly string[] =>
  s
    .matching(/^driver\.(.+)$/)
    .filter(({ match }) => !TAKEN.has((match[1] ?? "").toLowerCase()))
    .map(({ match }) => `the setting '${match[0]}' has no effect: it is a property of the JDBC driver that this connector does not read`);
function encryptOf(text: string | null): boolean | "strict" {
  switch ((text ?? "true").toLowerCase()) {
    case "strict":
      return "strict";
    case "false":
    case "no":
    case "optional":
      return false;
    default:
      return true;
  }
}

/** The protocol's limits. */
function packetSizeOf(text: string | null): number | null {
  if (text === null) return null;
  const size = Number(text);
  if (!Number.isInteger(size) || size < 512 || size > 32_767) throw invalid("driver.packetSize", `${text} is not between 512 and 32767`);
  return size;
}
export function serverOf(s: Settings): SqlServer {
  const driver = driverSettings(s);
  refuse(driver);
  const names = s.list("database.names");
  const trust = driver("trustStore");
  const loginTimeout = Number(driver("loginTimeout") ?? 0);
  return {
    host: s.string("database.hostname"),
    port: s.int("database.port"),
    portGiven: s.isGiven("database.port"),
    instance: s.optional("database.instance") ?? driver("instanceName"),
    database: names.length === 1 ? (names[0] ?? null) : null,
    login: loginOf(s, driver),
    encrypt: encryptOf(driver("encrypt")),
    trustServerCertificate: (driver("trustServerCertificate") ?? "false").toLowerCase() === "true",
    certificateName: driver("hostNameInCertificate"),
    trust: trust === null ? null : trustedCertificates({ path: trust, password: driver("trustStorePassword") }, "driver.trustStore"),
    readOnly: (driver("applicationIntent") ?? "").toLowerCase() === "readonly",
    multiSubnetFailover: (driver("multiSubnetFailover") ?? "").toLowerCase() === "true",
    packetSize: packetSizeOf(driver("packetSize")),
    workstationId: driver("workstationID"),
    applicationName: driver("applicationName") ?? "Millrace",
    connectTimeoutMs: loginTimeout > 0 ? loginTimeout * 1000 : CONNECT_TIMEOUT_MS,
    queryTimeoutMs: s.int("database.query.timeout.ms"),
  };
}
