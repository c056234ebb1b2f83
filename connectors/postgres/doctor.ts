/**
 * What the connector says of its server besides moving data: checks of settings and rights with the SQL that mends them, how far
 * the slot is behind, what a deleted connector leaves. It reads only, but `remove`.
 */
import type { Client } from "pg";
import type { Check, Diagnosis, Leftover, SourcePosition } from "#connect/api/diagnosis";
import type { TaskConfig } from "#connect/api/connector";
import { listTables, serverVersion } from "./catalog.ts";
import { settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import { DOCTOR_CONNECT_TIMEOUT_MS, failed, passed, warned } from "../cdc/doctor-checks.ts";
import { signalChannels } from "../cdc/signal-channels.ts";
import { messageOf } from "../cdc/source-error.ts";
import { sqlState } from "./failures.ts";
import { lsnText } from "./pgoutput/integers.ts";
import { readOffset } from "./position.ts";
import { previewTables } from "./preview.ts";
import { serverOf } from "./server-settings.ts";
import { dropSlot, quoteIdentifier, quoteLiteral, readSlot } from "./slot.ts";
import { taskSettings, type TaskSettings } from "./task-settings.ts";

export const postgresDoctor: Diagnosis = { check, position, leftovers, remove, preview: previewTables };

const settingsIn = (config: TaskConfig): TaskSettings => taskSettings(config, 0, Date.now(), () => {});
async function withClient<T>(config: TaskConfig, run: (client: Client) => Promise<T>): Promise<T> {
  const server = serverOf(settingsOf(config));
  const client = await connect(
    { ...server, connectTimeoutMs: Math.min(server.connectTimeoutMs, DOCTOR_CONNECT_TIMEOUT_MS), initialStatements: [] },
    { applicationName: "Millrace Doctor" },
  );
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

async function check(config: TaskConfig): Promise<readonly Check[]> {
  try {
    return await withClient(config, (client) => allChecks(client, settingsIn(config)));
  } catch (error) {
    if (sqlState(error) === "" && !(error instanceof Error && "code" in error)) throw error;
    return [failed("connection", messageOf(error), connectionRight(config, error), CONNECTION_KEYS)];
  }
}
const CONNECTION_KEYS = "Check database.hostname, database.port, database.user, database.password, database.dbname and pg_hba.conf.";
/** What a login that the server knows, but does not let in, lacks: invalid_authorization_specification, insufficient_privilege. */
function connectionRight(config: TaskConfig, error: unknown): readonly string[] {
  const { user, database } = serverOf(settingsOf(config));
  const state = sqlState(error);
  if (state === "28000" && /log in/.test(messageOf(error))) return [`ALTER ROLE ${quoteIdentifier(user)} LOGIN`];
  if (state === "42501") return [`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(user)}`];
  return [];
}

async function allChecks(client: Client, s: TaskSettings): Promise<readonly Check[]> {
  return [
    passed("connection", `connected to ${s.server.database} on ${s.server.host}:${s.server.port} as ${s.server.user}`),
    versionCheck(await serverVersion(client)),
    ...(await serverChecks(client)),
    ...(await roleChecks(client, s)),
    await slotCheck(client, s),
    ...(await unreadSlots(client, s)),
    await publicationCheck(client, s),
    ...(await tableChecks(client, s)),
    ...(await signalCheck(client, s)),
  ];
}
const VERSIONS = { oldest: 13, newest: 18 };
export function versionCheck(number: number): Check {
  const major = Math.floor(number / 10_000);
  if (major < VERSIONS.oldest)
    return failed("server version", `the server is PostgreSQL ${major}`, [], `Upgrade to ${VERSIONS.oldest} or later.`);
  if (major > VERSIONS.newest)
    return warned("server version", `the server is PostgreSQL ${major}, which the connector was not tried with`, []);
  return passed("server version", `PostgreSQL ${major}`);
}
interface ServerRow {
  level: string;
  slots: number;
  used: number;
  senders: number;
  sending: number;
  keep: string;
}
async function serverChecks(client: Client): Promise<readonly Check[]> {
  const { rows } = await client.query<ServerRow>(
    `SELECT current_setting('wal_level') AS level, current_setting('max_replication_slots')::int AS slots,
     (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS used, current_setting('max_wal_senders')::int AS senders,
     (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS sending, coalesce(current_setting('max_slot_wal_keep_size', true), '-1') AS keep`,
  );
  const row = rows[0];
  if (row === undefined) return [];
  return [
    row.level === "logical"
      ? passed("wal_level", "wal_level is logical")
      : failed(
          "wal_level",
          `wal_level is ${row.level}, logical is needed`,
          ["ALTER SYSTEM SET wal_level = logical"],
          "Restart the server afterwards.",
        ),
    row.used < row.slots
      ? passed("replication slots", `${row.used} of ${row.slots} replication slots are in use`)
      : failed(
          "replication slots",
          `all ${row.slots} replication slots are in use`,
          [`ALTER SYSTEM SET max_replication_slots = ${row.slots + 5}`],
          "Restart the server afterwards, or drop slots that nobody reads (SELECT slot_name, active FROM pg_replication_slots).",
        ),
    row.sending < row.senders
      ? passed("WAL senders", `${row.sending} of ${row.senders} WAL senders are in use`)
      : failed(
          "WAL senders",
          `all ${row.senders} WAL senders are in use`,
          [`ALTER SYSTEM SET max_wal_senders = ${row.senders + 5}`],
          "Restart the server afterwards.",
        ),
    row.keep === "-1"
      ? warned("WAL kept for slots", "max_slot_wal_keep_size is not set: a slot that nobody reads fills the disk", [
          "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'",
          "SELECT pg_reload_conf()",
        ])
      : passed("WAL kept for slots", `max_slot_wal_keep_size is ${row.keep}`),
  ];
}
interface RoleRow {
  super: boolean;
  replication: boolean;
  may_create: boolean;
}
async function roleChecks(client: Client, s: TaskSettings): Promise<readonly Check[]> {
  const { rows } = await client.query<RoleRow>(
    `SELECT r.rolsuper AS super, r.rolreplication OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles p WHERE p.rolname IN ('rds_replication', 'rds_superuser')
       AND pg_catalog.pg_has_role(r.oid, p.oid, 'member')) AS replication, pg_catalog.has_database_privilege(current_database(), 'CREATE') AS may_create
     FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
  );
  const user = quoteIdentifier(s.server.user);
  const row = rows[0];
  const replicates = row?.super === true || row?.replication === true;
  const creates = s.all.choice("publication.autocreate.mode") !== "disabled";
  const publication = s.all.string("publication.name");
  const { rowCount } = await client.query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1", [publication]);
  const needsCreate = creates && (rowCount ?? 0) === 0;
  // FOR ALL TABLES is for superusers alone.
  const needsSuper = needsCreate && s.all.choice("publication.autocreate.mode") === "all_tables" && row?.super !== true;
  return [
    replicates
      ? passed("replication right", `${s.server.user} may replicate`)
      : failed("replication right", `${s.server.user} lacks the attribute REPLICATION`, [`ALTER ROLE ${user} REPLICATION`]),
    needsSuper
      ? failed(
          "create right",
          `${s.server.user} may not create publication ${publication} for all tables: only a superuser may`,
          [`CREATE PUBLICATION ${quoteIdentifier(publication)} FOR ALL TABLES`],
          "Run it as a superuser, or name the tables in FOR TABLE as their owner; or set publication.autocreate.mode=filtered for a user that owns the tables.",
        )
      : row?.may_create === true || !needsCreate
        ? passed("create right", needsCreate ? `${s.server.user} may create the publication` : "the publication need not be created")
        : failed("create right", `${s.server.user} may not create publication ${publication}: CREATE on the database is missing`, [
            `GRANT CREATE ON DATABASE ${quoteIdentifier(s.server.database)} TO ${user}`,
          ]),
  ];
}
async function slotCheck(client: Client, s: TaskSettings): Promise<Check> {
  const name = s.all.string("slot.name");
  const slot = await readSlot(client, name);
  if (slot === null) return passed("slot", `slot ${name} does not exist yet and will be created`);
  if (slot.plugin !== "pgoutput" || slot.database !== s.server.database) {
    return failed(
      "slot",
      `slot ${name} belongs to plugin ${slot.plugin ?? "none"} and database ${slot.database ?? "none"}`,
      [`SELECT pg_drop_replication_slot(${quoteLiteral(name)})`],
      "Drop it if nobody needs it, or choose another slot.name.",
    );
  }
  if (slot.walStatus === "lost") {
    return failed(
      "slot",
      `slot ${name} has lost WAL that was not read (wal_status=lost)`,
      [`SELECT pg_drop_replication_slot(${quoteLiteral(name)})`],
      "Changes are gone: a new snapshot is needed (delete the connector's offsets).",
    );
  }
  const state = slot.active ? " and in use" : ", nobody reads it";
  return passed(
    "slot",
    `slot ${name} is there${state}; it keeps ${await keptBy(client, name)} of WAL, wal_status ${slot.walStatus ?? "unknown"}`,
  );
}
const KEPT = `pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)`;
async function keptBy(client: Client, slot: string): Promise<string> {
  const { rows } = await client.query<{ kept: string | null }>(
    `SELECT pg_size_pretty(${KEPT}) AS kept FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
    [slot],
  );
  return rows[0]?.kept ?? "none";
}
/** Slots that nobody reads keep WAL all the same. */
const UNREAD_MIN_BYTES = 1024 ** 3;
async function unreadSlots(client: Client, s: TaskSettings): Promise<readonly Check[]> {
  const { rows } = await client.query<{ slot: string; kept: string }>(
    `SELECT slot_name AS slot, pg_size_pretty(${KEPT}) AS kept FROM pg_catalog.pg_replication_slots
     WHERE NOT active AND slot_name <> $1 AND ${KEPT} >= $2 ORDER BY ${KEPT} DESC`,
    [s.all.string("slot.name"), UNREAD_MIN_BYTES],
  );
  if (rows.length === 0) return [];
  const list = rows.map((r) => `${r.slot} (${r.kept})`).join(", ");
  return [
    warned(
      "unread slots",
      `slots that nobody reads keep WAL on the server: ${list}. Drop those that nobody needs`,
      rows.map((r) => `SELECT pg_drop_replication_slot(${quoteLiteral(r.slot)})`),
    ),
  ];
}
async function publicationCheck(client: Client, s: TaskSettings): Promise<Check> {
  const name = s.all.string("publication.name");
  const { rows } = await client.query<{ puballtables: boolean }>("SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = $1", [
    name,
  ]);
  const row = rows[0];
  if (row === undefined) {
    return s.all.choice("publication.autocreate.mode") === "disabled"
      ? failed("publication", `publication ${name} does not exist and publication.autocreate.mode is disabled`, [
          `CREATE PUBLICATION ${quoteIdentifier(name)} FOR ALL TABLES`,
        ])
      : passed("publication", `publication ${name} does not exist yet and will be created`);
  }
  if (row.puballtables || s.all.choice("publication.autocreate.mode") === "filtered")
    return passed("publication", `publication ${name} is there`);
  const { rows: published } = await client.query<{ id: string }>(
    "SELECT schemaname || '.' || tablename AS id FROM pg_catalog.pg_publication_tables WHERE pubname = $1",
    [name],
  );
  const there = new Set(published.map((p) => p.id));
  const missing = (await captured(client, s)).filter((t) => !there.has(`${t.schema}.${t.table}`));
  if (missing.length === 0) return passed("publication", `publication ${name} has all ${there.size} captured tables`);
  const list = missing.map((t) => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`).join(", ");
  return failed("publication", `publication ${name} lacks ${list}`, [`ALTER PUBLICATION ${quoteIdentifier(name)} ADD TABLE ${list}`]);
}
const captured = async (client: Client, s: TaskSettings): Promise<readonly { readonly schema: string; readonly table: string }[]> =>
  (await listTables(client)).filter((t) => s.plans.filters.table(t.schema, t.table));

interface TableRow {
  schema: string;
  table: string;
  usage: boolean;
  readable: boolean;
  identity: string;
  keyed: boolean;
  owner: boolean;
}
async function tableChecks(client: Client, s: TaskSettings): Promise<readonly Check[]> {
  const tables = await captured(client, s);
  if (tables.length === 0) {
    return [
      failed(
        "tables",
        "no table matches the filters",
        [],
        "Check table.include.list, schema.include.list and their exclude lists: they are matched against schema.table.",
      ),
    ];
  }
  const { rows } = await client.query<TableRow>(
    `SELECT n.nspname AS schema, c.relname AS "table", pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usage,
     pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable, c.relreplident AS identity,
     EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS keyed,
     pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owner
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY ($1)`,
    [tables.map((t) => `${t.schema}.${t.table}`)],
  );
  const user = quoteIdentifier(s.server.user);
  const id = (r: TableRow): string => `${quoteIdentifier(r.schema)}.${quoteIdentifier(r.table)}`;
  const closed = [...new Set(rows.filter((r) => !r.usage).map((r) => r.schema))];
  const unreadable = rows.filter((r) => !r.readable);
  const foreign = rows.filter((r) => !r.owner);
  const unidentified = rows.filter((r) => r.identity === "n" || (r.identity === "d" && !r.keyed));
  const filtered = s.all.choice("publication.autocreate.mode") === "filtered";
  return [
    closed.length === 0 && unreadable.length === 0
      ? passed("select right", `${s.server.user} may read all ${rows.length} captured tables`)
      : failed("select right", `${s.server.user} may not read ${unreadable.map(id).join(", ") || closed.join(", ")}`, [
          ...closed.map((schema) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${user}`),
          ...unreadable.map((r) => `GRANT SELECT ON ${id(r)} TO ${user}`),
        ]),
    ...(filtered && foreign.length > 0
      ? [
          failed(
            "table owner",
            `publication.autocreate.mode=filtered needs the tables' owner; ${s.server.user} does not own ${foreign.map(id).join(", ")}`,
            [`CREATE PUBLICATION ${quoteIdentifier(s.all.string("publication.name"))} FOR TABLE ${rows.map(id).join(", ")}`],
            "Run it as the owner, and set publication.autocreate.mode=disabled.",
          ),
        ]
      : []),
    unidentified.length === 0
      ? passed("replica identity", "updates and deletes of all captured tables name their row")
      : warned(
          "replica identity",
          `${unidentified.map(id).join(", ")}: without a primary key the server refuses updates and deletes once the table is published`,
          unidentified.map((r) => `ALTER TABLE ${id(r)} REPLICA IDENTITY FULL`),
        ),
  ];
}

