/** The description has every route and nothing else, and its schemas are those that read the bodies. */
import { expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import { workerConfig } from "#connect/config";
import { LogLevels } from "#connect/rest/log-levels";
import { openApiDocument } from "#connect/rest/openapi/document";
import { OPERATIONS } from "#connect/rest/openapi/operations";
import { openSecrets } from "#connect/rest/secrets";
import { restRoutes } from "#connect/rest/server";
import { systemClock } from "#broker/base/clock";

const base = { "bootstrap.servers": "b:1", "key.converter": "k", "value.converter": "v", "offset.storage.file.filename": "f" };
const routes = restRoutes({
  config: workerConfig(base, "standalone"),
  versions: { version: "1", commit: "c" },
  herder: () => null,
  operations: () => null,
  validate: () => Promise.reject(new Error("not asked")),
  levels: new LogLevels("info", systemClock, () => {}),
  requestWorker: () => Promise.reject(new Error("not asked")),
  secrets: openSecrets(false),
  log: silentLogger,
}).all;

test("every route is described, every description has a route", () => {
  const served = routes.map((r) => `${r.method} ${r.path}`).filter((r) => !r.includes("/docs"));
  expect(served.toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
});
test("the document says statuses, bodies and parameters", () => {
  const { paths, components } = Object(openApiDocument(routes, "1"));
  const post = paths["/connectors"].post;
  expect(post.requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/CreateConnector" });
  expect(Object.keys(post.responses)).toEqual(expect.arrayContaining(["201", "400", "409", "415"]));
  expect(components.schemas.CreateConnector.properties).toHaveProperty("initial_state");
  expect(paths["/connectors/{name}/tasks/{task}/status"].get.parameters).toHaveLength(2);
  const refs = JSON.stringify(paths).match(/#\/components\/schemas\/\w+/g) ?? [];
  expect(refs.filter((r) => !(r.slice("#/components/schemas/".length) in components.schemas))).toEqual([]);
});
test("operation ids are unique", () => {
  const ids = Object.values(OPERATIONS).map((o) => o.id);
  expect(new Set(ids).size).toBe(ids.length);
});
