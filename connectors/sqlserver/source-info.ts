/** The `source` block of SQL Server's events. */
import { OPTIONAL_INT64, OPTIONAL_STRING, type Schema, STRING } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import { sourceSchema, VERSION } from "../cdc/source-block.ts";
import type { Lsn } from "./change-tables/lsn.ts";

export const SOURCE_SCHEMA: Schema = sourceSchema("io.debezium.connector.sqlserver.Source", [
  ["schema", STRING],
  ["table", STRING],
  ["change_lsn", OPTIONAL_STRING],
  ["commit_lsn", OPTIONAL_STRING],
  ["event_serial_no", OPTIONAL_INT64],
]);

export interface SourceTable {
  readonly schema: string;
  readonly table: string;
}
/** Builds source blocks of one database; what all events of a transaction share is set once for it. */
export class SourceInfo {
  readonly #name: string;
  readonly database: string;
  #ms = 0n;
  #us = 0n;
  #ns = 0n;
  /** What the last block was of; null: there was none in this run. */
  #last: SourceTable | null = null;

  constructor(name: string, database: string) {
    this.#name = name;
    this.database = database;
  }
  /** Microseconds since 1970: of the commit, or of the reading of a snapshot. */
  time(micros: number): void {
    this.#us = BigInt(Math.floor(micros));
    this.#ms = BigInt(Math.floor(micros / 1000));
    this.#ns = this.#us * 1000n;
  }
  /** A table's definition has changed: the block is of the last event before it, and names nothing where there was none in this run. */
  beforeChange({ commit, change, serial }: { commit: Lsn | null; change: Lsn | null; serial: number }, nowMicros: number): Struct {
    const last = this.#last;
    if (last === null) this.time(nowMicros);
    const known = last !== null && (change !== null || serial === 0);
    return this.#block(
      last ?? { schema: "", table: "" },
      "false",
      commit,
      change,
      known ? serial : null,
      false,
      last === null ? "" : this.database,
    );
  }
  /** Of a row that is read next to the stream, at its own instant. */
  incremental(at: SourceTable, commit: Lsn | null, change: Lsn | null, serial: number | null, nowMicros: number): Struct {
    const before = this.#us;
    this.time(nowMicros);
    const block = this.block(at, "incremental", commit, change, serial);
    this.time(Number(before));
    return block;
  }
  block(at: SourceTable, snapshot: SnapshotMarker, commit: Lsn | null, change: Lsn | null, serial: number | null, shared = false): Struct {
    this.#last = at;
    return this.#block(at, snapshot, commit, change, serial, shared, this.database);
  }
  #block(
    at: SourceTable,
    snapshot: SnapshotMarker,
    commit: Lsn | null,
    change: Lsn | null,
    serial: number | null,
    shared: boolean,
    database: string,
  ): Struct {
    return new Struct(
      SOURCE_SCHEMA,
      [
        VERSION,
        "sqlserver",
        this.#name,
        this.#ms,
        snapshot,
        database,
        null,
        this.#us,
        this.#ns,
        at.schema,
        at.table,
        change,
        commit,
        serial === null ? null : BigInt(serial),
      ],
      null,
      shared,
    );
  }
}
