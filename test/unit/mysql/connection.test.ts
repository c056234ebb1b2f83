/** A server that goes away while a connection is being made is one to try again, also in the midst of the TLS handshake. */
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { connect } from "#connectors/mysql/connection";
import { isTransient } from "#connectors/mysql/failures";
import { streamFailure } from "#connectors/mysql/replication-failures";

/** Protocol 10, with TLS and pluggable authentication. */
function greeting(): Buffer {
  const capabilities = 0xffffffff;
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from("9.0.0\0"),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from("12345678\0"),
    Buffer.from([capabilities & 0xff, (capabilities >> 8) & 0xff, 45, 2, 0, (capabilities >> 16) & 0xff, (capabilities >> 24) & 0xff, 21]),
    Buffer.alloc(10),
    Buffer.from("123456789012\0"),
    Buffer.from("caching_sha2_password\0"),
  ]);
  return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, 0]), body]);
}
let server: Server | null = null;
afterEach(() => server?.close());

async function failureOf(atTls: (socket: Socket) => void): Promise<unknown> {
  const listening = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(greeting());
    // The request for TLS.
    socket.once("data", () => atTls(socket));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return connect({
    host: "127.0.0.1",
    port,
    user: "u",
    password: "p",
    ssl: "preferred",
    trust: null,
    key: null,
    connectTimeoutMs: 5000,
    queryTimeoutMs: 0,
    initialStatements: [],
  }).then(
    () => null,
    (error: unknown) => error,
  );
}

test.each([
  ["is reset", (socket: Socket) => socket.resetAndDestroy()],
  ["is ended", (socket: Socket) => socket.end()],
])("the connection %s in the TLS handshake", async (_, atTls) => {
  const error = await failureOf(atTls);
  expect(error).toMatchObject({ code: "ECONNRESET" });
  expect(isTransient(error)).toBe(true);
  expect(streamFailure(error)).toMatchObject({ code: "connection", transient: true });
});
test("what is no TLS is no fault of the network", async () => {
  const error = await failureOf((socket) => socket.end("this is no TLS at all, but long enough to be looked at"));
  expect(error).toMatchObject({ code: "HANDSHAKE_SSL_ERROR" });
  expect(isTransient(error)).toBe(false);
});
