/** `/connectors`: creating, reading, changing, running. */
import { badRequest, RestError } from "../herder/errors.ts";
import type { Herder, PostedConfig } from "../herder/types.ts";
import type { TargetState } from "../worker/types.ts";
import { bodies, accepted, type Answer, flag, noContent, ok, param, type RestRequest, type Route } from "./route.ts";

const TARGETS: Readonly<Record<string, TargetState>> = { RUNNING: "STARTED", PAUSED: "PAUSED", STOPPED: "STOPPED" };

/** The name stands in the path or beside the config; within the config it is added, or has to agree. */
function named(name: string, config: PostedConfig): PostedConfig {
  const included = config["name"];
  if (included === undefined || included === null) return { ...config, name };
  if (included === name) return config;
  throw badRequest(`Connector name configuration (${included}) doesn't match connector name in the URL (${name})`);
}
const locationOf = (request: RestRequest, name: string): string =>
  `http://${request.headers["host"] ?? "localhost"}/connectors/${encodeURIComponent(name)}`;

function list(herder: Herder, expansions: readonly string[] | undefined): Answer {
  const names = herder.connectors();
  if (expansions === undefined) return ok(names);
  const out: Record<string, object> = {};
  for (const name of names) {
    try {
      out[name] = {
        ...(expansions.includes("status") ? { status: herder.status(name) } : {}),
        ...(expansions.includes("info") ? { info: herder.info(name) } : {}),
      };
    } catch (error) {
      // Removed in between, or too new to have a status: left out of the list.
      if (!(error instanceof RestError && error.status === 404)) throw error;
    }
  }
  return ok(out);
}

export function connectorRoutes(herder: () => Herder): readonly Route[] {
  return [
    { method: "GET", path: "/connectors", handle: (r) => list(herder(), r.query["expand"]) },
    {
      method: "POST",
      path: "/connectors",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const body = (await bodies()).readCreateConnector(r.body);
        const name = (body.name ?? "").trim();
        const target = body.initial_state === null || body.initial_state === undefined ? null : (TARGETS[body.initial_state] ?? null);
        const { info } = await herder().put(name, named(name, body.config), target, false);
        return { status: 201, body: info, location: locationOf(r, name) };
      },
    },
    { method: "GET", path: "/connectors/:name", handle: (r) => ok(herder().info(param(r, "name"))) },
    {
      method: "DELETE",
      path: "/connectors/:name",
      forwards: true,
      handle: async (r) => {
        await herder().remove(param(r, "name"));
        return noContent;
      },
    },
    { method: "GET", path: "/connectors/:name/config", handle: (r) => ok(herder().config(param(r, "name"))) },
    {
      method: "PUT",
      path: "/connectors/:name/config",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const name = param(r, "name").trim();
        const { created, info } = await herder().put(name, named(name, (await bodies()).readConfig(r.body)), null, true);
        return created ? { status: 201, body: info, location: locationOf(r, name) } : ok(info);
      },
    },
    {
      method: "PATCH",
      path: "/connectors/:name/config",
      takesJson: true,
      forwards: true,
      handle: async (r) => ok((await herder().patch(param(r, "name"), (await bodies()).readConfig(r.body))).info),
    },
    { method: "GET", path: "/connectors/:name/status", handle: (r) => ok(herder().status(param(r, "name"))) },
    ...runRoutes(herder),
  ];
}
function runRoutes(herder: () => Herder): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/connectors/:name/restart",
      forwards: true,
      handle: async (r) => {
        const request = { connector: param(r, "name"), includeTasks: flag(r, "includeTasks"), onlyFailed: flag(r, "onlyFailed") };
        if (request.includeTasks || request.onlyFailed) return { status: 202, body: await herder().restartWithTasks(request) };
        await herder().restart(request.connector);
        return noContent;
      },
    },
    {
      method: "PUT",
      path: "/connectors/:name/pause",
      handle: async (r) => {
        await herder().pause(param(r, "name"));
        return accepted;
      },
    },
    {
      method: "PUT",
      path: "/connectors/:name/resume",
      handle: async (r) => {
        await herder().resume(param(r, "name"));
        return accepted;
      },
    },
    {
      method: "PUT",
      path: "/connectors/:name/stop",
      forwards: true,
      handle: async (r) => {
        await herder().stop(param(r, "name"));
        return noContent;
      },
    },
  ];
}
