/** GET /metrics (Prometheus), /health (the process answers) and /ready (requests are served), over plain HTTP. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: () => string;
  /** Null: ready; else why not. */
  readonly notReady: () => string | null;
}
export interface MetricsEndpoint {
  readonly port: number;
  close(): Promise<void>;
}
const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const HEADERS_TIMEOUT_MS = 5000;
const CONNECTIONS_MAX = 64;

/** Rejects with the system's error when the address cannot be had. */
export async function openMetricsEndpoint(options: EndpointOptions): Promise<MetricsEndpoint> {
  // Loaded here, not at the top: node:http costs 10 MB, and most brokers have no such listener.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS }, (request, response) =>
    answer(options, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
  // A TCP server that listens has an AddressInfo.
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}
function answer(options: EndpointOptions, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "").split("?")[0];
  const send = (status: number, body: string, type = "application/json"): void => {
    response.writeHead(status, { "content-type": type });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (request.method !== "GET" && request.method !== "HEAD") return send(405, '{"status":"method not allowed"}');
  switch (path) {
    case "/metrics":
      return send(200, options.metrics(), TEXT);
    case "/health":
    case "/healthz":
    case "/livez":
      return send(200, '{"status":"healthy"}');
    case "/ready":
    case "/readyz": {
      const why = options.notReady();
      return why === null ? send(200, '{"status":"ready"}') : send(503, JSON.stringify({ status: "not ready", reason: why }));
    }
    default:
      return send(404, '{"status":"not found"}');
  }
}
function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return done;
}
