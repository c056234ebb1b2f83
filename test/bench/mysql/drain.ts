/**
 * How fast the MySQL task hands out a backlog that the JSON converter turns into bytes, without a worker:
 * node [--cpu-prof] test/bench/mysql/drain.ts [rows] [port]. MYSQL_URL names a server that is there already.
 */
import type { RowDataPacket } from "mysql2/promise";
import { byteSink } from "#connect/api/byte-sink";
import type { SourceOffset } from "#connect/api/record";
import { mysqlSource } from "#connectors/mysql/index";
import { jsonConverter } from "#plugins/converters/json-converter";
import { startMysql } from "../../peers/mysql.ts";
import { createTables, DATABASE, fillLog } from "./load.ts";

const [, , count = "200000", port = "29690"] = process.argv;
const rows = Number(count);
const peer = await startMysql({ port: Number(port), arguments: ["--innodb-buffer-pool-size=512M"] });
if ("reason" in peer) throw new Error(peer.reason);
const sql = await peer.connect();
await createTables(sql);
const [status] = await sql.query<RowDataPacket[]>("SHOW BINARY LOG STATUS");
const at: RowDataPacket | undefined = status[0];
await fillLog(sql, rows);
const offset: SourceOffset = {
  ts_sec: 1,
  file: String(at?.["File"]),
  pos: Number(at?.["Position"]),
  gtids: String(at?.["Executed_Gtid_Set"]).replaceAll("\n", ""),
};

for (let run = 0; run < 3; run++) {
  const task = mysqlSource.task(
    {
      "connector.class": "io.debezium.connector.mysql.MySqlConnector",
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": peer.user,
      "database.password": peer.password,
      "database.server.id": "7001",
      "topic.prefix": "p",
      "database.include.list": DATABASE,
      "snapshot.mode": "recovery",
      "include.schema.changes": "false",
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
    },
    {
      connectorName: "c",
      taskId: 0,
      log: { debug() {}, info() {}, warn: console.log, error: console.log },
      offsets: { offsets: async () => [offset] },
      metrics: { gauge() {} },
      signal: new AbortController().signal,
      kafka: {},
    },
  );
  const key = jsonConverter.create({ "schemas.enable": "false" }, true),
    value = jsonConverter.create({ "schemas.enable": "false" }, false);
  const out = byteSink(1024 * 1024);
  await task.start();
  let seen = 0,
    polls = 0,
    first = 0,
    cpu = process.cpuUsage();
  while (seen < rows) {
    const batch = await task.poll();
    if (batch.length === 0) continue;
    if (first === 0) {
      first = performance.now();
      cpu = process.cpuUsage();
    }
    for (const r of batch) {
      out.length = 0;
      key.write?.(r.topic, r.keySchema, r.key, out);
      value.write?.(r.topic, r.valueSchema, r.value, out);
    }
    seen += batch.length;
    polls++;
  }
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - first) / 1000;
  console.log(
    `${Math.round(seen / seconds).toLocaleString("en")} events/s, ${((used.user + used.system) / seen).toFixed(2)} CPU s per million (user ${(used.user / seen).toFixed(2)}), ${(seen / polls).toFixed(0)} events a poll, rss ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  );
  await task.stop();
}
await peer.stop();