/** What nobody captures moves the slot on without an offset being stored: what is behind counts from the later of both. */
/** Incremental snapshots write their watermarks into the signal table. */
async function signalCheck(client: Client, s: TaskSettings): Promise<readonly Check[]> {
  const name = signalChannels(s.all).includes("source") ? (s.all.optional("signal.data.collection") ?? "") : "";
  if (name === "") return [];
  const dot = name.indexOf(".");
  const quotedName = [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)]
    .filter((part) => part !== "")
    .map(quoteIdentifier)
    .join(".");
  const { rows } = await client.query<Record<"insert" | "delete", boolean>>(
    `SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT') AS insert, pg_catalog.has_table_privilege(c.oid, 'DELETE') AS delete
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname || '.' || c.relname = $1`,
    [name],
  );
  const row = rows[0];
  if (row === undefined)
    return [
      failed("signal table", `there is no table ${name}`, [
        `CREATE TABLE ${quotedName} (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data TEXT NULL)`,
        // With this mode the publication gets it, which only its owner may do.
        s.all.choice("publication.autocreate.mode") === "filtered"
          ? `ALTER TABLE ${quotedName} OWNER TO ${quoteIdentifier(s.server.user)}`
          : `GRANT SELECT, INSERT, DELETE ON ${quotedName} TO ${quoteIdentifier(s.server.user)}`,
      ]),
    ];
  const deletes = s.all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
  const lacking = [...(row.insert ? [] : ["INSERT"]), ...(deletes && !row.delete ? ["DELETE"] : [])].join(", ");
  if (lacking === "" || s.all.bool("read.only")) return [passed("signal table", `signals are read from ${name}`)];
  return [
    failed("signal table", `${s.server.user} lacks ${lacking} on ${name}: incremental snapshots stop`, [
      `GRANT ${lacking} ON ${quotedName} TO ${quoteIdentifier(s.server.user)}`,
    ]),
  ];
}
async function position(config: TaskConfig, offset: Parameters<NonNullable<Diagnosis["position"]>>[1]): Promise<SourcePosition | null> {
  const name = settingsOf(config).string("slot.name");
  const stored = offset === null ? null : readOffset(offset);
  const lsn = stored === null ? null : stored.at.lsn;
  return withClient(config, async (client) => {
    const { rows } = await client.query<{
      head: string;
      behind: string | null;
      confirmed: string | null;
      retained: string | null;
      status: string | null;
      active: boolean | null;
    }>(
      `SELECT pg_current_wal_lsn()::text AS head, pg_wal_lsn_diff(pg_current_wal_lsn(), greatest($2::pg_lsn, s.confirmed_flush_lsn))::text AS behind, s.confirmed_flush_lsn::text AS confirmed,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::text AS retained, s.wal_status AS status, s.active
       FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = $1`,
      [name, lsn === null ? null : lsnText(lsn)],
    );
    const row = rows[0];
    if (row === undefined) return null;
    return {
      position: lsn === null ? null : lsnText(lsn),
      head: row.head,
      reached: row.confirmed,
      behindBytes: row.behind === null ? null : Math.max(0, Number(row.behind)),
      details: {
        slot: name,
        slot_confirmed: row.confirmed,
        slot_active: row.active,
        slot_retained_bytes: row.retained === null ? null : Number(row.retained),
        slot_wal_status: row.status,
      },
    };
  });
}

