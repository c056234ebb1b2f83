/** `/connector-plugins`: what there is, its settings, validation. */
import { listPlugins } from "../catalog/catalog.ts";
import { type ConfigInfos } from "../catalog/config-infos.ts";
import { pluginDefinitions } from "../catalog/validate.ts";
import { badRequest, notFound } from "../herder/errors.ts";
import type { Herder, PostedConfig } from "../herder/types.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { Operations } from "./operations.ts";
import { bodies, flag, ok, param, type Route } from "./route.ts";
import type { Secrets } from "./secrets.ts";

const SUFFIX = "Connector";
const unsuffixed = (name: string): string => (name.endsWith(SUFFIX) && name.length > SUFFIX.length ? name.slice(0, -SUFFIX.length) : name);

export const pluginRoutes = (
  validate: (config: PostedConfig) => Promise<ConfigInfos>,
  herder: () => Herder,
  secrets: Secrets,
  operations: () => Operations,
): readonly Route[] => [
  {
    method: "GET",
    path: "/connector-plugins",
    handle: async (r) => ok(await listPlugins((r.query["connectorsOnly"]?.[0] ?? "true").toLowerCase() === "true")),
  },
  {
    method: "GET",
    path: "/connector-plugins/:plugin/config",
    handle: async (r) => {
      const definitions = await pluginDefinitions(param(r, "plugin"), r.query["version"]?.[0] ?? null);
      if (definitions === null) throw notFound(`Unknown plugin ${param(r, "plugin")}.`);
      return ok(definitions);
    },
  },
  {
    method: "PUT",
    path: "/connector-plugins/:plugin/config/validate",
    takesJson: true,
    harmless: true,
    handle: async (r) => {
      const posted = (await bodies()).readConfig(r.body);
      const config = await secrets.restored(posted, presentOf(herder(), posted["name"] ?? ""));
      const included = config["connector.class"];
      const asked = param(r, "plugin");
      if (included !== undefined && included !== null && !unsuffixed(included).endsWith(unsuffixed(asked))) {
        throw badRequest(`Included connector type ${included} does not match request type ${asked}`);
      }
      const infos = await validate(config);
      return ok(flag(r, "deep") ? { ...infos, checks: await operations().check(config) } : infos);
    },
  },
];
const presentOf = (herder: Herder, name: string): ConfigMap | null => (herder.connectors().includes(name) ? herder.config(name) : null);
