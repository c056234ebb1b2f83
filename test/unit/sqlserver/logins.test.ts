import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { settingsOf, settingsWithoutEffect } from "#connectors/sqlserver/config";
import { configOf } from "#connectors/sqlserver/connection";
import { serverOf } from "#connectors/sqlserver/server-settings";

const require = createRequire(new URL("../../../connectors/sqlserver/connection.ts", import.meta.url));
const { Connection } = createRequire(require.resolve("mssql"))("tedious") as {
  readonly Connection: new (
    config: unknown,
  ) => { readonly config: { readonly authentication: unknown; readonly options: Readonly<Record<string, unknown>> } };
};
const BASE = { "database.hostname": "h", "database.names": "d", "database.user": "me", "database.password": "pw", "topic.prefix": "p" };
const server = (config: Readonly<Record<string, string>>): ReturnType<typeof serverOf> => serverOf(settingsOf({ ...BASE, ...config }));
const login = (config: Readonly<Record<string, string>>): unknown => server(config).login;
const TENANT = { "driver.tenantId": "t" };

describe("logins by the JDBC driver's properties", () => {
  test("SQL is the default, and TLS with a certificate that is checked", () => {
    expect(server({})).toMatchObject({ login: { kind: "sql", user: "me", password: "pw" }, encrypt: true, trustServerCertificate: false });
    expect(login({ "driver.authentication": "NotSpecified" })).toMatchObject({ kind: "sql" });
    expect(login({ "driver.AUTHENTICATION": "SqlPassword" })).toMatchObject({ kind: "sql" });
  });
  test("NTLM", () => {
    const ntlm = { kind: "ntlm", user: "me", password: "pw", domain: "CORP" };
    const scheme = { "driver.integratedSecurity": "true", "driver.authenticationScheme": "NTLM" };
    expect(login({ ...scheme, "driver.domain": "CORP" })).toEqual(ntlm);
    expect(login({ ...scheme, "database.user": "CORP\\me" })).toEqual(ntlm);
    expect(() => login({ ...scheme, "database.password": "" })).toThrow(/driver.authenticationScheme.*database.password/);
  });
  test("Azure AD", () => {
    expect(login({ "driver.authentication": "ActiveDirectoryPassword" })).toMatchObject({ kind: "azure-password", tenantId: "common" });
    expect(login({ "driver.authentication": "activedirectoryserviceprincipal", ...TENANT })).toEqual({
      kind: "azure-service-principal",
      clientId: "me",
      clientSecret: "pw",
      tenantId: "t",
    });
    expect(() => login({ "driver.authentication": "ActiveDirectoryServicePrincipal" })).toThrow(/driver.tenantId/);
    expect(login({ "driver.authentication": "ActiveDirectoryMSI", "driver.msiClientId": "c" })).toEqual({
      kind: "azure-managed-identity",
      clientId: "c",
    });
    expect(login({ "driver.authentication": "ActiveDirectoryManagedIdentity", "database.user": "" })).toMatchObject({ clientId: null });
    expect(login({ "driver.authentication": "ActiveDirectoryDefault" })).toEqual({ kind: "azure-default", clientId: "me" });
    expect(login({ "driver.accessToken": "abc" })).toEqual({ kind: "azure-token", token: "abc" });
  });
  test.each([
    [{ "driver.integratedSecurity": "true" }, /'driver.integratedSecurity'.*NTLM/],
    [{ "driver.integratedSecurity": "true", "driver.authenticationScheme": "JavaKerberos" }, /Kerberos/],
    [{ "driver.authentication": "ActiveDirectoryInteractive" }, /'ActiveDirectoryInteractive' is not supported/],
    [{ "driver.authentication": "ActiveDirectoryIntegrated" }, /'ActiveDirectoryIntegrated' is not supported/],
    [{ "driver.accessTokenCallbackClass": "a.B" }, /a Java class/],
    [{ "driver.columnEncryptionSetting": "Enabled" }, /Always Encrypted/],
    [{ "driver.packetSize": "1" }, /between 512 and 32767/],
  ] as const)("%o is refused by name", (config, problem) => expect(() => server(config)).toThrow(problem));
  test("tedious takes each of them", () => {
    const types = [
      {},
      { "driver.authenticationScheme": "NTLM", "driver.domain": "CORP" },
      { "driver.authentication": "ActiveDirectoryPassword" },
      { "driver.authentication": "ActiveDirectoryServicePrincipal", ...TENANT },
      { "driver.authentication": "ActiveDirectoryManagedIdentity" },
      { "driver.authentication": "ActiveDirectoryDefault" },
      { "driver.accessToken": "abc" },
    ].map((config) => {
      const { user, password, domain, server: host, ...given } = configOf(server(config));
      const own =
        domain === undefined
          ? { type: "default", options: { userName: user, password } }
          : { type: "ntlm", options: { userName: user, password, domain } };
      const { authentication, options } = new Connection({ server: host, authentication: own, ...given }).config;
      expect(options).toMatchObject({ encrypt: true, trustServerCertificate: false });
      return (authentication as { readonly type: string }).type;
    });
    expect(types).toEqual([
      "default",
      "ntlm",
      "azure-active-directory-password",
      "azure-active-directory-service-principal-secret",
      "azure-active-directory-msi-vm",
      "azure-active-directory-default",
      "azure-active-directory-access-token",
    ]);
  });
  test("what nothing reads is said", () => {
    const said = settingsWithoutEffect(settingsOf({ ...BASE, "driver.responseBuffering": "full", "driver.encrypt": "false" }));
    expect(said.filter((line) => line.includes("driver."))).toEqual([expect.stringContaining("'driver.responseBuffering' has no effect")]);
  });
});
