/** The REST server with all resources, on every listener. */
import type { FastifyInstance } from "fastify";
import type { Logger } from "#broker/base/logger";
import type { ConfigInfos } from "../catalog/config-infos.ts";
import type { Listener, WorkerConfig } from "../config.ts";
import { RestError } from "../herder/errors.ts";
import type { Herder, PostedConfig } from "../herder/types.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import { type Audit, type Guard, restApp } from "./app.ts";
import { connectorRoutes } from "./connectors.ts";
import type { LogLevels } from "./log-levels.ts";
import { loggerRoutes } from "./loggers.ts";
import { offsetRoutes, topicRoutes } from "./offsets.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { operationRoutes, type Operations } from "./operations.ts";
import { pluginRoutes } from "./plugins.ts";
import { rootRoutes, type Versions } from "./root.ts";
import type { Route } from "./route.ts";
import type { Secrets } from "./secrets.ts";
import { taskRoutes } from "./tasks.ts";
import { tlsMaterial } from "./tls.ts";

export interface RestOptions {
  readonly config: WorkerConfig;
  readonly versions: Versions;
  /** Null until the worker has started. */
  readonly herder: () => Herder | null;
  readonly validate: (config: PostedConfig) => Promise<ConfigInfos>;
  readonly levels: LogLevels;
  readonly requestWorker: WorkerRequest;
  readonly secrets: Secrets;
  /** Null until the worker has started. */
  readonly operations: () => Operations | null;
  readonly guard?: Guard;
  readonly audit?: Audit;
  readonly log: Logger;
}
export interface RestServer {
  /** The one that is advertised to other workers, with its port as bound. */
  readonly listener: Listener;
  readonly port: number;
  close(): Promise<void>;
}
export interface RestRoutes {
  readonly all: readonly Route[];
  /** `/admin`: on `admin.listeners` only, where that is set. */
  readonly admin: readonly Route[];
}

export function restRoutes(options: RestOptions): RestRoutes {
  const { config, secrets } = options;
  const started =
    <T>(what: () => T | null) =>
    (): T => {
      const running = what();
      if (running === null) throw new RestError(503, "Worker is still starting up.");
      return running;
    };
  const herder = started(options.herder);
  const admin = config.adminListeners?.length === 0 ? [] : loggerRoutes(herder, options.levels);
  const all: Route[] = [
    ...rootRoutes(options.herder, options.versions),
    ...connectorRoutes(herder, secrets, started(options.operations)),
    ...taskRoutes(herder, secrets),
    ...offsetRoutes(herder),
    ...topicRoutes(herder, { enabled: config.topicTracking, mayReset: config.topicTrackingReset }),
    ...pluginRoutes(options.validate, herder, secrets, started(options.operations)),
    ...operationRoutes(started(options.operations)),
    ...(config.adminListeners === null || sharesAddress(config) ? admin : []),
  ];
  all.push(...openApiRoutes(() => all, options.versions.version));
  return { all, admin };
}
/** An address may stand in both lists: it then serves everything. */
const isShared = (config: WorkerConfig, { host, port }: Listener): boolean =>
  config.listeners.some((l) => l.port === port && port !== 0 && l.host === host);
const sharesAddress = (config: WorkerConfig): boolean => config.adminListeners?.some((l) => isShared(config, l)) === true;

/** Throws ConfigError, or the listen error of node:net (EADDRINUSE, EACCES …). */
export async function openRest(options: RestOptions): Promise<RestServer> {
  const { config } = options;
  const routes = restRoutes(options);
  const apps: FastifyInstance[] = [];
  const close = async (): Promise<void> => void (await Promise.all(apps.map((app) => app.close())));
  const open = async (listener: Listener, served: readonly Route[], prefix: string): Promise<number> => {
    const app = restApp({
      ...options,
      routes: served,
      corsOrigin: config.corsOrigin,
      corsMethods: config.corsMethods,
      headers: config.responseHeaders,
      ...(listener.scheme === "https" ? { tls: tlsMaterial(config.raw, prefix) } : {}),
    });
    apps.push(app);
    await app.listen({ host: listener.host === "" ? "0.0.0.0" : listener.host, port: listener.port });
    const address = app.server.address();
    return typeof address === "object" && address !== null ? address.port : listener.port;
  };
  try {
    const ports = new Map<Listener, number>();
    for (const listener of config.listeners) ports.set(listener, await open(listener, routes.all, "listeners.https."));
    for (const listener of config.adminListeners ?? []) {
      if (!isShared(config, listener)) await open(listener, routes.admin, "admin.listeners.https.");
    }
    const listener = config.listeners.find((l) => l.scheme === config.advertisedScheme) ?? { scheme: "http", host: "", port: 0 };
    return { listener, port: ports.get(listener) ?? listener.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}
