import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { silentLogger } from "#broker/base/logger";
import { ElsewhereError, RestError } from "#connect/herder/errors";
import type { WorkerRequest } from "#connect/herder/worker-client";
import { type AppOptions, restApp } from "#connect/rest/app";
import { KnownPaths } from "#connect/rest/paths";
import { ok, param, type Route } from "#connect/rest/route";

const routes: readonly Route[] = [
  { method: "GET", path: "/", handle: () => ok({ fine: true }) },
  { method: "GET", path: "/things", handle: (r) => ok(r.query) },
  {
    method: "POST",
    path: "/things",
    takesJson: true,
    forwards: true,
    handle: () => Promise.reject(new ElsewhereError("not here", "http://leader:1/")),
  },
  { method: "GET", path: "/things/:name", handle: (r) => ok(param(r, "name")) },
  {
    method: "PUT",
    path: "/things/:name",
    forwards: true,
    handle: () => {
      throw new ElsewhereError("nobody knows", null);
    },
  },
  {
    method: "DELETE",
    path: "/things/:name",
    handle: () => {
      throw new RestError(404, "no such thing");
    },
  },
  { method: "GET", path: "/broken", handle: () => Promise.reject(new Error("oops")) },
  { method: "GET", path: "/starting", handle: () => Promise.reject(new RestError(503, "still starting")) },
  { method: "GET", path: "/causeless", handle: () => Promise.reject(new RestError(500, "no cause")) },
  { method: "GET", path: "/caused", handle: () => Promise.reject(new RestError(500, "a cause", new Error("the disk"))) },
  { method: "GET", path: "/big", handle: () => ok({ n: 9007199254740993n }) },
];
let app: FastifyInstance | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});
async function started(more: Partial<AppOptions> = {}): Promise<string> {
  const unreachable: WorkerRequest = () => Promise.reject(new RestError(500, "unreachable"));
  app = restApp({ routes, requestWorker: unreachable, corsOrigin: "", corsMethods: "", headers: [], log: silentLogger, ...more });
  return app.listen({ host: "127.0.0.1", port: 0 });
}
const type = (r: Response): string | null => r.headers.get("content-type");

