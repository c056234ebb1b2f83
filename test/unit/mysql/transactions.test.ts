/** BEGIN and END records of the log's groups (`provide.transaction.metadata`), as the reference announced them on both servers. */
import { expect, test } from "vitest";
import { binlogReading, gtid, prepared, query, xid } from "../../fakes/binlog-reading.ts";

const WITH_METADATA = { config: { "provide.transaction.metadata": "true" } };

test("MariaDB: every GTID begins, a commit ends; statements and XA begin what never ends, and the history names it", async () => {
  const { feed, positions } = binlogReading("mariadb", WITH_METADATA);
  expect(await feed(gtid(1n, false), xid)).toEqual(["BEGIN 0-1-1", "END 0-1-1 0"]);
  expect(await feed(gtid(2n, true), query("CREATE TABLE n (id int PRIMARY KEY)"))).toEqual(["BEGIN 0-1-2", "t"]);
  expect(positions).toEqual([expect.objectContaining({ transaction_id: "0-1-2", event: 1 })]);
  expect(await feed(gtid(3n, false), prepared)).toEqual(["BEGIN 0-1-3"]);
  expect(await feed(gtid(4n, true), query("XA COMMIT 'x'"))).toEqual(["BEGIN 0-1-4"]);
  expect(await feed(gtid(5n, false), xid)).toEqual(["BEGIN 0-1-5", "END 0-1-5 0"]);
});
test("MySQL: BEGIN begins; XA belongs to no transaction", async () => {
  const { feed, positions } = binlogReading("mysql", WITH_METADATA);
  expect(await feed(query("BEGIN"), xid)).toEqual([expect.stringMatching(/^BEGIN file=/), expect.stringMatching(/^END file=.* 0$/)]);
  expect(await feed(query("XA START X'78',X'',1"), query("XA END X'78',X'',1"), query("XA COMMIT X'78',X'',1"))).toEqual([]);
  expect(await feed(query("CREATE TABLE n (id int PRIMARY KEY)"))).toEqual(["t"]);
  expect(positions).toEqual([expect.not.objectContaining({ transaction_id: expect.anything() })]);
});
