/** A database's address as the configuration of the connector that would read it, for `doctor URL`. */
import { UsageError } from "../arguments.ts";

/** By scheme: the class, the setting that the path names, and what it needs besides. */
const SCHEMES: Readonly<Record<string, readonly [className: string, database: string, more: Readonly<Record<string, string>>]>> = {
  mssql: ["io.debezium.connector.sqlserver.SqlServerConnector", "database.names", {}],
  postgres: ["io.debezium.connector.postgresql.PostgresConnector", "database.dbname", { "plugin.name": "pgoutput" }],
  postgresql: ["io.debezium.connector.postgresql.PostgresConnector", "database.dbname", { "plugin.name": "pgoutput" }],
  mysql: ["io.debezium.connector.mysql.MySqlConnector", "database.include.list", { "database.server.id": "6400" }],
  mariadb: ["io.debezium.connector.mariadb.MariaDbConnector", "database.include.list", { "database.server.id": "6400" }],
};
export const isDatabaseUrl = (word: string): boolean => Object.hasOwn(SCHEMES, word.slice(0, Math.max(0, word.indexOf("://"))));

/**
 * `scheme://user:password@host:port/database?setting=value`: the query holds further settings of the connector, e.g.
 * `driver.trustServerCertificate=true`. Throws UsageError.
 */
export function configOfUrl(text: string): Readonly<Record<string, string>> {
  const [className, setting, more] = SCHEMES[text.slice(0, text.indexOf("://"))] ?? ["", "", {}];
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError("the address is not of the form scheme://user:password@host:port/database");
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === "" && url.protocol !== "mysql:" && url.protocol !== "mariadb:")
    throw new UsageError(`the address names no database: ${url.protocol}//…@${url.host}/DATABASE`);
  return {
    name: "doctor",
    "connector.class": className,
    "topic.prefix": "doctor",
    "database.hostname": url.hostname,
    ...(url.port !== "" && { "database.port": url.port }),
    ...(url.username !== "" && { "database.user": decodeURIComponent(url.username) }),
    ...(url.password !== "" && { "database.password": decodeURIComponent(url.password) }),
    ...(database !== "" && { [setting]: database }),
    ...more,
    ...Object.fromEntries(url.searchParams),
  };
}
