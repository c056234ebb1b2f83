/** The `source` block of MySQL's and MariaDB's events. */
import { INT32, INT64, OPTIONAL_INT64, OPTIONAL_STRING, type Schema, STRING } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import { sourceSchema, VERSION } from "../cdc/source-block.ts";
import type { Flavor } from "./ddl/ddl.ts";

const FIELDS = [
  ["table", OPTIONAL_STRING],
  ["server_id", INT64],
  ["gtid", OPTIONAL_STRING],
  ["file", STRING],
  ["pos", INT64],
  ["row", INT32],
  ["thread", OPTIONAL_INT64],
  ["query", OPTIONAL_STRING],
] as const;
export const SOURCE_SCHEMAS: Readonly<Record<Flavor, Schema>> = {
  mysql: sourceSchema("io.debezium.connector.mysql.Source", FIELDS),
  mariadb: sourceSchema("io.debezium.connector.mariadb.Source", FIELDS),
};

/** Builds source blocks; what all events of a transaction share is set once for it. */
export class SourceInfo {
  readonly schema: Schema;
  readonly #connector: Flavor;
  readonly #name: string;
  #ms = 0n;
  #us = 0n;
  #ns = 0n;
  #server = 0;
  #serverId = 0n;
  #gtid: string | null = null;
  #file = "";
  #thread: bigint | null = null;
  /** The statement of the rows that follow (`include.query`). */
  query: string | null = null;

  constructor(connector: Flavor, name: string) {
    this.#connector = connector;
    this.#name = name;
    this.schema = SOURCE_SCHEMAS[connector];
  }
  /** Microseconds since 1970. */
  time(micros: number): void {
    this.#us = BigInt(Math.floor(micros));
    this.#ms = this.#us / 1000n;
    this.#ns = this.#us * 1000n;
  }
  server(id: number): void {
    if (this.#server === id) return;
    this.#server = id;
    this.#serverId = BigInt(id);
  }
  gtid(text: string | null): void {
    this.#gtid = text;
  }
  file(name: string): void {
    this.#file = name;
  }
  thread(id: number | null): void {
    this.#thread = id === null ? null : BigInt(id);
  }
  /** `shared`: the block will stand in many records. */
  block(database: string, table: string | null, position: number, row: number, snapshot: SnapshotMarker, shared = false): Struct {
    const slots = [
      VERSION,
      this.#connector,
      this.#name,
      this.#ms,
      snapshot,
      database,
      null,
      this.#us,
      this.#ns,
      table,
      this.#serverId,
      this.#gtid,
      this.#file,
      BigInt(position),
      row,
      this.#thread,
      this.query,
    ];
    return new Struct(this.schema, slots, null, shared);
  }
}
