/** The REST server: routes of all resources, one mapping of errors, the headers that Kafka Connect's clients know. */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "#broker/base/logger";
import { ElsewhereError, RestError } from "../herder/errors.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import { forwardRequest } from "./forward.ts";
import { toJson } from "./json.ts";
import { KnownPaths } from "./paths.ts";
import type { Answer, RestRequest, Route } from "./route.ts";

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly requestWorker: WorkerRequest;
  /** `access.control.allow.origin` and `.methods`; empty: no CORS. */
  readonly corsOrigin: string;
  readonly corsMethods: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly log: Logger;
}
const JSON_TYPE = "application/json";
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 90_000;

export function restApp(options: AppOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    // No route has a JSON schema; without these two the compilers of such schemas are loaded all the same.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const paths = new KnownPaths(options.routes);
  app.addHook("onRequest", async (request, reply) => {
    cors(options, request, reply);
    for (const [name, value] of options.headers) reply.header(name, value);
  });
  // Fastify names a content type and a charset of its own; Kafka Connect's answers have exactly these.
  app.addHook("onSend", async (request, reply, payload) => {
    const type = String(reply.getHeader("content-type") ?? "");
    if (type.startsWith(JSON_TYPE)) reply.header("content-type", JSON_TYPE);
    if (Reflect.get(request, UNTYPED) === true) reply.removeHeader("content-type");
    return payload;
  });
  for (const route of options.routes) {
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: route.method === "GET",
      handler: (request, reply) => answer(route, options, request, reply),
    });
  }
  app.setNotFoundHandler((request, reply) => unknown(paths, request, reply));
  app.setErrorHandler((error: unknown, request, reply) => {
    const status = typeof error === "object" && error !== null && "statusCode" in error ? Number(error.statusCode) : 500;
    if (status >= 500) options.log.error(`${request.method} ${request.url} failed: ${String(error)}`);
    return sendError(reply, status, error instanceof Error ? error.message : String(error));
  });
  return app;
}

const noSchemas = (): never => {
  throw new Error("routes of this server have no JSON schemas");
};
/** Marks an answer that Jersey sends without a content type. */
const UNTYPED = Symbol("untyped");
const untyped = (request: FastifyRequest, reply: FastifyReply, status: number, text: string): FastifyReply => {
  Reflect.set(request, UNTYPED, true);
  return reply.code(status).send(toJson({ error_code: status, message: `HTTP ${status} ${text}` }));
};
const sendError = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  reply
    .code(status)
    .header("content-type", JSON_TYPE)
    .send(toJson({ error_code: status, message }));

function unknown(paths: KnownPaths, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = paths.methods(request.url.split("?")[0] ?? "/");
  if (methods === null) return untyped(request, reply, 404, "Not Found");
  if (request.method === "OPTIONS") {
    return reply.code(200).header("allow", methods.join(",")).header("content-type", "text/plain").send(methods.join(", "));
  }
  return untyped(request, reply, 405, "Method Not Allowed");
}

async function answer(route: Route, options: AppOptions, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (!accepts(request.headers.accept)) return untyped(request, reply, 406, "Not Acceptable");
  const type = request.headers["content-type"];
  if (route.takesJson === true && type !== undefined && !/^application\/(json|\*)/i.test(type)) {
    return untyped(request, reply, 415, "Unsupported Media Type");
  }
  const rest = restRequest(request);
  try {
    return send(reply, await bounded(() => handled(route, options, rest)));
  } catch (error) {
    if (error instanceof RestError) {
      if (error.status >= 500)
        options.log.error(`${request.method} ${request.url} failed: ${error.message}`, { cause: String(error.cause) });
      return sendError(reply, error.status, error.message);
    }
    throw error;
  }
}
async function handled(route: Route, options: AppOptions, request: RestRequest): Promise<Answer> {
  try {
    return await route.handle(request);
  } catch (error) {
    if (error instanceof ElsewhereError && route.forwards === true) return forwardRequest(request, error, options.requestWorker);
    throw error;
  }
}
function send(reply: FastifyReply, result: Answer): FastifyReply {
  reply.code(result.status);
  if (result.location !== undefined) reply.header("location", result.location);
  return result.body === undefined ? reply.send() : reply.header("content-type", JSON_TYPE).send(toJson(result.body));
}
async function bounded(run: () => Promise<Answer>): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new RestError(500, "Request timed out. The worker is waiting for its group or for the broker.")),
    REQUEST_TIMEOUT_MS,
  );
  try {
    return await Promise.race([run(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function restRequest(request: FastifyRequest): RestRequest {
  const url = new URL(request.url, "http://worker");
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
  const params: Record<string, string> = {};
  if (typeof request.params === "object" && request.params !== null) {
    for (const [name, value] of Object.entries(request.params)) params[name] = String(value);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = String(value);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  return { method: request.method, params, query, headers, body, path: url.pathname };
}
/** Whether the client takes JSON. */
function accepts(header: string | undefined): boolean {
  if (header === undefined || header.trim() === "") return true;
  return header.split(",").some((part) => /^\s*(\*\/\*|application\/(\*|json))\s*(;|$)/i.test(part) && !/;\s*q=0(\.0+)?\s*$/.test(part));
}
function cors(options: AppOptions, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (options.corsOrigin === "" || origin === undefined) return;
  const allowed = options.corsOrigin.split(",").map((o) => o.trim());
  if (!allowed.includes("*") && !allowed.includes(origin)) return;
  reply.header("access-control-allow-origin", origin).header("vary", "Origin");
  if (request.headers["access-control-request-method"] === undefined) return;
  reply.header("access-control-allow-methods", options.corsMethods === "" ? "GET,POST,HEAD" : options.corsMethods);
  const asked = request.headers["access-control-request-headers"];
  if (asked !== undefined) reply.header("access-control-allow-headers", asked);
}
