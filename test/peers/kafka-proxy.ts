/**
 * A proxy in front of a Kafka broker that tells clients about itself instead of the broker. It can make the broker look old
 * (it narrows the ApiVersions answer) and can lose what a network loses: answers, or whole connections.
 */
import net from "node:net";
import { decodeResponse, encodeResponse } from "#broker/protocol/frame";
import { apiVersions, findCoordinator, metadata, produce } from "#broker/protocol/messages/index";
import { FrameReader } from "#broker/client/frame-reader";

export interface ProxyOptions {
  readonly port: number;
  readonly target: string;
  /** API key → highest version shown; keys that are missing are not shown at all. Absent: everything as it is. */
  readonly versions?: Readonly<Record<number, number>>;
}
export interface KafkaProxy {
  readonly bootstrap: string;
  /** Asked for each answer: true cuts the connection instead of passing it on. */
  loses: ((apiKey: number) => boolean) | null;
  /** Asked for each request: true cuts the connection before the broker sees it. */
  refuses: ((apiKey: number) => boolean) | null;
  /** Produce requests seen, by version. */
  readonly produceVersions: Set<number>;
  cutAll(): void;
  close(): Promise<void>;
}
/** What Apache Kafka 2.1 offered to clients. */
export const KAFKA_2_1: Readonly<Record<number, number>> = {
  0: 7,
  1: 10,
  2: 4,
  3: 7,
  8: 6,
  9: 5,
  10: 2,
  11: 3,
  12: 2,
  13: 2,
  14: 2,
  15: 2,
  16: 2,
  17: 1,
  18: 2,
  19: 3,
  20: 3,
  21: 1,
  22: 1,
  23: 2,
  24: 1,
  25: 1,
  26: 1,
  28: 2,
  32: 2,
  33: 1,
  36: 0,
  37: 1,
  42: 1,
};
interface Waiting {
  readonly apiKey: number;
  readonly version: number;
}

export async function startProxy(options: ProxyOptions): Promise<KafkaProxy> {
  const [host = "127.0.0.1", port = "0"] = options.target.split(":");
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const broker = net.connect(Number(port), host);
    const waiting: Waiting[] = [];
    const cut = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        sockets.delete(socket);
        cut();
      });
    }
    const requests = new FrameReader(1 << 30, (frame) => {
      const head = { apiKey: frame.readInt16BE(0), version: frame.readInt16BE(2) };
      if (proxy.refuses?.(head.apiKey) === true) return cut();
      if (head.apiKey === produce.key) proxy.produceVersions.add(head.version);
      waiting.push(head);
      broker.write(withSize(frame));
    });
    const answers = new FrameReader(1 << 30, (frame) => {
      const head = waiting.shift();
      if (head === undefined || proxy.loses?.(head.apiKey) === true) return cut();
      client.write(rewrite(frame, head, options));
    });
    client.on("data", (chunk: Buffer) => requests.push(chunk));
    broker.on("data", (chunk: Buffer) => answers.push(chunk));
  });
  const proxy: KafkaProxy = {
    bootstrap: `127.0.0.1:${options.port}`,
    loses: null,
    refuses: null,
    produceVersions: new Set(),
    cutAll: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      proxy.cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return proxy;
}
function withSize(frame: Buffer): Buffer {
  const size = Buffer.allocUnsafe(4);
  size.writeInt32BE(frame.length, 0);
  return Buffer.concat([size, frame]);
}
function rewrite(frame: Buffer, { apiKey, version }: Waiting, options: ProxyOptions): Buffer {
  if (apiKey === apiVersions.key) {
    // A version that the "old" broker does not know is answered as KIP-511 says: error 35 in version 0.
    const unknown = options.versions !== undefined && version > (options.versions[apiVersions.key] ?? 0);
    const { correlationId, body } = decodeResponse(apiVersions, version, frame);
    const shown = options.versions;
    const apiKeys =
      shown === undefined
        ? body.apiKeys
        : body.apiKeys.flatMap((each) => {
            const max = shown[each.apiKey];
            return max === undefined ? [] : [{ ...each, maxVersion: Math.min(max, each.maxVersion) }];
          });
    if (unknown) return encodeResponse(apiVersions, 0, correlationId, { errorCode: 35, apiKeys });
    return encodeResponse(apiVersions, version, correlationId, { ...body, apiKeys });
  }
  if (apiKey === metadata.key) {
    const { correlationId, body } = decodeResponse(metadata, version, frame);
    const brokers = body.brokers.map((each) => ({ ...each, host: "127.0.0.1", port: options.port }));
    return encodeResponse(metadata, version, correlationId, { ...body, brokers });
  }
  if (apiKey === findCoordinator.key) {
    const { correlationId, body } = decodeResponse(findCoordinator, version, frame);
    const here = { host: "127.0.0.1", port: options.port };
    if (version < 4) return encodeResponse(findCoordinator, version, correlationId, { ...body, ...here });
    const coordinators = body.coordinators.map((each) => ({ ...each, ...here }));
    return encodeResponse(findCoordinator, version, correlationId, { ...body, coordinators });
  }
  return withSize(frame);
}
