/**
 * The SQL Server connector on a server: the simulator (or MSSQL_URL's server, which takes the place of both), and the real SQL Server in a
 * container where Docker is there.
 */
import { freePorts } from "../peers/ports.ts";
import { givenSqlServer, startSqlServer } from "../peers/sqlserver.ts";
import { startSqlServerContainer } from "../peers/sqlserver-container.ts";
import { sqlServerSuite } from "./sqlserver-suite.ts";

const given = givenSqlServer();
if (given !== null) sqlServerSuite("the server of MSSQL_URL", () => Promise.resolve(given));
else {
  sqlServerSuite("the simulator", async () => startSqlServer({ port: (await freePorts(1))[0] ?? 0 }));
  sqlServerSuite("SQL Server in a container", startSqlServerContainer);
}
