/** The REST server: routes of all resources, one mapping of errors, the headers that Kafka Connect's clients know. */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "#broker/base/logger";
import { ElsewhereError, RestError } from "../herder/errors.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import { forwardRequest } from "./forward.ts";
import { toJson } from "./json.ts";
import { acceptsJson, contentRefusal } from "./media-types.ts";
import { KnownPaths } from "./paths.ts";
import type { Answer, Caller, RestRequest, Route } from "./route.ts";
import type { TlsMaterial } from "./tls.ts";

/** Who may do what. */
export interface Guard {
  /** Null: an unknown caller, answered with 401. */
  identify(request: { readonly authorization: string | undefined; readonly certificate: string | null }): Caller | null;
  /** The answer of the login that is configured. */
  readonly refusal: string;
  /** Throws RestError(403). */
  allow(caller: Caller, route: Route, request: RestRequest): void;
}
/** Told of every request that changed something, or tried to. */
export type Audit = (entry: {
  readonly request: RestRequest;
  readonly address: string;
  readonly status: number;
  readonly changes: Answer["changes"];
  readonly forwarded: boolean;
}) => void;
export interface AppOptions {
  readonly routes: readonly Route[];
  readonly requestWorker: WorkerRequest;
  /** `access.control.allow.origin` and `.methods`; empty: no CORS. */
  readonly corsOrigin: string;
  readonly corsMethods: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly log: Logger;
  /** Absent: http. */
  readonly tls?: TlsMaterial;
  /** Absent: nobody has to log in. */
  readonly guard?: Guard;
  readonly audit?: Audit;
}
const JSON_TYPE = "application/json";
const MALFORMED_TYPE = "The header Content-Type is not a media type";
const BODY_BYTES_MAX = 64 * 1024 * 1024;
// Connections stay open longer than clients keep them, so that none is closed under a request.
const HTTP_OPTIONS = { maxHeaderSize: 16 * 1024, requestTimeout: 300_000, keepAliveTimeout: 72_000 };
const REQUEST_TIMEOUT_MS = 90_000;

