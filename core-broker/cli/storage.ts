/** `millrace storage`: data folders formatted by hand, told about, and cluster ids, as kafka-storage does it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomUuid, systemRandom } from "../base/random.ts";
import { brokerConfig, type Properties } from "../config.ts";
import { openDataFolders } from "../data-folder.ts";

export interface FormatOptions {
  /** Null: a new one, or that of a folder that has one. */
  readonly clusterId: string | null;
}
/** One line per folder, for people. Throws BrokerError. A folder that is formatted already stays as it is. */
export function formatStorage(properties: Properties, options: FormatOptions): readonly string[] {
  const config = brokerConfig(properties);
  const folders = openDataFolders({
    paths: config.logDirs,
    nodeId: config.nodeId,
    clusterId: options.clusterId ?? config.clusterId,
    random: systemRandom,
  });
  for (const folder of folders) folder.unlock();
  return folders.map(({ path, clusterId, formatted }) =>
    formatted
      ? `Formatted ${path} for cluster ${clusterId}, node ${config.nodeId}.`
      : `${path} was formatted already, for cluster ${clusterId}.`,
  );
}
/** What meta.properties of each folder says; a folder without one is told so. */
export function storageInfo(properties: Properties): readonly string[] {
  return brokerConfig(properties).logDirs.map((path) => {
    try {
      const lines = readFileSync(join(path, "meta.properties"), "utf8").split("\n");
      return `${path}: ${lines.filter((line) => line !== "" && !line.startsWith("#")).join(", ")}`;
    } catch {
      return `${path}: not formatted`;
    }
  });
}
/** A new cluster id. */
export const newClusterId = (): string => randomUuid(systemRandom);
