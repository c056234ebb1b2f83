/** The REST server with all resources, listening. */
import type { Logger } from "#broker/base/logger";
import type { ConfigInfos } from "../catalog/config-infos.ts";
import type { Listener, WorkerConfig } from "../config.ts";
import { ConfigError } from "../api/errors.ts";
import { RestError } from "../herder/errors.ts";
import type { Herder, PostedConfig } from "../herder/types.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import { restApp } from "./app.ts";
import { connectorRoutes } from "./connectors.ts";
import type { LogLevels } from "./log-levels.ts";
import { loggerRoutes } from "./loggers.ts";
import { offsetRoutes, topicRoutes } from "./offsets.ts";
import { pluginRoutes } from "./plugins.ts";
import { rootRoutes, type Versions } from "./root.ts";
import type { Route } from "./route.ts";
import { taskRoutes } from "./tasks.ts";

export interface RestOptions {
  readonly config: WorkerConfig;
  readonly versions: Versions;
  /** Null until the worker has started. */
  readonly herder: () => Herder | null;
  readonly validate: (config: PostedConfig) => Promise<ConfigInfos>;
  readonly levels: LogLevels;
  readonly requestWorker: WorkerRequest;
  readonly log: Logger;
}
export interface RestServer {
  readonly listener: Listener;
  readonly port: number;
  close(): Promise<void>;
}

export function restRoutes(options: RestOptions): readonly Route[] {
  const { config } = options;
  const herder = (): Herder => {
    const running = options.herder();
    if (running === null) throw new RestError(503, "Worker is still starting up.");
    return running;
  };
  return [
    ...rootRoutes(options.herder, options.versions),
    ...connectorRoutes(herder),
    ...taskRoutes(herder),
    ...offsetRoutes(herder),
    ...topicRoutes(herder, { enabled: config.topicTracking, mayReset: config.topicTrackingReset }),
    ...pluginRoutes(options.validate),
    // An empty admin.listeners turns these off, as in Kafka Connect.
    ...(config.raw["admin.listeners"] === "" ? [] : loggerRoutes(herder, options.levels)),
  ];
}
/** Throws the listen error of node:net (EADDRINUSE, EACCES …). */
export async function openRest(options: RestOptions): Promise<RestServer> {
  const { config } = options;
  const listener = config.listeners.find((l) => l.scheme === "http");
  if (listener === undefined) {
    throw new ConfigError("listeners: an http address is needed; https is not served yet, put a proxy in front of the worker");
  }
  const app = restApp({
    ...options,
    routes: restRoutes(options),
    corsOrigin: config.corsOrigin,
    corsMethods: config.corsMethods,
    headers: config.responseHeaders,
  });
  await app.listen({ host: listener.host === "" ? "0.0.0.0" : listener.host, port: listener.port });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : listener.port;
  return { listener, port, close: () => app.close() };
}
