/** What the database connectors' deeper validation has in common: it looks further only where the declaration found nothing; offsets. */
import { isBackfillPartition } from "#connect/api/backfill";
import type { ConfigFinding, RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import type { SourceOffset, SourcePartition } from "#connect/api/record";

/** Connecting must not hold up the answer for longer. */
export const VALIDATION_TIMEOUT_MS = 8000;

/** A problem that only the server could tell. */
export interface ServerProblem {
  readonly setting: string;
  readonly message: string;
}
export interface ConnectorChecks {
  /** Throws ConfigError, naming the setting, for what is not supported. */
  readonly refuse: (config: RawConfig) => void;
  /** Without all of these no server is asked. */
  readonly needed: readonly string[];
  /** The settings under their current names. */
  readonly current?: (config: RawConfig) => RawConfig;
  /** Asks the server. Null: nothing is wrong. */
  readonly serverProblem: (config: RawConfig) => Promise<ServerProblem | null>;
}

/** `SourceConnectorPlugin.validate`. */
export const validation =
  ({ refuse, needed, current, serverProblem }: ConnectorChecks) =>
  async (config: RawConfig, findings: readonly ConfigFinding[]): Promise<readonly ConfigFinding[]> => {
    if (findings.some((f) => f.errors.length > 0)) return [];
    try {
      refuse(config);
      const all = current?.(config) ?? config;
      if (needed.some((name) => !all[name])) return [];
      const problem = await serverProblem(config);
      return problem === null ? [] : [finding(config, findings, problem)];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const setting = /'([^']+)'/.exec(error.message)?.[1] ?? "database.hostname";
      return [finding(config, findings, { setting, message: error.message })];
    }
  };
function finding(config: RawConfig, findings: readonly ConfigFinding[], { setting, message }: ServerProblem): ConfigFinding {
  const known = findings.find((f) => f.name === setting);
  return {
    name: setting,
    value: known?.value ?? config[setting] ?? null,
    recommendedValues: known?.recommendedValues ?? [],
    errors: [...(known?.errors ?? []), message],
    visible: known?.visible ?? true,
  };
}

export interface OffsetForm {
  /** Names of the partition's fields, with what stands in them. */
  readonly partition: Readonly<Record<string, string>>;
  readonly readable: (offset: SourceOffset) => boolean;
  /** As in "The offset must have …". */
  readonly fields: string;
}
/** Offsets that somebody wants to store. Throws ConfigError where the connector could not read them. */
export function checkOffsets(
  offsets: readonly { readonly partition: SourcePartition | null; readonly offset: SourceOffset | null }[],
  { partition: form, readable, fields }: OffsetForm,
): void {
  const shown = Object.entries(form).map(([name, value]) => `"${name}": "${value}"`);
  for (const { partition, offset } of offsets) {
    if (partition !== null && isBackfillPartition(partition)) continue;
    if (partition !== null && Object.keys(form).some((name) => typeof partition[name] !== "string"))
      throw new ConfigError(`The partition must be {${shown.join(", ")}}`);
    if (offset !== null && !readable(offset)) throw new ConfigError(`The offset must have ${fields}`);
  }
}
