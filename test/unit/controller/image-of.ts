/** An image made by replaying records, without a log. */
import { MutableImage } from "#broker/controller/image";
import { metadataRecord, type MetadataRecord } from "#broker/controller/metadata-record";
import { replay } from "#broker/controller/replay";
import { registerBrokerRecord } from "#broker/protocol/state/metadata-records";

export function imageOf(records: readonly MetadataRecord[] = []): MutableImage {
  const image = new MutableImage();
  const broker = metadataRecord(registerBrokerRecord, {
    brokerId: 1,
    incarnationId: "AAAAAAAAAAAAAAAAAAAAAg",
    brokerEpoch: 0,
    endPoints: [],
    features: [],
    rack: null,
    fenced: false,
  });
  for (const [offset, record] of [broker, ...records].entries()) replay(image, record, offset);
  return image;
}
