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
  block(at: SourceTable, snapshot: SnapshotMarker, commit: Lsn | null, change: Lsn | null, serial: number | null, shared = false): Struct {
    return new Struct(
      SOURCE_SCHEMA,
      [
        VERSION,
        "sqlserver",
        this.#name,
        this.#ms,
        snapshot,
        this.database,
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
