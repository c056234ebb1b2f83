/** Logins over real sockets: pauses, limits and ends of sessions; what an authorizer leaves visible. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { ErrorCode } from "#broker/protocol/errors";
import { createAcls, incrementalAlterConfigs, metadata, saslAuthenticate, saslHandshake } from "#broker/protocol/messages/index";
import { keyAndCertificate, noOpenssl, selfSigned } from "../peers/certificates.ts";
import { WireClient } from "../wire/wire-client.ts";
import { makeTopic, startTestBroker, type TestBroker } from "./broker-fixture.ts";

const SECURITY = {
  listeners: "PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0",
  "sasl.enabled.mechanisms": "PLAIN,OAUTHBEARER",
  "listener.name.sasl_plaintext.plain.sasl.jaas.config": 'x.PlainLoginModule required user_alice="alice-secret" user_bob="bob-secret";',
  "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "super.users": "User:ANONYMOUS",
};
let running: TestBroker | null = null;
const opened: WireClient[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) client.close();
  await running?.stop();
  running = null;
});
async function start(more: Readonly<Record<string, string>> = {}): Promise<TestBroker> {
  running = await startTestBroker({ ...SECURITY, ...more });
  return running;
}
async function connect({ broker }: TestBroker): Promise<WireClient> {
  const client = await WireClient.open(broker.listeners[1]?.port ?? 0);
  opened.push(client);
  return client;
}
async function login(client: WireClient, user: string, password = `${user}-secret`) {
  await client.send(saslHandshake, 1, { mechanism: "PLAIN" });
  return client.send(saslAuthenticate, 2, { authBytes: Buffer.from(`\0${user}\0${password}`) });
}
const names = async (client: WireClient): Promise<readonly (string | null)[]> =>
  (await client.send(metadata, 12, { topics: null })).topics.map(({ name }) => name);

describe("logins", () => {
  test("a session that ended closes the connection; authenticating again, as the same user, prolongs it", async () => {
    const broker = await start({ "connections.max.reauth.ms": "1500" });
    const client = await connect(broker);
    expect((await login(client, "alice")).sessionLifetimeMs).toBe(1500);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await login(client, "alice")).errorCode).toBe(ErrorCode.NONE);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await names(client)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 900));
    await expect(names(client)).rejects.toThrow(/closed/);
  });
  test("clients from before Kafka 1.0 send bare SASL messages after a handshake of version 0; a failure only ends the connection", async () => {
    const broker = await start();
    const [right, wrong] = [await connect(broker), await connect(broker)];
    const bare = async (client: WireClient, message: string): Promise<Buffer> => {
      expect((await client.send(saslHandshake, 0, { mechanism: "PLAIN" })).errorCode).toBe(ErrorCode.NONE);
      const size = Buffer.alloc(4);
      size.writeInt32BE(Buffer.byteLength(message));
      const reply = client.next();
      client.socket.write(Buffer.concat([size, Buffer.from(message)]));
      return reply;
    };
    expect(await bare(right, "\0alice\0alice-secret")).toHaveLength(0);
    expect(await names(right)).toEqual([]);
    await expect(bare(wrong, "\0alice\0guess")).rejects.toThrow(/closed/);
  });
  test("another user, another mechanism, or again too soon is refused", async () => {
    const broker = await start();
    const [hasty, other] = [await connect(broker), await connect(broker)];
    await login(hasty, "alice");
    await login(other, "alice");
    expect((await hasty.send(saslHandshake, 1, { mechanism: "PLAIN" })).errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE);
    expect(await names(hasty)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect((await login(other, "bob")).errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED);
    await other.closed;
    expect((await hasty.send(saslHandshake, 1, { mechanism: "OAUTHBEARER" })).errorCode).toBe(ErrorCode.UNSUPPORTED_SASL_MECHANISM);
    await hasty.closed;
  });
  test("a failed login is answered late, once, and ends the connection", async () => {
    const broker = await start({ "connection.failed.authentication.delay.ms": "300" });
    const client = await connect(broker);
    const before = performance.now();
    expect((await login(client, "alice", "wrong")).errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED);
    expect(performance.now() - before).toBeGreaterThan(290);
    await client.closed;
  });
  test("who is not known yet can send little, and nothing but a login", async () => {
    const broker = await start({ "sasl.server.max.receive.size": "1000" });
    const large = await connect(broker);
    large.socket.write(Buffer.from([0, 0, 4, 0]));
    await large.closed;
    const early = await connect(broker);
    await expect(names(early)).rejects.toThrow(/closed/);
  });
  test("the end of a token is the end of the session", async () => {
    const broker = await start();
    const client = await connect(broker);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Date.now() / 1000;
    const token = `${part({ alg: "none" })}.${part({ sub: "carol", iat: now - 5, exp: now + 60 })}.`;
    await client.send(saslHandshake, 1, { mechanism: "OAUTHBEARER" });
    const { errorCode, sessionLifetimeMs } = await client.send(saslAuthenticate, 2, {
      authBytes: Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`),
    });
    expect(errorCode).toBe(ErrorCode.NONE);
    expect(sessionLifetimeMs).toBeGreaterThan(55_000);
    expect(sessionLifetimeMs).toBeLessThanOrEqual(60_000);
  });
});

test("an ACL counts at once and survives a restart", async () => {
  const broker = await start();
  await makeTopic(broker.client, "seen");
  await makeTopic(broker.client, "hidden");
  const client = await connect(broker);
  await login(client, "alice");
  expect(await names(client)).toEqual([]);
  const creation = {
    resourceType: 2,
    resourceName: "se",
    resourcePatternType: 4,
    principal: "User:alice",
    host: "127.0.0.1",
    operation: 3,
    permissionType: 3,
  };
  expect((await broker.client.send(createAcls, 3, { creations: [creation] })).results[0]?.errorCode).toBe(ErrorCode.NONE);
  expect(await names(client)).toEqual(["seen"]);
  await broker.restart();
  const again = await connect(broker);
  await login(again, "alice");
  expect(await names(again)).toEqual(["seen"]);
});

describe.skipIf(noOpenssl !== "")(`certificates${noOpenssl === "" ? "" : `: skipped, ${noOpenssl}`}`, () => {
  function certificate(folder: string, name: string): string {
    selfSigned(folder, name);
    return keyAndCertificate(folder, name);
  }
  const shown = (port: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
        const name = socket.getPeerCertificate().subject.CN;
        resolve(String(name));
        socket.destroy();
      });
      socket.once("error", reject);
    });
  const SETTING = "listener.name.ssl.ssl.keystore.location";
  const set = async ({ client }: TestBroker, value: string, name = SETTING) => {
    const resources = [{ resourceType: 4, resourceName: "1", configs: [{ name, configOperation: 0, value }] }];
    return (await client.send(incrementalAlterConfigs, 1, { resources, validateOnly: false })).responses[0];
  };
  test("are renewed by setting their file again, or another one, without a restart; a bad file is refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "certificates-"));
    const [first, second] = [certificate(folder, "first"), certificate(folder, "second")];
    const file = join(folder, "server.pem");
    copyFileSync(first, file);
    running = await startTestBroker({
      listeners: "PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": file,
    });
    const port = running.broker.listeners[1]?.port ?? 0;
    expect(await shown(port)).toBe("first");
    copyFileSync(second, file);
    expect(await shown(port)).toBe("first");
    expect((await set(running, file))?.errorCode).toBe(ErrorCode.NONE);
    expect(await shown(port)).toBe("second");
    copyFileSync(first, file);
    expect((await set(running, file))?.errorCode).toBe(ErrorCode.NONE);
    expect(await shown(port)).toBe("first");
    expect(await set(running, join(folder, "missing.pem"))).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST });
    writeFileSync(file, "no certificate");
    expect(await set(running, file)).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST });
    expect(await shown(port)).toBe("first");
    expect((await set(running, second))?.errorCode).toBe(ErrorCode.NONE);
    await running.restart();
    expect(await shown(running.broker.listeners[1]?.port ?? 0)).toBe("second");
    rmSync(folder, { recursive: true, force: true });
  });
});
