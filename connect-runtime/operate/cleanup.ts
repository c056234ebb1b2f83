/** `DELETE /connectors/NAME?cleanup=`: what a connector leaves behind, and removing it. */
import type { Admin } from "#broker/client/types";
import type { Leftover } from "../api/diagnosis.ts";
import { badRequest } from "../herder/errors.ts";
import type { Herder } from "../herder/types.ts";
import { adminConfig, groupOf } from "../worker/client-config.ts";
import type { ConfigMap } from "../worker/types.ts";
import { inThread } from "./preview.ts";
import { untilStopped } from "./rewind.ts";

export interface CleanupItem {
  /** offsets, group, topic, or a kind of the connector's (slot, publication). */
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  readonly sql: readonly string[];
  /** In a plan: whether `cleanup=true` removes it. In an answer: whether it was removed. */
  readonly removed: boolean;
  readonly error?: string;
}
export interface CleanupPlan {
  readonly connector: string;
  readonly deleted: boolean;
  readonly items: readonly CleanupItem[];
}
export interface CleanupContext {
  readonly herder: Herder;
  readonly worker: ConfigMap;
  readonly admin: (config: ConfigMap) => Promise<Admin>;
  readonly resolve: (config: ConfigMap) => Promise<ConfigMap>;
  readonly sleep: (ms: number) => Promise<void>;
}
export const cleanupAdminConfig = (worker: ConfigMap, config: ConfigMap, name: string): ConfigMap =>
  adminConfig(worker, config, `${name}-cleanup`);

/** `wanted`: plan, true, or kinds separated by commas. Throws RestError. */
export async function cleanedUp(context: CleanupContext, name: string, wanted: string): Promise<CleanupPlan> {
  const { herder } = context;
  const config = await context.resolve(herder.config(name));
  const leftovers = await leftoversOf(context, config);
  const plan = await planned(context, name, config, leftovers);
  if (wanted === "plan") return { connector: name, deleted: false, items: plan };
  const kinds = wanted === "true" ? null : wanted.split(",").map((k) => k.trim());
  const known = new Set(["offsets", "group", "topic", "topics", ...plan.map((i) => i.kind)]);
  const unknown = kinds?.find((k) => !known.has(k));
  if (unknown !== undefined)
    throw badRequest(`cleanup=${wanted}: '${unknown}' is no kind of the plan; known are plan, true, ${[...known].join(", ")}`);
  const removes = (item: CleanupItem): boolean =>
    kinds === null ? item.removed : kinds.includes(item.kind) || kinds.includes(`${item.kind}s`);
  await herder.stop(name);
  await untilStopped(herder, name, context.sleep);
  const items: CleanupItem[] = [];
  // Offsets while the connector is still known, the rest after its tasks are gone.
  for (const item of plan)
    items.push(removes(item) ? await remove(context, { name, config, leftovers }, item) : { ...item, removed: false });
  await herder.remove(name);
  return { connector: name, deleted: true, items };
}
async function leftoversOf(context: CleanupContext, config: ConfigMap): Promise<readonly Leftover[]> {
  return (await inThread<readonly Leftover[] | null>({ kind: "diagnosis", config, ask: { method: "leftovers" } }, context.worker)) ?? [];
}
async function planned(
  context: CleanupContext,
  name: string,
  config: ConfigMap,
  leftovers: readonly Leftover[],
): Promise<readonly CleanupItem[]> {
  const { herder } = context;
  const items: CleanupItem[] = [];
  const isSink = herder.info(name).type === "sink";
  const offsets = await herder.offsets(name);
  if (offsets.length > 0) {
    const kind = isSink ? "group" : "offsets";
    const detail = isSink ? "the consumer group with its positions" : `${offsets.length} source partitions in the offset store`;
    items.push({ kind, name: isSink ? groupOf(name, config) : name, detail, sql: [], removed: true });
  }
  for (const l of leftovers) items.push({ kind: l.kind, name: l.name, detail: l.detail, sql: l.sql, removed: l.ours });
  // A sink's topics are somebody else's; a source's hold data: never without being named.
  for (const topic of isSink ? [] : herder.topics(name)) {
    items.push({
      kind: "topic",
      name: topic,
      detail: "holds the records of this source; removed only with cleanup=topics",
      sql: [],
      removed: false,
    });
  }
  return items;
}
interface Cleaned {
  readonly name: string;
  readonly config: ConfigMap;
  readonly leftovers: readonly Leftover[];
}
async function remove(context: CleanupContext, { name, config, leftovers }: Cleaned, item: CleanupItem): Promise<CleanupItem> {
  try {
    const leftover = leftovers.find((l) => l.kind === item.kind && l.name === item.name);
    if (item.kind === "offsets" || item.kind === "group") await context.herder.alterOffsets(name, null);
    else if (item.kind === "topic") await removeTopics(context, config, [item.name]);
    else if (leftover?.topics !== undefined) {
      const { names, client } = leftover.topics;
      const settings = Object.entries(client).map(([setting, value]) => [`admin.override.${setting}`, value] as const);
      await removeTopics(context, { ...config, ...Object.fromEntries(settings) }, names);
    } else if (leftover !== undefined)
      await inThread<null>({ kind: "diagnosis", config, ask: { method: "remove", leftover } }, context.worker);
    return { ...item, removed: true };
  } catch (error) {
    return { ...item, removed: false, error: error instanceof Error ? error.message : String(error) };
  }
}
/** Those that are there. */
async function removeTopics(context: CleanupContext, config: ConfigMap, names: readonly string[]): Promise<void> {
  const admin = await context.admin(config);
  try {
    const there = await admin.describeTopics(names);
    await admin.deleteTopics(names.filter((each) => there.has(each)));
  } finally {
    await admin.close();
  }
}
