/** How to log in, from settings that are named as the JDBC driver's properties (`driver.authentication` and its like). */
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

/** A property by its name in any case; null: not given. */
export type DriverSettings = (name: string) => string | null;
export const invalid = (name: string, problem: string): ConfigError => new ConfigError(`The '${name}' value is invalid: ${problem}`);

/** The application as which the JDBC driver logs users in. */
const JDBC_CLIENT_ID = "7f98cb04-cd1e-40df-9140-3bf7e2cea4db";
/** Whichever the user's name belongs to. */
const ANY_TENANT = "common";
const AZURE_LOGINS =
  "SqlPassword, ActiveDirectoryPassword, ActiveDirectoryServicePrincipal, ActiveDirectoryManagedIdentity or ActiveDirectoryDefault";

function servicePrincipal(user: string, password: string, clientId: string | null, driver: DriverSettings): Login {
  const tenantId = driver("tenantId");
  // The JDBC driver asks the server for it.
  if (tenantId === null)
    throw invalid(
      "driver.authentication",
      "ActiveDirectoryServicePrincipal needs the tenant here: set driver.tenantId to the id of your directory",
    );
  const id = clientId ?? user;
  if (id === "") throw invalid("driver.authentication", "ActiveDirectoryServicePrincipal needs the application's id as database.user");
  return { kind: "azure-service-principal", clientId: id, clientSecret: driver("AADSecurePrincipalSecret") ?? password, tenantId };
}
function azureLogin(authentication: string, user: string, password: string, driver: DriverSettings): Login {
  const clientId = driver("clientId") ?? driver("AADSecurePrincipalId");
  // Newer versions of the driver take the identity's id as the user, older ones as msiClientId.
  const identity = driver("msiClientId") ?? clientId ?? (user === "" ? null : user);
  switch (authentication.toLowerCase()) {
    case "sqlpassword":
      return { kind: "sql", user, password };
    case "activedirectorypassword":
      return { kind: "azure-password", user, password, clientId: clientId ?? JDBC_CLIENT_ID, tenantId: driver("tenantId") ?? ANY_TENANT };
    case "activedirectoryserviceprincipal":
      return servicePrincipal(user, password, clientId, driver);
    case "activedirectorymanagedidentity":
    case "activedirectorymsi":
      return { kind: "azure-managed-identity", clientId: identity };
    case "activedirectorydefault":
      return { kind: "azure-default", clientId: identity };
    default:
      throw invalid("driver.authentication", `'${authentication}' is not supported by this connector; use ${AZURE_LOGINS}`);
  }
}
function ntlm(user: string, password: string, driver: DriverSettings): Login {
  const [domain, name] = user.includes("\\") ? user.split("\\", 2) : [driver("domain") ?? "", user];
  if (name === undefined || name === "" || password === "")
    throw invalid("driver.authenticationScheme", "NTLM needs database.user and database.password: the account of this process is not used");
  return { kind: "ntlm", domain: domain ?? "", user: name, password };
}
/** Throws ConfigError, naming the setting, for what is not supported. */
export function loginOf(s: Settings, driver: DriverSettings): Login {
  const token = driver("accessToken");
  if (token !== null) return { kind: "azure-token", token };
  const user = s.optional("database.user") ?? "",
    password = s.optional("database.password") ?? "";
  const authentication = driver("authentication");
  if (authentication !== null && authentication.toLowerCase() !== "notspecified") return azureLogin(authentication, user, password, driver);
  const scheme = (driver("authenticationScheme") ?? "").toLowerCase();
  const integrated = (driver("integratedSecurity") ?? "false").toLowerCase() === "true";
  if (scheme === "ntlm" || (!integrated && driver("domain") !== null)) return ntlm(user, password, driver);
  if (integrated)
    throw invalid(
      "driver.integratedSecurity",
      "Kerberos and the process's own Windows account are not supported by this connector; set driver.authenticationScheme=NTLM with driver.domain, database.user and database.password",
    );
  return { kind: "sql", user, password };
}
