/** Settings of tasks with Kafka Connect's names and defaults. REST has validated them; here a wrong one stops the task. */
import { ConfigError } from "../api/errors.ts";
import type { ConfigMap } from "./types.ts";

export function numberOf(config: ConfigMap, name: string, otherwise: number): number {
  const text = config[name];
  if (text === undefined || text.trim() === "") return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new ConfigError(`Invalid value ${text} for configuration ${name}: Not a number of type LONG`);
  return value;
}
export function flagOf(config: ConfigMap, name: string, otherwise: boolean): boolean {
  const text = config[name]?.trim().toLowerCase();
  if (text === undefined || text === "") return otherwise;
  if (text === "true" || text === "false") return text === "true";
  throw new ConfigError(`Invalid value ${config[name] ?? ""} for configuration ${name}: Expected value to be either true or false`);
}
export function listOf(config: ConfigMap, name: string): string[] {
  return (config[name] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
/** The keys below a prefix, without it. */
export function withPrefix(config: ConfigMap, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) if (key.startsWith(prefix)) found[key.slice(prefix.length)] = value;
  return found;
}

/** `millrace.stalled.ms` of the worker: with nothing moving for so long although there is something to do, a task is stalled. */
export const stalledMsOf = (worker: ConfigMap): number => numberOf(worker, "millrace.stalled.ms", 60_000);

export interface ErrorSettings {
  readonly tolerateAll: boolean;
  /** -1: for ever. */
  readonly retryTimeoutMs: number;
  readonly retryDelayMaxMs: number;
  readonly logEnable: boolean;
  readonly logMessages: boolean;
}
export function errorSettings(config: ConfigMap): ErrorSettings {
  return {
    tolerateAll: (config["errors.tolerance"] ?? "none").toLowerCase() === "all",
    retryTimeoutMs: numberOf(config, "errors.retry.timeout", 0),
    retryDelayMaxMs: numberOf(config, "errors.retry.delay.max.ms", 60_000),
    logEnable: flagOf(config, "errors.log.enable", false),
    logMessages: flagOf(config, "errors.log.include.messages", false),
  };
}
