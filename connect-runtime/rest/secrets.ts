/**
 * Secrets in configurations: what is shown is masked, and the mask sent back means "as it was". Secret is what a plugin declares
 * as PASSWORD, and what has a name like one. A value that is a `${provider:…}` reference says nothing and stays.
 */
import { catalog } from "../catalog/catalog.ts";
import { declaredSecrets } from "../worker/declared-secrets.ts";
import { isMasked, MASK, maskValue } from "../worker/secrets.ts";
import { badRequest } from "../herder/errors.ts";
import type { ConnectorInfo, PostedConfig, TaskInfo } from "../herder/types.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { Changes } from "./route.ts";

export interface Secrets {
  config(config: ConfigMap): Promise<ConfigMap>;
  info(info: ConnectorInfo): Promise<ConnectorInfo>;
  tasks(tasks: readonly TaskInfo[]): Promise<readonly TaskInfo[]>;
  /** What was posted, with masks replaced by the present values. Throws RestError(400) for a mask of nothing. */
  restored(posted: PostedConfig, present: ConfigMap | null): Promise<PostedConfig>;
  /** For the audit log: always masked. */
  changes(before: ConfigMap | null, after: PostedConfig | null): Promise<Changes>;
}
/** `visible`: Kafka Connect's behaviour (`millrace.rest.secrets=visible`), values are shown as they are. */
export function openSecrets(visible: boolean): Secrets {
  const mask = async (config: ConfigMap): Promise<ConfigMap> => masked(config, await declaredSecrets(catalog, config));
  const shown = (config: ConfigMap): Promise<ConfigMap> => (visible ? Promise.resolve(config) : mask(config));
  return {
    config: shown,
    info: async (info) => ({ ...info, config: await shown(info.config) }),
    tasks: (tasks) => Promise.all(tasks.map(async (t) => ({ id: t.id, config: await shown(t.config) }))),
    async restored(posted, present) {
      if (visible || !Object.values(posted).some((v) => v?.includes(MASK) === true)) return posted;
      const names = await declaredSecrets(catalog, { ...present, ...withoutNulls(posted) });
      const before = present === null ? {} : masked(present, names);
      const restored: Record<string, string | null> = {};
      for (const [key, value] of Object.entries(posted)) {
        if (value?.includes(MASK) !== true) restored[key] = value;
        else if (present?.[key] !== undefined && before[key] === value) restored[key] = present[key];
        else if (isMasked(key, value, names)) {
          throw badRequest(
            `'${key}' is ${value}, the mask of a secret, and there is no present value that it could stand for. Send the value itself.`,
          );
        } else restored[key] = value;
      }
      return restored;
    },
    async changes(before, after) {
      const old = before === null ? {} : await mask(before);
      const given = after === null ? {} : withoutNulls(after);
      const next = await mask(given);
      const changes: Record<string, readonly [string | null, string | null]> = {};
      for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
        if (before?.[key] !== given[key]) changes[key] = [old[key] ?? null, next[key] ?? null];
      }
      return changes;
    },
  };
}
const withoutNulls = (config: PostedConfig): ConfigMap =>
  Object.fromEntries(Object.entries(config).flatMap(([k, v]) => (v === null ? [] : [[k, v]])));
const masked = (config: ConfigMap, names: ReadonlySet<string>): ConfigMap =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, maskValue(key, value, names)]));
