/** What is said once at every start: how durable an acknowledged record is, and which settings have no meaning here. */
import type { Logger } from "./base/logger.ts";
import type { BrokerConfig } from "./config.ts";
import { whyNoEffect } from "./controller/configs/no-effect.ts";
import { logConfig } from "./log/config.ts";

export function noteSettings(config: BrokerConfig, logger: Logger): void {
  if (config.unknownKeys.length > 0) logger.warn("settings that the broker does not know are ignored", { keys: config.unknownKeys });
  const without = Object.keys(config.properties).filter((name) => name !== "process.roles" && whyNoEffect(name) !== null);
  if (without.length > 0) logger.info(`settings without a meaning here: ${without.join(", ")}`);
}
export function noteDurability(properties: Readonly<Record<string, string>>, logger: Logger): void {
  logger.info(`durability: ${durability(properties)}`);
}
/** In one sentence. */
export function durability(properties: Readonly<Record<string, string>>): string {
  const { flushMessages, flushMs } = logConfig({}, properties);
  if (flushMessages === 1)
    return "records are acknowledged when they are on the disk (fsync for each request); they survive a power failure";
  const when: string[] = [];
  if (flushMessages < Number.MAX_SAFE_INTEGER) when.push(`every ${flushMessages} records`);
  if (flushMs < Number.MAX_SAFE_INTEGER) when.push(`every ${flushMs} ms`);
  const synced =
    when.length > 0
      ? `fsync ${when.join(" and ")}: what is newer is lost with the power`
      : "no fsync until a segment is full: a power failure loses what the system had not written (log.flush.interval.messages, log.flush.interval.ms)";
  return `records are acknowledged when they are in the system's page cache and survive the end of the process; ${synced}`;
}
