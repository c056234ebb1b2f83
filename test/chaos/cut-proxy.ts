/** A TCP proxy that cuts its connections, at once or in the middle of what the server sends. */
import { createServer, type Server, type Socket, connect } from "node:net";

export interface CutProxy {
  readonly port: number;
  /** Connections that are there are cut after `bytes` more of the server's bytes; later ones are whole. */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
}
export async function cutProxy(host: string, port: number): Promise<CutProxy> {
  const open = new Set<{ left: number; readonly cut: () => void }>();
  const server: Server = createServer((client: Socket) => {
    const upstream = connect(port, host);
    const end = (): void => {
      open.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    const pair = { left: Number.POSITIVE_INFINITY, cut: end };
    open.add(pair);
    upstream.on("data", (chunk: Buffer) => {
      pair.left -= chunk.length;
      client.write(pair.left < 0 ? chunk.subarray(0, chunk.length + pair.left) : chunk);
      if (pair.left <= 0) end();
    });
    client.on("data", (chunk: Buffer) => upstream.write(chunk));
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cutAfter(bytes) {
      for (const pair of open) pair.left = bytes;
    },
    async close() {
      for (const pair of open) pair.cut();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}
