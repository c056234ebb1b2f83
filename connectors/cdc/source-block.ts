/** The `source` block of events: the fields that all databases' blocks begin with. */
import { INT64, OPTIONAL_INT64, OPTIONAL_STRING, type Schema, STRING, structOf } from "#connect/api/schema";
import { SNAPSHOT_MARKER } from "./envelope.ts";

/** Of Debezium: what its blocks and `GET /connector-plugins` say. */
export const VERSION = "3.4.0.Final";

type Fields = Parameters<typeof structOf>[0];
/** The schema of the block of one connector; `fields` come after the common ones. */
export const sourceSchema = (name: string, fields: Fields): Schema =>
  structOf(
    [
      ["version", STRING],
      ["connector", STRING],
      ["name", STRING],
      ["ts_ms", INT64],
      ["snapshot", SNAPSHOT_MARKER],
      ["db", STRING],
      ["sequence", OPTIONAL_STRING],
      ["ts_us", OPTIONAL_INT64],
      ["ts_ns", OPTIONAL_INT64],
      ...fields,
    ],
    { name, version: 1 },
  );