export function restApp(options: AppOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    serverFactory: (handler) => {
      const server =
        options.tls === undefined
          ? createServer(HTTP_OPTIONS, (q, a) => handler(q, a))
          : createTlsServer({ ...HTTP_OPTIONS, ...options.tls }, (q, a) => handler(q, a));
      return server as Server;
    },
    // What Node's parser refuses before there is a request, and paths that cannot be decoded.
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => {
      // Before any hook, so past Fastify, which would name a charset.
      const status = error.statusCode ?? 400;
      reply.hijack();
      reply.raw.writeHead(status, { "content-type": JSON_TYPE }).end(toJson({ error_code: status, message: error.message }));
    },
    // No route has a JSON schema; without these two the compilers of such schemas are loaded all the same.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const paths = new KnownPaths(options.routes);
  app.addHook("onRequest", async (request, reply) => {
    cors(options, request, reply);
    for (const [name, value] of options.headers) reply.header(name, value);
  });
  // Fastify names a content type and a charset of its own; Kafka Connect's answers have exactly these.
  app.addHook("onSend", async (_request, reply, payload) => {
    const type = String(reply.getHeader("content-type") ?? "");
    if (type.startsWith(JSON_TYPE)) reply.header("content-type", JSON_TYPE);
    if (untypedReplies.has(reply)) reply.removeHeader("content-type");
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
    if (error instanceof Error && "code" in error && error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
      return sendError(reply, 400, MALFORMED_TYPE);
    if (status >= 500) options.log.error(`${request.method} ${request.url} failed: ${String(error)}`);
    return sendError(reply, status, error instanceof Error ? error.message : String(error));
  });
  return app;
}

const noSchemas = (): never => {
  throw new Error("routes of this server have no JSON schemas");
};
/** Answers that Jersey sends without a content type. */
const untypedReplies = new WeakSet<FastifyReply>();
const untyped = (reply: FastifyReply, status: number, text: string): FastifyReply => {
  untypedReplies.add(reply);
  return reply.code(status).send(toJson({ error_code: status, message: `HTTP ${status} ${text}` }));
};
const sendError = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  reply
    .code(status)
    .header("content-type", JSON_TYPE)
    .send(toJson({ error_code: status, message }));

function unknown(paths: KnownPaths, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = paths.methods(request.url.split("?")[0] ?? "/");
  if (methods === null) return untyped(reply, 404, "Not Found");
  if (request.method === "OPTIONS") {
    return reply.code(200).header("allow", methods.join(",")).header("content-type", "text/plain").send(methods.join(", "));
  }
  return untyped(reply, 405, "Method Not Allowed");
}

/** HTTP that Node's parser does not take: an answer in Kafka's shape, then the connection ends. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return;
  const [status, text] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "Request Header Fields Too Large"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Request Timeout"]
        : error.code === "HPE_INVALID_METHOD"
          ? [405, "Method Not Allowed"]
          : [400, "Bad Request"];
  const body = toJson({ error_code: status, message: `HTTP ${status} ${text}` });
  const type = status === 405 ? "" : `Content-Type: ${JSON_TYPE}\r\n`;
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`);
}

async function answer(route: Route, options: AppOptions, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (route.plain !== true && !acceptsJson(request.headers.accept)) return untyped(reply, 406, "Not Acceptable");
  const refused = contentRefusal(route, request.headers["content-type"]);
  if (refused !== null) return refused === 415 ? untyped(reply, 415, "Unsupported Media Type") : sendError(reply, 400, MALFORMED_TYPE);
  const caller = callerOf(route, options.guard, request);
  if (caller === undefined)
    return reply.code(401).header("www-authenticate", "Basic").header("content-type", JSON_TYPE).send(options.guard?.refusal);
  const rest = restRequest(request, caller);
  const audited = (status: number, changes?: Answer["changes"], forwarded = false): void => {
    if (route.method !== "GET" && route.harmless !== true)
      options.audit?.({ request: rest, address: request.ip, status, changes, forwarded });
  };
  try {
    if (caller !== null && route.needs !== "nobody" && route.needs !== "workers") options.guard?.allow(caller, route, rest);
    const [result, forwarded] = await bounded(() => handled(route, options, rest));
    audited(result.status, result.changes, forwarded);
    return send(reply, result);
  } catch (error) {
    const status = error instanceof RestError ? error.status : 500;
    audited(status);
    if (!(error instanceof RestError)) throw error;
    logFailure(options.log, request, error);
    return sendError(reply, status, error.message);
  }
}
/** 503 is no failure: the worker is starting or going down, and has said so in its own lines. */
function logFailure(log: Logger, request: FastifyRequest, error: RestError): void {
  const line = `${request.method} ${request.url} failed: ${error.message}`;
  const { cause } = error;
  if (error.status === 503) log.debug(line);
  else if (error.status >= 500) log.error(line, cause instanceof Error ? { cause: String(cause) } : undefined);
}
/** Undefined: refused; null: no login needed. */
function callerOf(route: Route, guard: Guard | undefined, request: FastifyRequest): Caller | null | undefined {
  if (guard === undefined || route.needs === "nobody" || route.needs === "workers") return null;
  return guard.identify({ authorization: request.headers.authorization, certificate: clientName(request.raw.socket) }) ?? undefined;
}
/** The common name of a client certificate that the listener has verified. */
function clientName(socket: Socket): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : null;
}
async function handled(route: Route, options: AppOptions, request: RestRequest): Promise<readonly [Answer, boolean]> {
  try {
    return [await route.handle(request), false];
  } catch (error) {
    if (error instanceof ElsewhereError && route.forwards === true)
      return [await forwardRequest(request, error, options.requestWorker), true];
    throw error;
  }
}
function send(reply: FastifyReply, result: Answer): FastifyReply {
  reply.code(result.status);
  if (result.location !== undefined) reply.header("location", result.location);
  if (result.raw !== undefined) return reply.header("content-type", result.raw.type).send(result.raw.bytes);
  return result.body === undefined ? reply.send() : reply.header("content-type", JSON_TYPE).send(toJson(result.body));
}
async function bounded<T>(run: () => Promise<T>): Promise<T> {
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

function restRequest(request: FastifyRequest, caller: Caller | null): RestRequest {
  // Not by URL, which refuses targets such as "//" that HTTP allows.
  const [path = "/", ...search] = request.url.split("?");
  const query: Record<string, string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(search.join("?"))) (query[name] ??= []).push(value);
  const params: Record<string, string> = Object.create(null);
  if (typeof request.params === "object" && request.params !== null) {
    for (const [name, value] of Object.entries(request.params)) params[name] = String(value);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = String(value);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  return { method: request.method, params, query, headers, body, path, caller, secure: request.protocol === "https" };
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
