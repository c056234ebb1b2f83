/**
 * DDL in the stream (`millrace.ddl.events`): event triggers write each change of a table's definition into the log as a logical message,
 * inside its transaction and so in its place among the rows. https://www.postgresql.org/docs/current/event-triggers.html
 */
import type { Client } from "pg";
import { messageOf, SourceError } from "../cdc/source-error.ts";
import { sqlState } from "./failures.ts";

export const DDL_PREFIX = "millrace.ddl";
const SCHEMA = "millrace";

/**
 * What a superuser runs once for each database. Definitions are read at the end of the command, so they are those that rows behind it have.
 * No EXCEPTION block: it would be a subtransaction, whose message the server sends behind the rows that follow it.
 */
export const DDL_SETUP = `CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
GRANT USAGE ON SCHEMA ${SCHEMA} TO PUBLIC;
CREATE OR REPLACE FUNCTION ${SCHEMA}.ddl_changed() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $millrace$
DECLARE r record; definition json;
BEGIN
  FOR r IN SELECT DISTINCT ON (d.objid) d.objid, d.command_tag, n.nspname, c.relname FROM pg_event_trigger_ddl_commands() d
    JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  LOOP
    SELECT json_build_object('type', CASE WHEN r.command_tag LIKE 'CREATE%' OR r.command_tag = 'SELECT INTO' THEN 'CREATE' ELSE 'ALTER' END,
      'schema', r.nspname, 'table', r.relname, 'ddl', current_query(), 'comment', obj_description(r.objid, 'pg_class'),
      'key', (SELECT json_agg(a.attname ORDER BY k.ord) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(num, ord), pg_attribute a
        WHERE i.indrelid = r.objid AND i.indisprimary AND a.attrelid = r.objid AND a.attnum = k.num AND k.ord <= i.indnkeyatts),
      'columns', (SELECT json_agg(json_build_object('name', a.attname, 'type', t.typname, 'oid', t.oid::int8, 'kind', t.typtype,
          'expression', format_type(a.atttypid, a.atttypmod), 'typmod', a.atttypmod, 'notNull', a.attnotnull, 'generated', a.attgenerated <> '',
          'serial', a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false),
          'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END, 'comment', col_description(r.objid, a.attnum))
          ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = r.objid AND a.attnum > 0 AND NOT a.attisdropped)) INTO definition;
    PERFORM pg_logical_emit_message(true, '${DDL_PREFIX}', definition::text);
  END LOOP;
END $millrace$;
CREATE OR REPLACE FUNCTION ${SCHEMA}.ddl_dropped() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $millrace$
DECLARE r record;
BEGIN
  FOR r IN SELECT schema_name, object_name FROM pg_event_trigger_dropped_objects() WHERE object_type = 'table' AND NOT is_temporary
  LOOP
    PERFORM pg_logical_emit_message(true, '${DDL_PREFIX}',
      json_build_object('type', 'DROP', 'schema', r.schema_name, 'table', r.object_name, 'ddl', current_query())::text);
  END LOOP;
END $millrace$;
DROP EVENT TRIGGER IF EXISTS millrace_ddl_changed;
CREATE EVENT TRIGGER millrace_ddl_changed ON ddl_command_end EXECUTE FUNCTION ${SCHEMA}.ddl_changed();
DROP EVENT TRIGGER IF EXISTS millrace_ddl_dropped;
CREATE EVENT TRIGGER millrace_ddl_dropped ON sql_drop EXECUTE FUNCTION ${SCHEMA}.ddl_dropped();`;

/** Makes the triggers where they are not there yet. Throws SourceError with the statements when the user may not, or the server is too old. */
export async function prepareDdlEvents(client: Pick<Client, "query">, version: number): Promise<void> {
  if (version < 140_000)
    throw new SourceError("millrace.ddl.events needs PostgreSQL 14: older servers do not send logical messages with pgoutput.");
  const { rowCount } = await client.query(
    "SELECT 1 FROM pg_catalog.pg_event_trigger WHERE evtname IN ('millrace_ddl_changed', 'millrace_ddl_dropped')",
  );
  if (rowCount === 2) return;
  try {
    await client.query(DDL_SETUP);
  } catch (error) {
    // insufficient_privilege: event triggers are a superuser's (managed servers: of their own administrator's role).
    if (sqlState(error) !== "42501") throw error;
    throw new SourceError(
      `millrace.ddl.events needs event triggers, which this user may not create (${messageOf(error)}). Run once as a superuser in this database:\n${DDL_SETUP}`,
      { cause: error, code: "42501" },
    );
  }
}
