import { EVERY_RIGHT } from "#broker/controller/acls/rights";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import { handler, type Handler } from "#broker/handlers/handler";
import { Network } from "#broker/network/network";
import type { NetworkLimits } from "#broker/network/types";
import { encodeRequest } from "#broker/protocol/frame";
import { apiVersions, describeAcls, heartbeat, metadata } from "#broker/protocol/messages/index";
import { WireClient } from "../../wire/wire-client.ts";

const LIMITS: NetworkLimits = {
  requestBytesMax: 1 << 20,
  queuedBytesMax: 8 << 20,
  queuedRequestsOfAllMax: 500,
  connectionsOfListenerMax: () => 100,
  queuedRequestsMax: 4,
  idleMsMax: 600_000,
  connectionsMax: 100,
  connectionsPerIpMax: 100,
  connectionsPerIpOverrides: new Map(),
};
const cleanup: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
interface Started {
  readonly port: number;
  readonly network: Network;
  readonly warnings: string[];
  readonly failures: string[];
}
async function start(handlers: readonly Handler[], limits: Partial<NetworkLimits> = {}, clock: Clock = systemClock): Promise<Started> {
  const warnings: string[] = [];
  const failures: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (message) => warnings.push(message), error() {}, child: () => logger };
  const network = new Network({
    clock,
    logger,
    limits: { ...LIMITS, ...limits },
    handlers: new Map(handlers.map((each) => [each.api.key, each])),
    rights: () => EVERY_RIGHT,
    onHandlerFailure: (api) => failures.push(api),
  });
  cleanup.push(() => network.close());
  const { port } = await network.listen({ name: "PLAINTEXT", host: "127.0.0.1", port: 0, protocol: "PLAINTEXT" });
  return { port, network, warnings, failures };
}
async function open(port: number): Promise<WireClient> {
  const client = await WireClient.open(port);
  cleanup.push(() => client.close());
  return client;
}
const echo = handler(heartbeat, (_context, request) => ({ errorCode: request.generationId }));
const beat = (generationId: number): Parameters<typeof encodeRequest>[4] => ({ groupId: "g", generationId, memberId: "m" });

