/** Opens the TCP or TLS stream to one broker, within the setup timeout. */
import net from "node:net";
import type { ConnectionOptions } from "node:tls";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import type { Endpoint } from "./config.ts";
import type { ClientDeps } from "./deps.ts";

export function networkError(endpoint: Endpoint, what: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.NETWORK_EXCEPTION, `${endpoint.host}:${endpoint.port}: ${what}`, cause);
}
/** Rejects with NETWORK_EXCEPTION. The socket has no error listener left when this resolves: the caller adds one at once. */
export function openSocket(
  endpoint: Endpoint,
  tlsOptions: ConnectionOptions | null,
  timeoutMs: number,
  deps: ClientDeps,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const target = { host: endpoint.host, port: endpoint.port };
    const named = net.isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {};
    const socket =
      tlsOptions === null ? net.connect(target) : process.getBuiltinModule("node:tls").connect({ ...target, ...named, ...tlsOptions });
    const settle = (): void => {
      timer.cancel();
      socket.removeListener("error", failed);
      socket.removeListener("close", closed);
    };
    const failed = (error: Error): void => {
      settle();
      // A late second error must not become an uncaught one.
      socket.on("error", () => {});
      socket.destroy();
      reject(isUntrusted(error) ? untrusted(endpoint, error) : networkError(endpoint, `connection failed: ${reason(error)}`, error));
    };
    const closed = (): void => failed(new Error("closed by the broker"));
    const timer = deps.clock.after(timeoutMs, () => failed(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once(tlsOptions === null ? "connect" : "secureConnect", () => {
      settle();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}
/** A certificate that is refused stays refused: no retries. */
function isUntrusted(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && /CERT|SIGNATURE|ISSUER|UNTRUSTED/.test(error.code);
}
function untrusted(endpoint: Endpoint, error: Error): KafkaError {
  const what = `${endpoint.host}:${endpoint.port}: SSL handshake failed: ${error.message}`;
  return new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, what, error);
}
function reason(error: Error): string {
  // Happy-eyeballs failures are an AggregateError with an empty message.
  if (error instanceof AggregateError) return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
  return error.message;
}
