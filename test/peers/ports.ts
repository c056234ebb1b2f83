/**
 * Ports for the servers of tests: below those that systems give to outgoing connections (Linux: from 32768 on), so that none is lost
 * between the look and the server's start, and kept for this process until it ends, so that runs beside each other never share one.
 */
import { createServer, type Server } from "node:net";

const FIRST = 10_000;
const LAST = 19_999;
const ATTEMPTS = 500;

function listening(where: { readonly port: number; readonly host: string } | { readonly path: string }): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(where, () => resolve(server));
  });
}
const closed = (server: Server): Promise<void> => new Promise((done) => server.close(() => done()));

/** Abstract sockets of Linux end with their process; elsewhere only the look remains. */
async function kept(port: number): Promise<Server | null> {
  const keeper = process.platform === "linux" ? await listening({ path: `\0millrace-port-${port}` }) : createServer();
  if (keeper === null) return null;
  keeper.unref();
  const probe = await listening({ port, host: "0.0.0.0" });
  if (probe !== null) {
    await closed(probe);
    return keeper;
  }
  if (keeper.listening) await closed(keeper);
  return null;
}
/** Consecutive ports that nobody listens on. Throws when there are none. */
export async function freePorts(count: number): Promise<number[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const keepers: Server[] = [];
    for (let keeper; keepers.length < count; keepers.push(keeper)) if ((keeper = await kept(first + keepers.length)) === null) break;
    if (keepers.length === count) return keepers.map((_, i) => first + i);
    for (const keeper of keepers) if (keeper.listening) await closed(keeper);
  }
  throw new Error(`no ${count} free ports from ${FIRST} to ${LAST}`);
}
/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
