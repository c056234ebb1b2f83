/** QUERY_EVENT and its status variables (Query_event_status_vars); MariaDB's have numbers from 127 on. */
import { ByteCursor } from "./bytes.ts";
import type { EventHeader, QueryEvent, QueryStatus } from "./types.ts";

interface Draft {
  flags2: number | null;
  sqlMode: bigint | null;
  characterSetClient: number | null;
  collationConnection: number | null;
  collationServer: number | null;
  collationDatabase: number | null;
  timeZone: string | null;
  explicitDefaultsForTimestamp: boolean | null;
  microseconds: number | null;
  defaultCollationUtf8mb4: number | null;
  ddlXid: bigint | null;
  sqlRequirePrimaryKey: boolean | null;
}
const empty = (): Draft => ({
  flags2: null,
  sqlMode: null,
  characterSetClient: null,
  collationConnection: null,
  collationServer: null,
  collationDatabase: null,
  timeZone: null,
  explicitDefaultsForTimestamp: null,
  microseconds: null,
  defaultCollationUtf8mb4: null,
  ddlXid: null,
  sqlRequirePrimaryKey: null,
});

/** Above this the event does not name the databases it touches. */
const OVER_MAX_DATABASES = 254;

/** Bytes of those that nobody asks for: auto_increment, lc_time_names, multi-table updates, original size, encryption. */
const SKIPPED: Readonly<Record<number, number>> = { 3: 4, 7: 2, 9: 8, 10: 4, 20: 1 };

/** Reads one variable; false: unknown, and with it all that follow, as their sizes are not told. */
function variable(code: number, c: ByteCursor, s: Draft): boolean {
  switch (code) {
    case 0:
      s.flags2 = c.u32();
      return true;
    case 1:
      s.sqlMode = c.u64();
      return true;
    case 2: // catalog with a zero byte after it
      c.skip(c.u8());
      c.skip(1);
      return true;
    case 4:
      s.characterSetClient = c.u16();
      s.collationConnection = c.u16();
      s.collationServer = c.u16();
      return true;
    case 5:
      s.timeZone = c.text(c.u8());
      return true;
    case 6: // catalog
      c.skip(c.u8());
      return true;
    case 8:
      s.collationDatabase = c.u16();
      return true;
    case 11: // invoker: user, host
      c.skip(c.u8());
      c.skip(c.u8());
      return true;
    case 12: {
      const count = c.u8();
      if (count !== OVER_MAX_DATABASES) for (let i = 0; i < count; i++) c.zeroText();
      return true;
    }
    case 13:
      s.microseconds = c.u24();
      return true;
    case 16:
      s.explicitDefaultsForTimestamp = c.u8() !== 0;
      return true;
    case 17:
      s.ddlXid = c.u64();
      return true;
    case 18:
      s.defaultCollationUtf8mb4 = c.u16();
      return true;
    case 19:
      s.sqlRequirePrimaryKey = c.u8() !== 0;
      return true;
    case 128: // MariaDB's microseconds
      s.microseconds = c.u24();
      return true;
    case 129: // MariaDB's XID of DDL
      s.ddlXid = c.u64();
      return true;
    default: {
      const size = SKIPPED[code];
      if (size !== undefined) c.skip(size);
      return size !== undefined;
    }
  }
}

/** `inflate`: unpacks the statement (MariaDB's QUERY_COMPRESSED_EVENT). */
export function readQuery(
  header: EventHeader,
  c: ByteCursor,
  inflate: ((b: Buffer, start: number, end: number) => Buffer) | null,
): QueryEvent {
  const threadId = c.u32();
  const executionSeconds = c.u32();
  const databaseBytes = c.u8();
  const errorCode = c.u16();
  const statusBytes = c.u16();
  const from = c.skip(statusBytes);
  const v = new ByteCursor(c.b, from, c.p, "A query event's status");
  const status: Draft = empty();
  while (v.left > 0 && variable(v.u8(), v, status));
  const database = c.text(databaseBytes);
  c.skip(1);
  const sqlBytes = inflate === null ? c.bytes(c.left) : inflate(c.b, c.p, c.end);
  const done: QueryStatus = status;
  return {
    kind: "query",
    header,
    threadId,
    executionSeconds,
    errorCode,
    database,
    sql: sqlBytes.toString("utf8"),
    sqlBytes,
    status: done,
  };
}
