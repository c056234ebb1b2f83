/**
 * What the decoder of MySQL's and MariaDB's binary log hands on: one object per event, rows as ranges of the event's bytes.
 * Layouts: "Binlog Event" pages of MySQL's source documentation and MariaDB's knowledge base on replication protocol.
 */
import type { ColumnTypeCode } from "./column-types.ts";
import type { MariadbGtid } from "./gtid-mariadb.ts";

export interface EventHeader {
  /** Type code as on the wire. */
  readonly type: number;
  /** Seconds since 1970; 0 in artificial events. */
  readonly timestampSeconds: number;
  readonly serverId: number;
  /** Bytes with header and checksum. */
  readonly length: number;
  /**
   * Position after this event, modulo 2^32: logs above 4 GB need the caller to add up. 0 in artificial events, and in
   * events inside a compressed transaction.
   */
  readonly nextPosition: number;
  readonly flags: number;
}
export const FLAG_BINLOG_IN_USE = 0x1;
/** Made by the server for this replica, not in the log (the rotate and the format description at the start of a stream). */
export const FLAG_ARTIFICIAL = 0x20;
export const FLAG_IGNORABLE = 0x80;

export interface FormatDescription {
  readonly kind: "formatDescription";
  readonly header: EventHeader;
  readonly binlogVersion: number;
  readonly serverVersion: string;
  readonly mariadb: boolean;
  /** Whether events (from this one on) end in a CRC-32. */
  readonly checksum: boolean;
}
export interface RotateEvent {
  readonly kind: "rotate";
  readonly header: EventHeader;
  readonly file: string;
  readonly position: number;
  /** True: only says where the stream stands. */
  readonly artificial: boolean;
}
/** MySQL's GTID_LOG_EVENT, ANONYMOUS_GTID_LOG_EVENT and GTID_TAGGED_LOG_EVENT: a transaction begins. */
export interface MysqlGtidEvent {
  readonly kind: "mysqlGtid";
  readonly header: EventHeader;
  /** Null: the transaction is anonymous (GTIDs are off). */
  readonly gtid: { readonly uuid: string; readonly tag: string; readonly number: bigint; readonly text: string } | null;
  /** Microseconds since 1970 at which it was committed on its first server; 0 when unknown (before 8.0). */
  readonly originalCommitMicros: number;
  readonly immediateCommitMicros: number;
  readonly lastCommitted: bigint;
  readonly sequenceNumber: bigint;
  /** Bytes of the transaction with this event; 0 when unknown. */
  readonly transactionLength: number;
  /** E.g. 80035; 0 when unknown. */
  readonly immediateServerVersion: number;
}
/** MariaDB's GTID_EVENT: it also stands for BEGIN unless `standalone` (DDL). */
export interface MariadbGtidEvent {
  readonly kind: "mariadbGtid";
  readonly header: EventHeader;
  readonly gtid: MariadbGtid;
  readonly text: string;
  /** No BEGIN and no commit: the next query is the whole group. */
  readonly standalone: boolean;
  readonly transactional: boolean;
  readonly ddl: boolean;
}
/** Text of all GTIDs in the logs before this one (MySQL). */
export interface PreviousGtidsEvent {
  readonly kind: "previousGtids";
  readonly header: EventHeader;
  readonly gtids: string;
}
/** The last GTID of each domain before this log (MariaDB). */
export interface MariadbGtidListEvent {
  readonly kind: "mariadbGtidList";
  readonly header: EventHeader;
  readonly gtids: readonly MariadbGtid[];
}
export interface QueryEvent {
  readonly kind: "query";
  readonly header: EventHeader;
  readonly threadId: number;
  readonly executionSeconds: number;
  readonly errorCode: number;
  /** Default database; "" for none. */
  readonly database: string;
  readonly sql: string;
  /** The statement as it stands in the log, in `characterSetClient`. */
  readonly sqlBytes: Uint8Array;
  readonly status: QueryStatus;
}
/** Status variables of a query event; null: the event does not carry it. */
export interface QueryStatus {
  readonly flags2: number | null;
  readonly sqlMode: bigint | null;
  /** Collation ids. */
  readonly characterSetClient: number | null;
  readonly collationConnection: number | null;
  readonly collationServer: number | null;
  readonly collationDatabase: number | null;
  readonly timeZone: string | null;
  readonly explicitDefaultsForTimestamp: boolean | null;
  readonly microseconds: number | null;
  readonly defaultCollationUtf8mb4: number | null;
  /** The statement's transaction id (DDL), for XA and atomic DDL. */
  readonly ddlXid: bigint | null;
  readonly sqlRequirePrimaryKey: boolean | null;
}
export interface XidEvent {
  readonly kind: "xid";
  readonly header: EventHeader;
  readonly xid: bigint;
}
/** XA PREPARE; `onePhase` commits at once. */
export interface XaPrepareEvent {
  readonly kind: "xaPrepare";
  readonly header: EventHeader;
  readonly onePhase: boolean;
  readonly formatId: number;
  readonly gtrid: Uint8Array;
  readonly bqual: Uint8Array;
}
/** The statement that made the rows that follow (ROWS_QUERY_LOG_EVENT, MariaDB's ANNOTATE_ROWS_EVENT). */
export interface RowsQueryEvent {
  readonly kind: "rowsQuery";
  readonly header: EventHeader;
  readonly sql: string;
}
export interface TableColumn {
  /** The real type: ENUM and SET are told from STRING. */
  readonly type: ColumnTypeCode;
  /**
   * DECIMAL: precision; CHAR, VARCHAR, BINARY: most bytes; BIT: bits; FLOAT, DOUBLE, BLOB, JSON, GEOMETRY, VECTOR, ENUM, SET:
   * bytes of the value or of its length; TIME2, DATETIME2, TIMESTAMP2: digits of fractional seconds; else 0.
   */
  readonly length: number;
  /** DECIMAL only. */
  readonly scale: number;
  readonly nullable: boolean;
  /** From here on null where the server does not tell (binlog_row_metadata, and before MySQL 8.0.1 / MariaDB 10.5). */
  readonly unsigned: boolean | null;
  /** Collation id; 63 is binary. */
  readonly collation: number | null;
  readonly name: string | null;
  /** Members of ENUM and SET, in the column's character set. */
  readonly members: readonly Uint8Array[] | null;
  readonly geometryType: number | null;
  readonly dimension: number | null;
  readonly visible: boolean | null;
}
/** As long as the server describes a table (id and all) with the same bytes, it is the same object: plans can hang on it. */
export interface TableMap {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly TableColumn[];
  /** `prefix`: characters of the key part, 0 for the whole column. */
  readonly primaryKey: readonly { readonly column: number; readonly prefix: number }[] | null;
}
export interface TableMapEvent {
  readonly kind: "tableMap";
  readonly header: EventHeader;
  readonly table: TableMap;
}
/** Rows of one table. `RowCursor` (rows.ts) walks them. */
export interface RowsEvent {
  readonly kind: "rows";
  readonly header: EventHeader;
  readonly change: "write" | "update" | "delete";
  readonly table: TableMap;
  /** This is the statement's last event: table ids are free for other tables. */
  readonly endOfStatement: boolean;
  /** Valid as long as the bytes given to the decoder are (an own buffer where the server had compressed the rows). */
  readonly bytes: Buffer;
  /** Of the rows. */
  readonly start: number;
  readonly end: number;
  /** Which columns each image has: a bit per column, first column lowest. null: all of them. */
  readonly beforeColumns: Uint8Array | null;
  readonly afterColumns: Uint8Array | null;
  /** JSON cells of the after image may be diffs (PARTIAL_UPDATE_ROWS_EVENT). */
  readonly partialJson: boolean;
}
/** binlog_transaction_compression: a whole transaction. */
export interface TransactionPayloadEvent {
  readonly kind: "transactionPayload";
  readonly header: EventHeader;
  readonly compression: "zstd" | "none";
  readonly payload: Buffer;
  /** Bytes when unpacked, as the server says. */
  readonly uncompressedBytes: number;
  /** Unpacks it: its events, once. They carry no checksums. Throws BinlogError. */
  readonly events: () => Generator<BinlogEvent, void, undefined>;
}
/** The server is alive; `file` and `position`: where the stream stands. */
export interface HeartbeatEvent {
  readonly kind: "heartbeat";
  readonly header: EventHeader;
  readonly file: string;
  readonly position: number;
}
/** The server lost events: the log has a hole here. */
export interface IncidentEvent {
  readonly kind: "incident";
  readonly header: EventHeader;
  readonly incident: number;
  readonly message: string;
}
/** The server was shut down in order (the log goes on in the next file). */
export interface StopEvent {
  readonly kind: "stop";
  readonly header: EventHeader;
}
/** Nothing that concerns rows: binlog checkpoints, user variables, … and what has FLAG_IGNORABLE. */
export interface OtherEvent {
  readonly kind: "other";
  readonly header: EventHeader;
}
export type BinlogEvent =
  | FormatDescription
  | RotateEvent
  | MysqlGtidEvent
  | MariadbGtidEvent
  | PreviousGtidsEvent
  | MariadbGtidListEvent
  | QueryEvent
  | XidEvent
  | XaPrepareEvent
  | RowsQueryEvent
  | TableMapEvent
  | RowsEvent
  | TransactionPayloadEvent
  | HeartbeatEvent
  | IncidentEvent
  | StopEvent
  | OtherEvent;

