/** `/connector-plugins`: what there is, its settings, validation. */
import { listPlugins } from "../catalog/catalog.ts";
import { type ConfigInfos } from "../catalog/config-infos.ts";
import { pluginDefinitions } from "../catalog/validate.ts";
import { badRequest, notFound } from "../herder/errors.ts";
import type { PostedConfig } from "../herder/types.ts";
import { bodies, ok, param, type Route } from "./route.ts";

const SUFFIX = "Connector";
const unsuffixed = (name: string): string => (name.endsWith(SUFFIX) && name.length > SUFFIX.length ? name.slice(0, -SUFFIX.length) : name);

export const pluginRoutes = (validate: (config: PostedConfig) => Promise<ConfigInfos>): readonly Route[] => [
  {
    method: "GET",
    path: "/connector-plugins",
    handle: async (r) => ok(await listPlugins((r.query["connectorsOnly"]?.[0] ?? "true").toLowerCase() === "true")),
  },
  {
    method: "GET",
    path: "/connector-plugins/:plugin/config",
    handle: async (r) => {
      const definitions = await pluginDefinitions(param(r, "plugin"));
      if (definitions === null) throw notFound(`Unknown plugin ${param(r, "plugin")}.`);
      return ok(definitions);
    },
  },
  {
    method: "PUT",
    path: "/connector-plugins/:plugin/config/validate",
    takesJson: true,
    handle: async (r) => {
      const config = (await bodies()).readConfig(r.body);
      const included = config["connector.class"];
      const asked = param(r, "plugin");
      if (included !== undefined && included !== null && !unsuffixed(included).endsWith(unsuffixed(asked))) {
        throw badRequest(`Included connector type ${included} does not match request type ${asked}`);
      }
      return ok(await validate(config));
    },
  },
];
