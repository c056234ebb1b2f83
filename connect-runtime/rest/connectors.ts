/** `/connectors`: creating, reading, changing, running. */
import { badRequest, RestError } from "../herder/errors.ts";
import type { Herder, PostedConfig } from "../herder/types.ts";
import type { ConfigMap, TargetState } from "../worker/types.ts";
import type { Operations } from "./operations.ts";
import { bodies, accepted, type Answer, flag, noContent, ok, param, type RestRequest, type Route } from "./route.ts";
import type { Secrets } from "./secrets.ts";

const TARGETS: Readonly<Record<string, TargetState>> = { RUNNING: "STARTED", PAUSED: "PAUSED", STOPPED: "STOPPED" };

/** The name stands in the path or beside the config; within the config it is added, or has to agree. */
function named(name: string, config: PostedConfig): PostedConfig {
  const included = config["name"];
  if (included === undefined || included === null) return { ...config, name };
  if (included === name) return config;
  throw badRequest(`Connector name configuration (${included}) doesn't match connector name in the URL (${name})`);
}
/** Longer names do not fit into the request line of every client once they are encoded. */
const NAME_BYTES_MAX = 4_096;
/** A name that can be created has to be one that a path can hold: clients resolve dots, and half a surrogate is no character. */
function checkName(name: string): void {
  const why =
    name === "." || name === ".."
      ? "Dots alone cannot stand in a path"
      : !name.isWellFormed()
        ? "String has to be well-formed Unicode"
        : encodeURIComponent(name).length > NAME_BYTES_MAX
          ? `String is longer than ${NAME_BYTES_MAX} bytes in a path`
          : null;
  if (why === null) return;
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  throw badRequest(
    `Connector configuration is invalid and contains the following 1 error(s):\nInvalid value ${shown.toWellFormed()} for configuration name: ${why}`,
  );
}
/** As the JVM writes names into paths: what RFC 3986 allows in a segment stays. */
const encodedSegment = (name: string): string => encodeURIComponent(name).replaceAll(/%(?:3A|3B|40|26|3D|2B|24|2C)/g, decodeURIComponent);
const locationOf = (request: RestRequest, name: string): string =>
  `${request.secure ? "https" : "http"}://${request.headers["host"] ?? "localhost"}/connectors/${encodedSegment(name)}`;

async function list(herder: Herder, request: RestRequest, secrets: Secrets): Promise<Answer> {
  const expansions = request.query["expand"];
  const names = herder.connectors().filter((name) => request.caller?.mayUse(name) ?? true);
  if (expansions === undefined) return ok(names);
  const out: Record<string, object> = Object.create(null);
  for (const name of names) {
    try {
      out[name] = {
        ...(expansions.includes("status") ? { status: herder.status(name) } : {}),
        ...(expansions.includes("info") ? { info: await secrets.info(herder.info(name)) } : {}),
      };
    } catch (error) {
      // Removed in between, or too new to have a status: left out of the list.
      if (!(error instanceof RestError && error.status === 404)) throw error;
    }
  }
  return ok(out);
}

/** Null: there is none of that name. */
const presentOf = (herder: Herder, name: string): ConfigMap | null => (herder.connectors().includes(name) ? herder.config(name) : null);

export function connectorRoutes(herder: () => Herder, secrets: Secrets, operations: () => Operations): readonly Route[] {
  return [
    { method: "GET", path: "/connectors", handle: (r) => list(herder(), r, secrets) },
    {
      method: "POST",
      path: "/connectors",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const body = (await bodies()).readCreateConnector(r.body);
        const name = (body.name ?? "").trim();
        checkName(name);
        const target = body.initial_state === null || body.initial_state === undefined ? null : (TARGETS[body.initial_state] ?? null);
        if (r.caller?.mayUse(name) === false) throw new RestError(403, `${r.caller.name} may not use connector ${name}`);
        const config = await secrets.restored(named(name, body.config), null);
        const { info } = await herder().put(name, config, target, false);
        return {
          status: 201,
          body: await secrets.info(info),
          location: locationOf(r, name),
          changes: await secrets.changes(null, config),
        };
      },
    },
    { method: "GET", path: "/connectors/:name", handle: async (r) => ok(await secrets.info(herder().info(param(r, "name")))) },
    {
      method: "DELETE",
      path: "/connectors/:name",
      forwards: true,
      handle: async (r) => {
        const name = param(r, "name");
        const present = presentOf(herder(), name);
        const cleanup = r.query["cleanup"]?.[0];
        const changes = await secrets.changes(present, null);
        if (cleanup !== undefined) return { ...ok(await operations().cleanup(name, cleanup)), ...(cleanup === "plan" ? {} : { changes }) };
        await herder().remove(name);
        return { ...noContent, changes };
      },
    },
    ...configRoutes(herder, secrets),
    { method: "GET", path: "/connectors/:name/status", handle: (r) => ok(herder().status(param(r, "name"))) },
    ...runRoutes(herder),
  ];
}
function configRoutes(herder: () => Herder, secrets: Secrets): readonly Route[] {
  return [
    { method: "GET", path: "/connectors/:name/config", handle: async (r) => ok(await secrets.config(herder().config(param(r, "name")))) },
    {
      method: "PUT",
      path: "/connectors/:name/config",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const name = param(r, "name").trim();
        checkName(name);
        const present = presentOf(herder(), name);
        const config = await secrets.restored(named(name, (await bodies()).readConfig(r.body)), present);
        const { created, info } = await herder().put(name, config, null, true);
        const changes = await secrets.changes(present, config);
        const shown = await secrets.info(info);
        return created ? { status: 201, body: shown, location: locationOf(r, name), changes } : { ...ok(shown), changes };
      },
    },
    {
      method: "PATCH",
      path: "/connectors/:name/config",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const name = param(r, "name");
        // Without any body an unknown connector is what is wrong; a body of another shape comes before that.
        if (/^\s*(null\s*)?$/.test(Buffer.from(r.body).toString())) herder().config(name);
        const posted = (await bodies()).readConfig(r.body);
        const present = herder().config(name);
        const patch = await secrets.restored(posted, present);
        const { info } = await herder().patch(name, patch);
        return { ...ok(await secrets.info(info)), changes: await secrets.changes(present, info.config) };
      },
    },
  ];
}
function runRoutes(herder: () => Herder): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/connectors/:name/restart",
      needs: "operate",
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
      needs: "operate",
      handle: async (r) => {
        await herder().pause(param(r, "name"));
        return accepted;
      },
    },
    {
      method: "PUT",
      path: "/connectors/:name/resume",
      needs: "operate",
      handle: async (r) => {
        await herder().resume(param(r, "name"));
        return accepted;
      },
    },
    {
      method: "PUT",
      path: "/connectors/:name/stop",
      needs: "operate",
      forwards: true,
      handle: async (r) => {
        await herder().stop(param(r, "name"));
        return noContent;
      },
    },
  ];
}