describe("network", () => {
  test("answers in the order of the requests, also when an early one takes long", async () => {
    const slowFirst = handler(heartbeat, async (_context, { generationId }) => {
      await systemClock.sleep(generationId === 0 ? 50 : 0);
      return { errorCode: generationId };
    });
    const { port } = await start([slowFirst]);
    const client = await open(port);
    const answers = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => client.send(heartbeat, 4, beat(n))));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
  test("one that waits does not hold up other connections", async () => {
    const waits = handler(heartbeat, ({ signal }, { generationId }) =>
      generationId === 0 ? systemClock.sleep(60_000, signal).then(() => ({ errorCode: 0 })) : { errorCode: generationId },
    );
    const { port } = await start([waits]);
    const [waiting, other] = [await open(port), await open(port)];
    const never = waiting.send(heartbeat, 4, beat(0));
    expect((await other.send(heartbeat, 4, beat(7))).errorCode).toBe(7);
    waiting.close();
    await expect(never).rejects.toThrow("closed");
  });
  test("a handler learns that its connection is gone", async () => {
    const gone = Promise.withResolvers<void>();
    const { port } = await start([
      handler(heartbeat, ({ signal }) => {
        signal.addEventListener("abort", () => gone.resolve());
        return new Promise(() => {});
      }),
    ]);
    const client = await open(port);
    const answer = client.send(heartbeat, 4, beat(0));
    await systemClock.sleep(20);
    client.close();
    await expect(answer).rejects.toThrow("closed");
    await gone.promise;
  });
  test("ApiVersions newer than ours is answered in the form of version 0", async () => {
    const { port } = await start([echo]);
    const client = await open(port);
    const frame = encodeRequest(apiVersions, 4, 77, "test", { clientSoftwareName: "a", clientSoftwareVersion: "1" });
    frame.writeInt16BE(99, 6);
    const answer = client.next();
    client.socket.write(frame);
    const bytes = await answer;
    expect(bytes.readInt32BE(0)).toBe(77);
    expect(bytes.readInt16BE(4)).toBe(35);
    expect(bytes.readInt32BE(6)).toBe(1);
    expect([bytes.readInt16BE(10), bytes.readInt16BE(12), bytes.readInt16BE(14)]).toEqual([18, 0, 4]);
  });
  test.each([
    ["an API that is not served", encodeRequest(metadata, 1, 1, null, { topics: [] })],
    ["a version that does not exist", versioned(encodeRequest(heartbeat, 4, 1, null, beat(1)), 50)],
    ["an API key that does not exist", keyed(encodeRequest(heartbeat, 4, 1, null, beat(1)), 9999)],
    ["a hostile size", Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ["a negative size", Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    [
      "a body that ends early",
      Buffer.concat([Buffer.from([0, 0, 0, 20]), encodeRequest(heartbeat, 4, 1, "test", beat(1)).subarray(4, 24)]),
    ],
  ])("closes a connection that sends %s, says so once, and serves the others", async (_what, bytes) => {
    const { port, warnings } = await start([echo]);
    const [bad, good] = [await open(port), await open(port)];
    bad.socket.write(bytes);
    await bad.closed;
    expect(warnings).toHaveLength(1);
    expect((await good.send(heartbeat, 4, beat(3))).errorCode).toBe(3);
  });
  test("a handler that fails answers with a code where there is a place for one", async () => {
    const { port, failures } = await start([
      handler(describeAcls, () => {
        throw new Error("a bug");
      }),
      handler(metadata, () => Promise.reject(new Error("a bug"))),
    ]);
    const client = await open(port);
    const answer = await client.send(describeAcls, 3, { resourceNameFilter: null, principalFilter: null, hostFilter: null });
    expect(answer.errorCode).toBe(-1);
    expect((await client.send(metadata, 13, { topics: [] })).errorCode).toBe(-1);
    expect(failures).toEqual(["DescribeAcls", "Metadata"]);
  });
  test("no more connections than allowed, in all and per address", async () => {
    const { port, network } = await start([echo], { connectionsPerIpMax: 2 });
    const first = await open(port);
    await open(port);
    const third = await open(port);
    await third.closed;
    first.close();
    await expect.poll(() => network.connectionCount).toBe(1);
    const fourth = await open(port);
    expect((await fourth.send(heartbeat, 4, beat(4))).errorCode).toBe(4);
  });
  test("a connection that is silent for long is closed, one that waits for its answer is not", async () => {
    let nowMs = 0;
    const due: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      monotonic: () => nowMs,
      after(_delayMs, run) {
        due.push(run);
        return { cancel() {} };
      },
    };
    const gate = Promise.withResolvers<{ errorCode: number }>();
    const { port } = await start([handler(heartbeat, () => gate.promise)], { idleMsMax: 1000 }, clock);
    const [silent, waiting] = [await open(port), await open(port)];
    const answer = waiting.send(heartbeat, 4, beat(1));
    await systemClock.sleep(30);
    nowMs = 1001;
    for (const run of due.splice(0)) run();
    await silent.closed;
    gate.resolve({ errorCode: 9 });
    expect((await answer).errorCode).toBe(9);
  });
  test("a client that sends without waiting is slowed down, not buffered without bound", async () => {
    const gate = Promise.withResolvers<void>();
    const { port, network } = await start([handler(heartbeat, () => gate.promise.then(() => ({ errorCode: 1 })))], {
      queuedRequestsMax: 2,
      queuedBytesMax: 4 << 20,
    });
    const client = await open(port);
    const big = encodeRequest(heartbeat, 4, 1, "x".repeat(20_000), beat(1));
    let flushed = 0;
    for (let n = 0; n < 4000; n++) client.socket.write(big, () => flushed++);
    await systemClock.sleep(200);
    expect(network.queuedBytes).toBeLessThan(2 << 20);
    expect(flushed).toBeLessThan(4000);
    gate.resolve();
    await expect.poll(() => flushed, { timeout: 10_000 }).toBe(4000);
    await expect.poll(() => network.queuedBytes).toBe(0);
  });
});
function versioned(frame: Buffer, version: number): Buffer {
  frame.writeInt16BE(version, 6);
  return frame;
}
function keyed(frame: Buffer, key: number): Buffer {
  frame.writeInt16BE(key, 4);
  return frame;
}
