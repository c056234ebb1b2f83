/** Where the server is and how to log in, from the connector's settings. `driver.*` are named as the JDBC driver names them. */
import { readFileSync } from "node:fs";
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "../cdc/settings.ts";

export type Login =
  | { readonly kind: "sql"; readonly user: string; readonly password: string }
  | { readonly kind: "ntlm"; readonly user: string; readonly password: string; readonly domain: string }
  | {
      readonly kind: "azure-password";
      readonly user: string;
      readonly password: string;
      readonly clientId: string;
      readonly tenantId: string;
    }
  | { readonly kind: "azure-service-principal"; readonly clientId: string; readonly clientSecret: string; readonly tenantId: string }
  | { readonly kind: "azure-managed-identity"; readonly clientId: string | null }
  | { readonly kind: "azure-default"; readonly clientId: string | null }
  | { readonly kind: "azure-token"; readonly token: string };
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
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly queryTimeoutMs: number;
}
const CONNECT_TIMEOUT_MS = 15_000;

/** By lower-cased name, since the JDBC driver takes its properties in any case. */
function driverSettings(s: Settings): (name: string) => string | null {
  const given = new Map(
    s.matching(/^(?:driver|database)\.(.+)$/).map(({ match, value }) => [(match[1] ?? "").toLowerCase(), value.trim()]),
  );
  return (name) => {
    const value = given.get(name.toLowerCase());
    return value === undefined || value === "" ? null : value;
  };
}
const invalid = (name: string, problem: string): ConfigError => new ConfigError(`The '${name}' value is invalid: ${problem}`);

function azureLogin(authentication: string, s: Settings, driver: (name: string) => string | null): Login {
  const user = s.optional("database.user") ?? "",
    password = s.optional("database.password") ?? "";
  const tenantId = driver("tenantId") ?? "";
  const clientId = driver("clientId") ?? driver("AADSecurePrincipalId");
  switch (authentication.toLowerCase()) {
    case "sqlpassword":
    case "notspecified":
      return { kind: "sql", user, password };
    case "activedirectorypassword":
      return { kind: "azure-password", user, password, clientId: clientId ?? "", tenantId };
    case "activedirectoryserviceprincipal":
      return {
        kind: "azure-service-principal",
        clientId: clientId ?? user,
        clientSecret: driver("AADSecurePrincipalSecret") ?? password,
        tenantId,
      };
    case "activedirectorymanagedidentity":
    case "activedirectorymsi":
      return { kind: "azure-managed-identity", clientId: driver("msiClientId") ?? clientId };
    case "activedirectorydefault":
      return { kind: "azure-default", clientId: driver("msiClientId") ?? clientId };
    default:
      throw invalid(
        "driver.authentication",
        `'${authentication}' is not supported by this connector; use SqlPassword, ActiveDirectoryPassword, ActiveDirectoryServicePrincipal, ActiveDirectoryManagedIdentity or ActiveDirectoryDefault`,
      );
  }
}
function loginOf(s: Settings, driver: (name: string) => string | null): Login {
  const token = driver("accessToken");
  if (token !== null) return { kind: "azure-token", token };
  const authentication = driver("authentication");
  if (authentication !== null) return azureLogin(authentication, s, driver);
  const user = s.optional("database.user") ?? "",
    password = s.optional("database.password") ?? "";
  const scheme = (driver("authenticationScheme") ?? "").toLowerCase();
  const integrated = (driver("integratedSecurity") ?? "false").toLowerCase() === "true";
  if (scheme === "ntlm" || (!integrated && driver("domain") !== null)) {
    const [domain, name] = user.includes("\\") ? user.split("\\", 2) : [driver("domain") ?? "", user];
    return { kind: "ntlm", domain: domain ?? "", user: name ?? user, password };
  }
  if (integrated)
    throw invalid(
      "driver.integratedSecurity",
      "Kerberos is not supported by this connector; set driver.authenticationScheme=NTLM with driver.domain, database.user and database.password",
    );
  return { kind: "sql", user, password };
}
const PEM = /-----BEGIN CERTIFICATE-----/;
function trustOf(path: string | null): string | null {
  if (path === null) return null;
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (cause) {
    throw new ConfigError(
      `The 'driver.trustStore' value is invalid: ${path} cannot be read: ${cause instanceof Error ? cause.message : ""}`,
      cause,
    );
  }
  if (!PEM.test(text))
    throw invalid(
      "driver.trustStore",
      `${path} is not PEM. Export its certificates: keytool -exportcert -rfc -alias … -keystore ${path} -file server-ca.pem`,
    );
  return text;
}
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

export function serverOf(s: Settings): SqlServer {
  const driver = driverSettings(s);
  const names = s.list("database.names");
  const loginTimeout = Number(driver("loginTimeout") ?? 0);
  return {
    host: s.string("database.hostname"),
    port: s.int("database.port"),
    portGiven: s.isGiven("database.port"),
    instance: s.optional("database.instance"),
    database: names.length === 1 ? (names[0] ?? null) : null,
    login: loginOf(s, driver),
    encrypt: encryptOf(driver("encrypt")),
    trustServerCertificate: (driver("trustServerCertificate") ?? "false").toLowerCase() === "true",
    certificateName: driver("hostNameInCertificate"),
    trust: trustOf(driver("trustStore")),
    readOnly: (driver("applicationIntent") ?? "").toLowerCase() === "readonly",
    applicationName: driver("applicationName") ?? "Millrace",
    connectTimeoutMs: loginTimeout > 0 ? loginTimeout * 1000 : CONNECT_TIMEOUT_MS,
    queryTimeoutMs: s.int("database.query.timeout.ms"),
  };
}