async function leftovers(config: TaskConfig): Promise<readonly Leftover[]> {
  const settings = settingsOf(config);
  const slot = settings.string("slot.name");
  const publication = settings.string("publication.name");
  return withClient(config, async (client) => {
    const found: Leftover[] = [];
    const info = await readSlot(client, slot);
    if (info !== null) {
      found.push({
        kind: "slot",
        name: slot,
        detail: `replication slot in ${info.database ?? "?"}; it keeps WAL until it is dropped`,
        sql: [`SELECT pg_drop_replication_slot(${quoteLiteral(slot)})`],
        ours: true,
      });
    }
    const { rows } = await client.query<{ others: number }>(
      `SELECT (SELECT count(*)::int FROM pg_catalog.pg_replication_slots s WHERE s.slot_name <> $2 AND s.database = current_database()) AS others
       FROM pg_catalog.pg_publication WHERE pubname = $1`,
      [publication, slot],
    );
    const others = rows[0]?.others;
    if (others !== undefined) {
      const shared = others > 0 || settings.choice("publication.autocreate.mode") === "disabled";
      found.push({
        kind: "publication",
        name: publication,
        detail: shared ? "another slot of this database may read by it" : "no other slot in this database",
        sql: [`DROP PUBLICATION ${quoteIdentifier(publication)}`],
        ours: !shared,
      });
    }
    return found;
  });
}
async function remove(config: TaskConfig, leftover: Leftover): Promise<void> {
  await withClient(config, async (client) => {
    if (leftover.kind === "slot") await dropSlot(client, leftover.name);
    else if (leftover.kind === "publication") await client.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(leftover.name)}`);
    else throw new Error(`unknown kind ${leftover.kind}`);
  });
}
