/** The order in which Kafka Connect answered the offsets of recorded connectors, whatever order they were stored in. */
import { expect, test } from "vitest";
import { OffsetTable } from "../../../connect-runtime/store/offset-table.ts";

const server = "ss_schema_change_drop_column";
test.each([
  ["ss-schema-change-drop-column", [{ server, database: "schema_change_drop_column" }, {}]],
  [
    "ss-two-databases",
    [
      { server: "ss_two_databases", database: "two_databases_b" },
      { server: "ss_two_databases", database: "two_databases_a" },
    ],
  ],
])("%s", (connector, recorded) => {
  for (const stored of [recorded, recorded.toReversed()]) {
    const table = new OffsetTable();
    for (const partition of stored) table.set(connector, partition, { at: 1 });
    expect(table.list(connector).map((entry) => entry.partition)).toEqual(recorded);
  }
});
