/** `/openapi.json`, and `/docs` to browse it. Made at the first request: the libraries behind it are not needed for the start. */
import type { FastifyInstance } from "fastify";
import type { Answer, RestRequest, Route } from "../route.ts";
import { ok } from "../route.ts";

export function openApiRoutes(described: () => readonly Route[], version: string): readonly Route[] {
  const document = async (): Promise<object> => (await import("./document.ts")).openApiDocument(described(), version);
  let pages: Promise<FastifyInstance> | null = null;
  const page = async (request: RestRequest): Promise<Answer> => {
    pages ??= openPages(document);
    const answer = await (await pages).inject({ method: "GET", url: request.path, headers: { accept: "*/*" } });
    const { location } = answer.headers;
    const type = String(answer.headers["content-type"] ?? "text/plain");
    return { status: answer.statusCode, raw: { type, bytes: answer.rawPayload }, ...(typeof location === "string" ? { location } : {}) };
  };
  return [
    { method: "GET", path: "/openapi.json", handle: async () => ok(await document()) },
    { method: "GET", path: "/docs", plain: true, handle: page },
    { method: "GET", path: "/docs/*", plain: true, handle: page },
  ];
}
/** A server of its own that listens nowhere: its plugins must not touch the answers of the API. */
async function openPages(document: () => Promise<object>): Promise<FastifyInstance> {
  const [{ fastify }, swagger, ui] = await Promise.all([import("fastify"), import("@fastify/swagger"), import("@fastify/swagger-ui")]);
  const app = fastify({ logger: false, routerOptions: { ignoreTrailingSlash: true } });
  const specification = JSON.stringify(await document());
  await app.register(swagger.default, { mode: "static", specification: { document: JSON.parse(specification) } });
  await app.register(ui.default, { routePrefix: "/docs" });
  await app.ready();
  return app;
}