describe("answers", () => {
  test("have exactly Kafka Connect's content type; parameters are decoded, queries repeat, big integers stay exact", async () => {
    const url = await started();
    const root = await fetch(`${url}/`);
    expect(type(root)).toBe("application/json");
    expect(await (await fetch(`${url}/things/a%2Fb%20%C3%A9`)).json()).toBe("a/b é");
    expect(await (await fetch(`${url}/things/?expand=a&expand=b`)).json()).toEqual({ expand: ["a", "b"] });
    expect(await (await fetch(`${url}/big`)).text()).toBe('{"n":9007199254740993}');
    const head = await fetch(`${url}/`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
  test("errors have a code and a message; unknown paths and methods carry no content type", async () => {
    const url = await started();
    for (const [method, path, status, message, contentType] of [
      ["DELETE", "/things/x", 404, "no such thing", "application/json"],
      ["GET", "/broken", 500, "oops", "application/json"],
      ["GET", "/nope", 404, "HTTP 404 Not Found", null],
      ["PATCH", "/things/x", 405, "HTTP 405 Method Not Allowed", null],
    ] as const) {
      const response = await fetch(`${url}${path}`, { method });
      expect([response.status, type(response)]).toEqual([status, contentType]);
      expect(await response.json()).toEqual({ error_code: status, message });
    }
    expect((await fetch(`${url}/`, { headers: { accept: "text/html" } })).status).toBe(406);
    expect((await fetch(`${url}/`, { headers: { accept: "text/html, application/*;q=0.5" } })).status).toBe(200);
    expect((await fetch(`${url}/things`, { method: "POST", body: "a=b" })).status).toBe(415);
    // As JAX-RS does: by the header, whether or not there is content; a quality of 0 refuses nothing.
    const withType = async (path: string, kind: string): Promise<number> =>
      (await fetch(url + path, { headers: { "content-type": kind } })).status;
    expect(
      await Promise.all(["text/plain", "application/json;charset=utf-8", "application/*", "foo"].map((k) => withType("/things", k))),
    ).toEqual([415, 200, 200, 400]);
    expect(await withType("/", "text/plain")).toBe(200);
    expect((await fetch(`${url}/`, { headers: { accept: "application/json;q=0" } })).status).toBe(200);
    const options = await fetch(`${url}/things`, { method: "OPTIONS" });
    expect([options.headers.get("allow"), type(options)]).toEqual(["HEAD,POST,GET,OPTIONS", "text/plain"]);
  });
  test("failures are logged with the cause that they have; a worker that is starting is none", async () => {
    const lines: unknown[] = [];
    const error = (...line: unknown[]): void => void lines.push(line.filter((part) => part !== undefined));
    const url = await started({ log: { ...silentLogger, error, warn: error } });
    for (const path of ["starting", "causeless", "caused"]) await fetch(`${url}/${path}`);
    expect(lines).toEqual([["GET /causeless failed: no cause"], ["GET /caused failed: a cause", { cause: "Error: the disk" }]]);
  });
  test("request lines that no client should send are refused in Kafka's shape", async () => {
    const { port } = new URL(await started());
    const raw = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let answer = "";
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(text));
        socket.on("data", (chunk) => (answer += String(chunk)));
        socket.on("close", () => resolve(answer));
        socket.on("error", reject);
      });
    const get = (target: string): Promise<string> => raw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    for (const answer of [await get("/x%zz"), await get("/things/%ff%fe"), await raw("GET nonsense\r\n\r\n")]) {
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      expect(answer).toContain('{"error_code":400,"message":');
    }
    expect(await get("/x%zz")).toContain("content-type: application/json\r\n");
    const unheard = await raw("NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(unheard).toMatch(/^HTTP\/1.1 405 /);
    expect(unheard).not.toContain("Content-Type");
    expect(await get("//")).not.toMatch(/^HTTP\/1.1 5/);
    expect(await raw(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  });
  test("CORS only for allowed origins, with the configured methods", async () => {
    const url = await started({ corsOrigin: "http://ui.example", corsMethods: "GET,PUT", headers: [["X-Frame-Options", "DENY"]] });
    const allowed = await fetch(`${url}/`, { headers: { origin: "http://ui.example" } });
    expect(allowed.headers.get("access-control-allow-origin")).toBe("http://ui.example");
    expect(allowed.headers.get("x-frame-options")).toBe("DENY");
    expect((await fetch(`${url}/`, { headers: { origin: "http://evil.example" } })).headers.get("access-control-allow-origin")).toBeNull();
    const preflight = await fetch(`${url}/things`, {
      method: "OPTIONS",
      headers: { origin: "http://ui.example", "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
    });
    expect(preflight.headers.get("access-control-allow-methods")).toBe("GET,PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
  });
});
describe("forwarding", () => {
  test("takes two hops and no more, with the body, the query and the signature", async () => {
    const sent: unknown[] = [];
    const url = await started({
      requestWorker: async (...call) => {
        sent.push(call);
        return { status: 201, body: '{"made":1}', location: "http://leader:1/things/x" };
      },
    });
    const post = (query: string): Promise<Response> =>
      fetch(`${url}/things${query}`, {
        method: "POST",
        body: '{"a":1}',
        headers: { "content-type": "application/json", "x-connect-authorization": "sig" },
      });
    const first = await post("?x=1");
    expect([first.status, first.headers.get("location"), await first.json()]).toEqual([201, "http://leader:1/things/x", { made: 1 }]);
    expect((await post("?forward=true")).status).toBe(201);
    const third = await post("?forward=false");
    expect(third.status).toBe(409);
    expect(sent).toEqual([
      ["POST", "http://leader:1/things?x=1&forward=true", { "X-Connect-Authorization": "sig" }, '{"a":1}', 90_000],
      ["POST", "http://leader:1/things?forward=false", { "X-Connect-Authorization": "sig" }, '{"a":1}', 90_000],
    ]);
  });
  test("an unknown leader is a conflict; the other worker's error is passed on", async () => {
    const url = await started({
      requestWorker: async () => ({ status: 404, body: '{"error_code":404,"message":"not there"}', location: null }),
    });
    const unknown = await fetch(`${url}/things/x`, { method: "PUT" });
    expect(unknown.status).toBe(409);
    expect(await unknown.json()).toEqual({
      error_code: 409,
      message: "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
    });
    const passed = await fetch(`${url}/things`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    expect([passed.status, await passed.json()]).toEqual([404, { error_code: 404, message: "not there" }]);
  });
});
test("paths know their methods", () => {
  const paths = new KnownPaths(routes);
  expect(paths.methods("/things/x/")).toEqual(["HEAD", "DELETE", "GET", "OPTIONS", "PUT"]);
  expect(paths.methods("/things/x/y")).toBeNull();
  expect(paths.methods("/")).toEqual(["HEAD", "GET", "OPTIONS"]);
});
