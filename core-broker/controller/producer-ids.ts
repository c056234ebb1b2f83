/** Producer ids in blocks of a thousand (KIP-730): each is given out once in the cluster's life. */
import { producerIdsRecord } from "../protocol/state/metadata-records.ts";
import type { Controller } from "./controller.ts";
import { metadataRecord } from "./metadata-record.ts";

const BLOCK = 1000;
export function producerIdBlocks(controller: Controller, brokerId: number): { next(): Promise<{ first: number; count: number }> } {
  return {
    async next() {
      const first = controller.image.nextProducerId;
      const records = [metadataRecord(producerIdsRecord, { brokerId, nextProducerId: first + BLOCK })];
      return controller.commit({ records, response: { first, count: BLOCK } });
    },
  };
}
