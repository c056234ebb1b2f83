/**
 * The real SQL Server in a container, where Docker is there: the image is Microsoft's (`MSSQL_IMAGE` names another one), Developer edition,
 * with the agent running. Starting it means accepting its licence.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { type SqlServerOrReason, sqlServerAt } from "./sqlserver.ts";

interface StartedContainer {
  getHost(): string;
  getPort(): number;
  getUsername(): string;
  getPassword(): string;
  stop(): Promise<unknown>;
}
interface Container {
  acceptLicense(): Container;
  withPassword(password: string): Container;
  withEnvironment(environment: Readonly<Record<string, string>>): Container;
  withStartupTimeout(ms: number): Container;
  start(): Promise<StartedContainer>;
}
const IMAGE = "mcr.microsoft.com/mssql/server:2022-latest";
const START_MS = 240_000;
const DOCKER_MS = 10_000;

export async function startSqlServerContainer(): Promise<SqlServerOrReason> {
  const docker = spawnSync("docker", ["info"], { timeout: DOCKER_MS, stdio: "ignore" });
  if (docker.status !== 0) return { reason: "no Docker on this machine (docker info fails): the real SQL Server has not been run against" };
  const require = createRequire(import.meta.url);
  const { MSSQLServerContainer }: { readonly MSSQLServerContainer: new (image: string) => Container } =
    require("@testcontainers/mssqlserver");
  const container = await new MSSQLServerContainer(process.env["MSSQL_IMAGE"] ?? IMAGE)
    .acceptLicense()
    .withPassword("Millrace!Tests1")
    .withEnvironment({ MSSQL_AGENT_ENABLED: "true", MSSQL_PID: "Developer" })
    .withStartupTimeout(START_MS)
    .start();
  const login = { user: container.getUsername(), password: container.getPassword() };
  return sqlServerAt({ host: container.getHost(), port: container.getPort(), ...login }, false, {
    restart: () => Promise.reject(new Error("a container gets another port when it is started again")),
    async end() {
      await container.stop();
    },
  });
}
