/** What topics of one partition hold now: up to the ends they have at the call, however fast others write meanwhile. */
import { createKafkaClients } from "#broker/client/index";
import type { ConsumedRecord } from "#broker/client/types";

const PATIENCE_MS = 60_000;

/** Hands on committed records. Resolves to false when one of the topics does not exist (yet); throws when an end is not reached. */
export async function readToEnd(bootstrap: string, topics: readonly string[], each: (record: ConsumedRecord) => void): Promise<boolean> {
  const clients = createKafkaClients();
  const partitions = topics.map((topic) => ({ topic, partition: 0 }));
  const admin = await clients.admin({ "bootstrap.servers": bootstrap });
  const consumer = await clients.consumer({
    "bootstrap.servers": bootstrap,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "max.poll.records": "5000",
  });
  try {
    if ((await admin.describeTopics(topics)).size < topics.length) return false;
    const ends = await admin.endOffsets(partitions, "read_committed");
    consumer.assign(partitions);
    await consumer.seekToBeginning(partitions);
    const isLeft = (): boolean => partitions.some((p, i) => (consumer.position(p) ?? 0) < (ends[i] ?? 0));
    for (const limit = Date.now() + PATIENCE_MS; isLeft(); ) {
      for (const record of await consumer.poll(200)) each(record);
      if (Date.now() > limit) throw new Error(`${topics.join()}: the ends ${ends.join()} are not reached`);
    }
    return true;
  } finally {
    await consumer.close();
    await admin.close();
  }
}