/** In `starts` of a row's image. */
export const CELL_NULL = -1;
/** The image does not have this column (binlog_row_image minimal or noblob). */
export const CELL_ABSENT = -2;
/** In `forms` of an image: a whole value, or a diff against the before image's JSON (`applyJsonDiffs`). */
export const FORM_WHOLE = 0;
export const FORM_JSON_DIFF = 1;

/**
 * The cells of one image as ranges of the event's bytes: `starts[i]` (or CELL_NULL, CELL_ABSENT) to `ends[i]`. Length prefixes
 * are not part of the range. One object is reused for all rows. Cells hold (little-endian unless said):
 * TINY 1, SHORT 2, INT24 3, LONG 4, LONGLONG 8 bytes; FLOAT 4, DOUBLE 8 (IEEE); YEAR 1 (years since 1900; 0 is 0000);
 * NEWDECIMAL (cells-decimal.ts); DATE 3, TIME 3, TIMESTAMP 4, DATETIME 8 and TIME2, TIMESTAMP2, DATETIME2, big-endian with fraction
 * (cells-temporal.ts); BIT big-endian; ENUM 1 or 2 (1-based; 0 is the empty error value); SET 1 to 8, a bit per member;
 * CHAR without spaces at its end and BINARY without zero bytes at its end (pad to `length`); VARCHAR, BLOB, TEXT, GEOMETRY (SRID and WKB), VECTOR (floats): the bytes; JSON: MySQL's binary form (json.ts);
 * MariaDB's compressed columns: `inflateColumn`.
 */
export interface RowImage {
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** FORM_… of each cell; only looked at where the event is `partialJson`. */
  readonly forms: Uint8Array;
}
