/** `millrace broker format | info | random-uuid`: data folders by hand, with the words of kafka-storage where scripts read them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { BrokerError } from "../base/errors.ts";
import { silentLogger } from "../base/logger.ts";
import { randomUuid, systemRandom } from "../base/random.ts";
import { brokerConfig, type Properties } from "../config.ts";
import { type Controller, openController } from "../controller/controller.ts";
import { initialFeatures, updateFeatures } from "../controller/features.ts";
import { alterScram } from "../controller/scram.ts";
import { openDataFolders } from "../data-folder.ts";
import { scramUpsertion } from "./scram-argument.ts";

export interface FormatOptions {
  readonly clusterId: string;
  readonly ignoreFormatted: boolean;
  /** --add-scram, as given. */
  readonly scram: readonly string[];
  /** --feature name=level. */
  readonly features: readonly string[];
  /** --standalone: the words of a dynamic quorum; the folder is the same. */
  readonly standalone: boolean;
}
const RELEASE = "4.1-IV1";
const isFormatted = (path: string): boolean => existsSync(join(path, "meta.properties"));
const invalid = (message: string): BrokerError => new BrokerError("INVALID_CONFIG", message);

/** What was done, one line per folder. Throws BrokerError; nothing is formatted then. */
export function formatStorage(properties: Properties, options: FormatOptions): readonly string[] {
  const config = brokerConfig(properties);
  const upsertions = options.scram.map(scramUpsertion);
  if (!/^[A-Za-z0-9_-]{22}$/.test(options.clusterId)) {
    throw invalid(`Cluster ID string ${options.clusterId} does not appear to be a valid UUID: 22 characters of base64url are expected.`);
  }
  const before = config.logDirs.filter(isFormatted);
  const [known] = before;
  if (known !== undefined && !options.ignoreFormatted) {
    throw invalid(`Log directory ${known} is already formatted. Use --ignore-formatted to ignore this directory and format the others.`);
  }
  const folders = openDataFolders({
    paths: config.logDirs,
    nodeId: config.nodeId,
    clusterId: options.clusterId,
    random: systemRandom,
  });
  try {
    const [first] = config.logDirs;
    if (first !== undefined && !before.includes(first)) bootstrap(first, config.nodeId, options.features, upsertions);
  } finally {
    for (const folder of folders) folder.unlock();
  }
  if (before.length === config.logDirs.length) return ["All of the log directories are already formatted."];
  return config.logDirs
    .filter((path) => !before.includes(path))
    .map((path) => {
      const what = path !== config.logDirs[0] ? "data" : options.standalone ? "dynamic metadata voter" : "metadata";
      return `Formatting ${what} directory ${path} with metadata.version ${RELEASE}.`;
    });
}
/** The metadata that the cluster begins with. */
function bootstrap(
  path: string,
  nodeId: number,
  features: readonly string[],
  upsertions: readonly ReturnType<typeof scramUpsertion>[],
): void {
  const { controller } = openController({ dataDirectory: path, clock: systemClock, logger: silentLogger });
  try {
    if (controller.image.offset < 0) controller.commit({ records: initialFeatures(() => true), response: null });
    setFeatures(controller, nodeId, features);
    for (const { user, errorMessage } of controller.commit(alterScram(controller.image, [], upsertions))) {
      if (errorMessage !== null) throw invalid(`--add-scram of ${user}: ${errorMessage}`);
    }
  } finally {
    controller.close();
  }
}
function setFeatures(controller: Controller, nodeId: number, features: readonly string[]): void {
  if (features.length === 0) return;
  const updates = features.map((text) => {
    const [feature = "", level = ""] = text.split("=");
    if (!/^\d+$/.test(level)) throw invalid(`Can't parse feature=level string ${text}: equals sign or level not found.`);
    return { feature: feature.trim(), maxVersionLevel: Number(level), upgradeType: 2 };
  });
  const { errorMessage } = controller.commit(updateFeatures(controller.image, nodeId, updates));
  if (errorMessage !== null) throw invalid(errorMessage);
}

/** What meta.properties of each folder says, and what is wrong. */
export function storageInfo(properties: Properties): { readonly text: string; readonly problems: boolean } {
  const { logDirs } = brokerConfig(properties);
  const problems: string[] = [];
  const found: string[] = [];
  let metadata: string | null = null;
  for (const path of logDirs) {
    if (!existsSync(path)) problems.push(`${path} does not exist`);
    else if (isFormatted(path)) {
      found.push(path);
      metadata ??= metaOf(path);
    } else problems.push(`${path} is not formatted.`);
  }
  let text = "";
  if (found.length > 0) text += `Found log ${found.length === 1 ? "directory" : "directories"}:\n${indented(found)}\n`;
  if (metadata !== null) text += `Found metadata: ${metadata}\n\n`;
  if (problems.length > 0) text += `Found ${problems.length === 1 ? "problem" : "problems"}:\n${indented(problems)}\n`;
  return { text, problems: problems.length > 0 };
}
const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join("");
/** As Java prints a map whose keys are sorted. */
function metaOf(path: string): string {
  const lines = readFileSync(join(path, "meta.properties"), "utf8").split("\n");
  const entries = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return `{${entries.sort().join(", ")}}`;
}
/** A new cluster id. */
export const newClusterId = (): string => randomUuid(systemRandom);
