/** `transforms` with their `predicates`, in order (KIP-66, KIP-585). */
import { ConfigError } from "../api/errors.ts";
import type { Transform } from "../api/plugin.ts";
import type { ConnectRecord } from "../api/record.ts";
import { fullClassName, missingClass } from "./converters.ts";
import { fuse, type FusedSteps } from "./fused-steps.ts";
import { listOf, withPrefix } from "./settings.ts";
import type { ConfigMap, PluginCatalog } from "./types.ts";

export interface ChainStep {
  readonly className: string;
  readonly transform: Transform;
  /** The transform applies where this is true. Null: always. */
  readonly when: ((record: ConnectRecord) => boolean) | null;
}

/**
 * After a throw, `at` is the step that failed and `input` the record it was given, so that a retry goes on there.
 */
export class TransformChain<R extends ConnectRecord> {
  readonly steps: readonly ChainStep[];
  at = 0;
  input: R | null = null;
  /** Steps that are done at once, by the first of them. */
  readonly #fused: readonly (FusedSteps | null)[];
  readonly #ownsRecords: boolean;

  /** `ownsRecords`: nobody else has the records that come, so the first steps may change them in place. */
  constructor(steps: readonly ChainStep[], ownsRecords = false) {
    this.steps = steps;
    this.#fused = fuse(steps);
    this.#ownsRecords = ownsRecords;
  }
  /** Null: dropped. */
  apply(record: R, from = 0): R | null {
    let current = record;
    for (let i = from; i < this.steps.length; i++) {
      const fused = this.#fused[i] ?? null;
      const made = fused?.apply(current, i === 0 && this.#ownsRecords) ?? null;
      if (fused !== null && made !== null) {
        current = made;
        i += fused.count - 1;
        continue;
      }
      const step = this.steps[i];
      if (step === undefined) break;
      this.at = i;
      this.input = current;
      if (step.when !== null && !step.when(current)) continue;
      const next = step.transform.apply(current);
      if (next === null) return null;
      current = next;
    }
    return current;
  }
  close(): void {
    for (const step of this.steps) step.transform.close?.();
  }
}

async function predicateOf(catalog: PluginCatalog, config: ConfigMap, transform: string): Promise<ChainStep["when"]> {
  const alias = config[`transforms.${transform}.predicate`];
  if (alias === undefined || alias === "") return null;
  const className = config[`predicates.${alias}.type`];
  if (className === undefined) throw new ConfigError(`Unknown predicate '${alias}' named by transforms.${transform}.predicate`);
  const plugin = await catalog.predicate(className);
  if (plugin === null) throw missingClass("Predicate", className);
  const settings = withPrefix(config, `predicates.${alias}.`);
  delete settings["type"];
  const predicate = plugin.create(settings);
  const negate = (config[`transforms.${transform}.negate`] ?? "false").trim().toLowerCase() === "true";
  return negate ? (record) => !predicate.test(record) : (record) => predicate.test(record);
}
/** Throws ConfigError or ConnectError. */
export async function createSteps(catalog: PluginCatalog, config: ConfigMap): Promise<readonly ChainStep[]> {
  const steps: ChainStep[] = [];
  for (const alias of listOf(config, "transforms")) {
    const asked = config[`transforms.${alias}.type`];
    if (asked === undefined) throw new ConfigError(`Missing required configuration "transforms.${alias}.type" which has no default value.`);
    const plugin = await catalog.transform(asked);
    if (plugin === null) throw missingClass("Transformation", asked);
    const className = fullClassName(plugin.classes, asked);
    const settings = withPrefix(config, `transforms.${alias}.`);
    for (const own of ["type", "predicate", "negate", "plugin.version"]) delete settings[own];
    steps.push({ className, transform: plugin.create(settings, className), when: await predicateOf(catalog, config, alias) });
  }
  return steps;
}
