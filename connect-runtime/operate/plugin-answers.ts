/** What plugins are asked through REST: checks, previews, trials. Their answers leave without the secrets of the configuration. */
import type { ClientConfig } from "#broker/client/types";
import { ConnectError } from "../api/errors.ts";
import { catalog } from "../catalog/catalog.ts";
import { RestError } from "../herder/errors.ts";
import type { PostedConfig } from "../herder/types.ts";
import type { Operations } from "../rest/operations.ts";
import { sinkConsumerConfig } from "../worker/client-config.ts";
import { declaredSecrets } from "../worker/declared-secrets.ts";
import { type Hiding, hiddenTexts, scrubber } from "../worker/secrets.ts";
import type { ConfigMap } from "../worker/types.ts";
import { runChecks } from "./checks.ts";
import type { OperationsOptions } from "./operations.ts";
import { inThread } from "./preview.ts";

type Options = Pick<OperationsOptions, "herder" | "secrets" | "resolve" | "workerConfig">;
export interface PluginAnswers {
  readonly operations: Pick<Operations, "check" | "checkConnector" | "preview" | "tryTransforms">;
  /** Of a connector that is there: its configuration comes with references resolved. */
  of(name: string, run: (config: ConfigMap) => Promise<unknown>): Promise<unknown>;
}
const PREVIEW_DEFAULT = 5;

export async function hidingOf(raw: ConfigMap, resolve: OperationsOptions["resolve"]): Promise<Hiding> {
  const config = await resolve(raw);
  return scrubber(raw, config, await declaredSecrets(catalog, config));
}
export function pluginAnswers(options: Options): PluginAnswers {
  const { herder, workerConfig } = options;
  /** What plugins answer may quote their configuration: its secrets are taken out of it, and of what they throw. */
  const asked = (given: () => Promise<ConfigMap>, run: (config: ConfigMap) => Promise<unknown>): Promise<unknown> =>
    told(async () => {
      const raw = await given();
      const config = await options.resolve(raw);
      const hide = scrubber(raw, config, await declaredSecrets(catalog, config));
      try {
        return hiddenTexts(await run(config), hide);
      } catch (error) {
        if (error instanceof ConnectError) throw new RestError(400, hide(error.message), error);
        throw error;
      }
    });
  const configOf = async (name: string): Promise<ConfigMap> => herder.config(name);
  const of = (name: string, run: (config: ConfigMap) => Promise<unknown>): Promise<unknown> => asked(() => configOf(name), run);
  return {
    of,
    operations: {
      check: (given) =>
        asked(
          () => posted(options, given, null),
          (config) => runChecks(config, workerConfig),
        ),
      checkConnector: (name) => of(name, (config) => runChecks(config, workerConfig)),
      preview: (name, given, limit) =>
        asked(
          () => (given === null ? configOf(known(name)) : posted(options, given, name)),
          (config) => {
            const called = name ?? config["name"] ?? "preview";
            const consumer = consumerConfig(workerConfig, config, called);
            const job = { kind: "preview", name: called, config, worker: workerConfig, limit: limit ?? PREVIEW_DEFAULT, consumer } as const;
            return inThread(job, workerConfig);
          },
        ),
      tryTransforms: (given, records) =>
        asked(
          () => posted(options, given, null),
          (config) => inThread({ kind: "transforms", config, records }, workerConfig),
        ),
    },
  };
}
function known(name: string | null): string {
  if (name === null) throw new RestError(400, "The request's body does not fit: 'config' is needed, there is no connector to take it from");
  return name;
}
export function consumerConfig(worker: ConfigMap, config: ConfigMap, name: string): ClientConfig {
  const { "group.id": _group, ...rest } = sinkConsumerConfig(worker, config, { connector: `${name}-look`, task: 0 });
  return rest;
}
/** A posted configuration, masks replaced by what the connector of that name has. */
async function posted({ herder, secrets }: Options, config: PostedConfig, name: string | null): Promise<ConfigMap> {
  const present = name ?? config["name"] ?? "";
  const restored = await secrets.restored(config, herder.connectors().includes(present) ? herder.config(present) : null);
  const strings: Record<string, string> = {};
  for (const [key, value] of Object.entries(restored)) if (value !== null) strings[key] = value;
  return strings;
}
/** What a plugin, a client or a setting is to blame for is the caller's to mend. */
export async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ConnectError) throw new RestError(400, error.message, error);
    throw error;
  }
}
