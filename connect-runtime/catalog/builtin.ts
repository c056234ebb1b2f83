/**
 * The plugins that come with Millrace: the only file that names `connectors/` and `plugins/`. Connectors are listed here with what
 * answers need at once, and loaded when one is used; so are the small plugins, which are loaded together only where all of them are asked for.
 */
import type { ConnectorPlugin } from "../api/connector.ts";
import type { ConfigProviderPlugin, ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, TransformPlugin } from "../api/plugin.ts";

export interface ConnectorEntry {
  readonly kind: "source" | "sink";
  readonly name: string;
  readonly classes: readonly string[];
  readonly version: string;
  load(): Promise<ConnectorPlugin>;
}
export const connectorEntries: readonly ConnectorEntry[] = [
  {
    kind: "sink",
    name: "jdbc-sink",
    classes: ["io.debezium.connector.jdbc.JdbcSinkConnector"],
    version: "3.4.0.Final",
    load: async () => (await import("#connectors/jdbc-sink/index")).jdbcSink,
  },
  {
    kind: "sink",
    name: "FileStreamSink",
    classes: ["org.apache.kafka.connect.file.FileStreamSinkConnector"],
    version: "4.1.0",
    load: async () => (await import("#connectors/file/sink")).fileStreamSink,
  },
  {
    kind: "source",
    name: "postgres",
    classes: ["io.debezium.connector.postgresql.PostgresConnector"],
    version: "3.4.0.Final",
    load: async () => (await import("#connectors/postgres/index")).postgresSource,
  },
  {
    kind: "source",
    name: "mysql",
    classes: ["io.debezium.connector.mysql.MySqlConnector"],
    version: "3.4.0.Final",
    load: async () => (await import("#connectors/mysql/index")).mysqlSource,
  },
  {
    kind: "source",
    name: "mariadb",
    classes: ["io.debezium.connector.mariadb.MariaDbConnector"],
    version: "3.4.0.Final",
    load: async () => (await import("#connectors/mysql/index")).mariadbSource,
  },
  {
    kind: "source",
    name: "sqlserver",
    classes: ["io.debezium.connector.sqlserver.SqlServerConnector"],
    version: "3.4.0.Final",
    load: async () => (await import("#connectors/sqlserver/index")).sqlserverSource,
  },
  {
    kind: "source",
    name: "FileStreamSource",
    classes: ["org.apache.kafka.connect.file.FileStreamSourceConnector"],
    version: "4.1.0",
    load: async () => (await import("#connectors/file/source")).fileStreamSource,
  },
];
export interface SmallPlugins {
  readonly transforms: readonly TransformPlugin[];
  readonly predicates: readonly PredicatePlugin[];
  readonly converters: readonly ConverterPlugin[];
  readonly headerConverters: readonly HeaderConverterPlugin[];
  readonly configProviders: readonly ConfigProviderPlugin[];
}
/** All of them, for lists and validation. */
export const loadSmallPlugins = (): Promise<SmallPlugins> => import("#plugins/index");
/** One by one, for tasks. */
export {
  configProviders as configProviderEntries,
  converters as converterEntries,
  headerConverters as headerConverterEntries,
  type PluginEntry,
  predicates as predicateEntries,
  transforms as transformEntries,
} from "#plugins/entries";
