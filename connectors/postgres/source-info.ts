/** The `source` block of PostgreSQL's events. */
import { OPTIONAL_INT64, type Schema, STRING } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { SnapshotMarker } from "../cdc/envelope.ts";
import { sourceSchema, VERSION } from "../cdc/source-block.ts";

export const SOURCE_SCHEMA: Schema = sourceSchema("io.debezium.connector.postgresql.Source", [
  ["schema", STRING],
  ["table", STRING],
  ["txId", OPTIONAL_INT64],
  ["lsn", OPTIONAL_INT64],
  ["xmin", OPTIONAL_INT64],
]);

/** Builds source blocks; the parts that a transaction's events share are made once for it. */
export class SourceInfo {
  readonly #name: string;
  readonly #database: string;
  #ms = 0n;
  #us = 0n;
  #ns = 0n;
  #txId: bigint | null = null;
  #xmin: bigint | null = null;
  #sequencePrefix = "[null,";
  #sentMicros = 0;
  #sent = { ms: 0n, us: 0n, ns: 0n };

  constructor(name: string, database: string) {
    this.#name = name;
    this.#database = database;
  }
  /** Microseconds since 1970. `txId` null: outside a transaction. */
  transaction(micros: number, txId: number | null): void {
    this.#us = BigInt(micros);
    this.#ms = BigInt(Math.floor(micros / 1000));
    this.#ns = this.#us * 1000n;
    this.#txId = txId === null ? null : BigInt(txId);
  }
  set xmin(value: bigint | null) {
    this.#xmin = value;
  }
  /** Null: nothing was committed since the connector began. */
  lastCommit(lsn: number | null): void {
    this.#sequencePrefix = lsn === null ? "[null," : `["${lsn}",`;
  }
  /** A row of an incremental snapshot: it belongs to no transaction. Its time is that of being sent, in microseconds since 1970. */
  incremental(schema: string, table: string, micros: number): Struct {
    if (micros !== this.#sentMicros) {
      this.#sentMicros = micros;
      this.#sent = { ms: BigInt(Math.floor(micros / 1000)), us: BigInt(micros), ns: BigInt(micros) * 1000n };
    }
    const { ms, us, ns } = this.#sent;
    const sequence = `${this.#sequencePrefix}null]`;
    return new Struct(SOURCE_SCHEMA, [
      VERSION,
      "postgresql",
      this.#name,
      ms,
      "incremental",
      this.#database,
      sequence,
      us,
      ns,
      schema,
      table,
      null,
      null,
      null,
    ]);
  }
  /** `shared`: the block will stand in many records. */
  block(lsn: number, schema: string, table: string, snapshot: SnapshotMarker, shared = false): Struct {
    const slots = [
      VERSION,
      "postgresql",
      this.#name,
      this.#ms,
      snapshot,
      this.#database,
      `${this.#sequencePrefix}"${lsn}"]`,
      this.#us,
      this.#ns,
      schema,
      table,
      this.#txId,
      BigInt(lsn),
      this.#xmin,
    ];
    return new Struct(SOURCE_SCHEMA, slots, null, shared);
  }
}
