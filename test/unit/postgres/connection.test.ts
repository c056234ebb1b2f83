import { expect, test } from "vitest";
import { connect } from "#connectors/postgres/connection";
import type { PostgresServer } from "#connectors/postgres/server-settings";

const server = (port: number): PostgresServer => ({
  host: "127.0.0.1",
  port,
  user: "u",
  password: undefined,
  database: "d",
  ssl: "prefer",
  sslFiles: {},
  queryTimeoutMs: 0,
  connectTimeoutMs: 100,
  keepAlive: true,
  initialStatements: [],
});

test("a port that is none is an error of that connection, and of nothing else later", async () => {
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", note);
  try {
    await expect(connect(server(99_999))).rejects.toThrow(/Port should be/);
    await new Promise((r) => setTimeout(r, 300));
  } finally {
    process.off("uncaughtException", note);
  }
  expect(thrown).toEqual([]);
});
