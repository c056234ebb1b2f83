/** This node's entry in the metadata, written again when its addresses or rack changed; and what a new cluster starts with. */
import { randomUuid, type Random } from "../base/random.ts";
import { registerBrokerRecord } from "../protocol/state/metadata-records.ts";
import type { MetadataImage } from "./image.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";
import type { CommandResult } from "./topics.ts";

export interface RegistrationOptions {
  readonly nodeId: number;
  readonly rack: string | null;
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  /** Levels of a cluster that has no metadata yet. */
  readonly features: readonly MetadataRecord[];
  readonly random: Random;
}

export function registration(image: MetadataImage, options: RegistrationOptions): CommandResult<void> {
  const records: MetadataRecord[] = image.offset < 0 ? [...options.features] : [];
  const known = image.brokers.get(options.nodeId);
  const endPoints = options.endpoints.map((endpoint) => ({ ...endpoint, securityProtocol: 0 }));
  const same = known !== undefined && known.rack === options.rack && JSON.stringify(known.endpoints) === JSON.stringify(endPoints);
  if (!same) {
    records.push(
      metadataRecord(registerBrokerRecord, {
        brokerId: options.nodeId,
        incarnationId: randomUuid(options.random),
        brokerEpoch: image.offset + 1 + records.length,
        endPoints,
        features: [],
        rack: options.rack,
        fenced: false,
      }),
    );
  }
  return { records, response: undefined };
}
