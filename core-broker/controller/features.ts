/** Feature levels (KIP-584): what this broker supports and what a new cluster starts with. */
import { ErrorCode } from "../protocol/errors.ts";
import { featureLevelRecord } from "../protocol/state/metadata-records.ts";
import type { MetadataImage } from "./image.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";
import type { CommandResult, Refusal } from "./topics.ts";

export interface SupportedFeature {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}
/** metadata.version 27 is 4.1-IV1. */
export const SUPPORTED_FEATURES: readonly SupportedFeature[] = [
  { name: "group.version", minVersion: 0, maxVersion: 1 },
  { name: "metadata.version", minVersion: 7, maxVersion: 27 },
  { name: "transaction.version", minVersion: 0, maxVersion: 2 },
];
const END_TXN = 26;
const CONSUMER_GROUP_HEARTBEAT = 68;
/** What a new cluster starts with: the level that the served APIs stand for. */
export function initialFeatures(isServed: (apiKey: number) => boolean): readonly MetadataRecord[] {
  const levels: [name: string, level: number][] = [["metadata.version", 27]];
  if (isServed(CONSUMER_GROUP_HEARTBEAT)) levels.push(["group.version", 1]);
  if (isServed(END_TXN)) levels.push(["transaction.version", 2]);
  return levels.map(([name, featureLevel]) => metadataRecord(featureLevelRecord, { name, featureLevel }));
}

export interface FeatureUpdate {
  readonly feature: string;
  readonly maxVersionLevel: number;
  /** 1 upgrade, 2 safe downgrade, 3 unsafe downgrade. */
  readonly upgradeType: number;
}
/** All or nothing, as since version 2 of the API. */
export function updateFeatures(image: MetadataImage, nodeId: number, updates: readonly FeatureUpdate[]): CommandResult<Refusal> {
  const records: MetadataRecord[] = [];
  for (const update of updates) {
    const refused = (why: string): CommandResult<Refusal> => {
      const text = `Invalid update version ${update.maxVersionLevel} for feature ${update.feature}. ${why}`;
      const errorMessage = `The update failed for all features since the following feature had an error: ${text}`;
      return { records: [], response: { errorCode: ErrorCode.INVALID_UPDATE_VERSION, errorMessage } };
    };
    const supported = SUPPORTED_FEATURES.find((candidate) => candidate.name === update.feature);
    if (supported === undefined) return refused(`Local controller ${nodeId} does not support this feature.`);
    const { minVersion, maxVersion } = supported;
    if (update.maxVersionLevel < minVersion || update.maxVersionLevel > maxVersion) {
      return refused(`Local controller ${nodeId} only supports versions ${minVersion}-${maxVersion}`);
    }
    const now = image.features.get(update.feature) ?? 0;
    if (update.maxVersionLevel < now && update.upgradeType === 1) {
      return refused("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.");
    }
    if (update.maxVersionLevel < now && update.feature === "metadata.version")
      return refused("Downgrading metadata.version is not supported.");
    records.push(metadataRecord(featureLevelRecord, { name: update.feature, featureLevel: update.maxVersionLevel }));
  }
  return { records, response: { errorCode: ErrorCode.NONE, errorMessage: null } };
}
