/** `connection.validation.timeout.ms`: a server that takes connections and never says a word. */
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { mysqlSource } from "#connectors/mysql/connector";

test("validation gives up when the setting says so", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const began = performance.now();
    const answer = await mysqlSource.validate?.(
      {
        "connector.class": "io.debezium.connector.mysql.MySqlConnector",
        "topic.prefix": "t",
        "database.hostname": "127.0.0.1",
        "database.port": String(port),
        "database.user": "u",
        "database.password": "p",
        "database.server.id": "1",
        "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
        "connect.timeout.ms": "60000",
        "connection.validation.timeout.ms": "200",
      },
      [],
    );
    const tookMs = performance.now() - began;
    expect(JSON.stringify(answer)).toContain("Unable to connect");
    expect(sockets).toHaveLength(1);
    expect(tookMs).toBeLessThan(4_000);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => silent.close(closed));
  }
});
