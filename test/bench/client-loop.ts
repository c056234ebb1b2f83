/**
 * What the client alone costs: appends and sends N records, reads them back, prints records/s and this process's CPU seconds
 * per million. `node test/bench/client-loop.ts HOST:PORT [records] [value bytes] [batch.size]`; the broker is somebody else's
 * process, so that its CPU does not count here.
 */
import { loadavg } from "node:os";
import { createKafkaClients } from "#broker/client/index";

const [bootstrap = "127.0.0.1:9092", records = "1000000", valueBytes = "300", batchSize = "1048576"] = process.argv.slice(2);
const count = Number(records);
const base = { "bootstrap.servers": bootstrap };
const topic = `client-loop-${Date.now()}`;
const clients = createKafkaClients();

async function measured(what: string, work: () => Promise<number>): Promise<void> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const done = await work();
  const seconds = (performance.now() - begun) / 1000;
  const used = process.cpuUsage(cpu);
  const rss = Math.round(process.memoryUsage().rss / 1e6);
  const perMillion = (used.user + used.system) / done;
  console.log(`${what}: ${Math.round(done / seconds)} records/s, ${perMillion.toFixed(2)} CPU s per million, ${rss} MB resident`);
}
async function produce(): Promise<number> {
  const producer = await clients.producer({ ...base, "batch.size": batchSize, "linger.ms": "0", "max.request.size": "4000000" });
  await producer.partitions(topic);
  let failed = 0;
  producer.onSettled = (delivery) => {
    if (delivery.state === "failed") failed++;
  };
  const key = Buffer.from("key-123456");
  const value = Buffer.alloc(Number(valueBytes), "x");
  const now = Date.now();
  for (let i = 0; i < count; i++) {
    producer.append(topic, 0, key, value, now, []);
    if (producer.bufferedBytes > 30_000_000) await producer.room();
    // Sources append in bursts of about this size, one per read from their database.
    else if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await producer.close();
  if (failed > 0) throw new Error(`${failed} batches failed`);
  return count;
}
async function consume(): Promise<number> {
  const consumer = await clients.consumer({
    ...base,
    "auto.offset.reset": "earliest",
    "max.poll.records": "5000",
    "max.partition.fetch.bytes": "4000000",
  });
  consumer.assign([{ topic, partition: 0 }]);
  let read = 0;
  while (read < count) read += (await consumer.poll(1000)).length;
  await consumer.close();
  return read;
}
const admin = await clients.admin(base);
await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
console.log(
  `${count} records of ${valueBytes} bytes, batch.size ${batchSize}, load ${loadavg()
    .map((each) => each.toFixed(1))
    .join(" ")}`,
);
await measured("produce", produce);
await measured("consume", consume);
await admin.deleteTopics([topic]);
await admin.close();
