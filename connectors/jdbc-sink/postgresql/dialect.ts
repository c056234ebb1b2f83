/** PostgreSQL as a target. */
import type { EventEmitter } from "node:events";
import { Client, DatabaseError } from "pg";
import type { JdbcSinkSettings } from "../config.ts";
import { columnList, type Dialect, quoteTable, type Session, type Statement, type TableColumn } from "../dialect.ts";
import type { TableId } from "../naming.ts";
import { columnType } from "./column-types.ts";
import { deleteStatement, quoteName, writeStatement } from "./statements.ts";
import { toText } from "../value-text.ts";

/** SQLSTATE classes that pass by themselves: connection, resources, operator intervention, rollback (deadlock, serialization). */
const PASSING = /^(08|40|53|57|58|55P03|25006)/;
/** SQLSTATE classes of data and integrity: the record is at fault. */
const DATA = /^(22|23|42804)/;
const PREPARED_MAX = 500;
/**
 * The type without its length: an explicit cast to varchar(3) would cut the text silently, the assignment to the column refuses
 * it. With -1 (not null) a bare `character` is bpchar, not character(1).
 */
const COLUMNS = `select a.attname as name, format_type(a.atttypid, -1) as type, a.attgenerated <> '' as computed, a.attidentity = 'a' as identity
  from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`;

function clientOptions({ target }: JdbcSinkSettings, applicationName: string): ConstructorParameters<typeof Client>[0] {
  const verify = target.tls === "verify";
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    ...(target.user === null ? {} : { user: target.user }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(target.tls === "off" ? {} : { ssl: { rejectUnauthorized: verify } }),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: applicationName,
  };
}
function session(client: Client): Session {
  /** Names of prepared statements by their text; they die with the connection. */
  const prepared = new Map<string, string>();
  const plain = async (text: string): Promise<void> => {
    await client.query(text);
  };
  return {
    begin: () => plain("begin"),
    commit: () => plain("commit"),
    rollback: () => plain("rollback"),
    async run({ text, values }: Statement) {
      if (values.length === 0) return plain(text);
      let name = prepared.get(text);
      if (name === undefined && prepared.size < PREPARED_MAX) prepared.set(text, (name = `m${prepared.size}`));
      await client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) });
    },
    async columns(id: TableId) {
      const { rows } = await client.query<Record<string, unknown>>(COLUMNS, [quoteTable(postgresql, id)]);
      return rows.map(
        (r): TableColumn => ({
          name: String(r["name"]),
          type: String(r["type"]),
          computed: r["computed"] === true,
          identity: r["identity"] === true,
        }),
      );
    },
    end: () => client.end(),
  };
}

const socketOf = (client: Client): EventEmitter => (client as Client & { connection: { stream: EventEmitter } }).connection.stream;

export const postgresql: Dialect = {
  name: "PostgreSQL",
  portDefault: 5432,
  ddlCommits: false,
  async connect(settings, applicationName, lost) {
    const client = new Client(clientOptions(settings, applicationName));
    // Without a listener an idle connection that breaks would end the thread.
    client.on("error", lost);
    // What pg cannot even begin (a port that is none) leaves its timer running, which destroys a socket that nobody listens to yet.
    socketOf(client).on("error", () => {});
    try {
      await client.connect();
      await client.query(`set time zone '${settings.timeZone.replaceAll("'", "''")}'`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    return session(client);
  },
  verdict(error) {
    if (!(error instanceof DatabaseError)) return "passing";
    const code = error.code ?? "";
    return PASSING.test(code) ? "passing" : DATA.test(code) ? "data" : "refused";
  },
  // We fold ourselves and always quote.
  fold: (name) => name.toLowerCase(),
  columnKey: (name) => name,
  quoteName,
  toText,
  createTable: (id, shape) =>
    `create table if not exists ${quoteTable(postgresql, id)} (${columnList(postgresql, shape, (c) => columnType(c.schema))})`,
  addColumns: (id, columns) =>
    `alter table ${quoteTable(postgresql, id)} ${columns.map((c) => `add column if not exists ${quoteName(c.name)} ${columnType(c.schema)}`).join(", ")}`,
  truncate: (id) => `truncate table ${quoteTable(postgresql, id)}`,
  write: (mode, table, shape, rows) => [writeStatement(mode, table, shape, rows)],
  delete: (table, shape, rows) => [deleteStatement(table, shape, rows)],
};
