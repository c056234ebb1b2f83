/**
 * A database that is made without a character set has that of the session (`character_set_server`), which stands beside the statement in
 * the log and not in its text (https://dev.mysql.com/doc/refman/9.4/en/charset-database.html).
 */
import type { Connection } from "mysql2/promise";
import { databaseCharset, firstRow, quoted } from "./catalog.ts";

const COMMENTS = String.raw`^(?:\s|/\*(?![!M])[\s\S]*?\*/)*`;
const MAKES = new RegExp(`${COMMENTS}CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:DATABASE|SCHEMA)\\s`, "i");
const CHOOSES = /\b(?:CHARACTER\s+SET|CHARSET|COLLATE)\b/i;
const IF_MISSING = /\bIF\s+NOT\s+EXISTS\b/i;

/** Whether a database is made, and nothing is said of its character set. */
export const makesPlainDatabase = (sql: string): boolean => MAKES.test(sql) && !CHOOSES.test(sql);

/**
 * The character set of the session that made a database with this statement; null: not known. `collation`: the number beside the
 * statement. The log has IF NOT EXISTS also when the database was there before: then it is the database of now that is asked.
 */
export async function madeWithCharset(sql: string, name: string, collation: number, connection: Connection): Promise<string | null> {
  if (IF_MISSING.test(sql)) return (await databaseCharset(connection, name).catch(() => null))?.charset || null;
  const within = (table: string): Promise<string | null> =>
    firstRow(connection, `SELECT MIN(CHARACTER_SET_NAME) AS cs FROM information_schema.${table} WHERE ID = ${collation}`).then(
      (row) => row["cs"] ?? null,
    );
  // MariaDB's collations of several sets have no number of their own in the first; older servers have none in the second.
  return (await within("COLLATIONS")) ?? (await within("COLLATION_CHARACTER_SET_APPLICABILITY").catch(() => null));
}
/** Says for the history what the statement's text does not. */
export const alterCharset = (database: string, charset: string): string => `ALTER DATABASE ${quoted(database)} CHARACTER SET ${charset}`;
