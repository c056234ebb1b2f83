/** FileStream source and sink with a chain of five transforms: records per second, CPU and memory. */
import { closeSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKafkaClients } from "#broker/client/index";
import { sample, type Sample } from "../process-sample.ts";
import { type RunningWorker, sleep } from "./workers.ts";

const TRANSFORMS = "org.apache.kafka.connect.transforms";
const FIVE: Readonly<Record<string, string>> = {
  transforms: "hoist,source,topic,rename,mask",
  "transforms.hoist.type": `${TRANSFORMS}.HoistField$Value`,
  "transforms.hoist.field": "line",
  "transforms.source.type": `${TRANSFORMS}.InsertField$Value`,
  "transforms.source.static.field": "src",
  "transforms.source.static.value": "bench",
  "transforms.topic.type": `${TRANSFORMS}.InsertField$Value`,
  "transforms.topic.topic.field": "tp",
  "transforms.rename.type": `${TRANSFORMS}.ReplaceField$Value`,
  "transforms.rename.renames": "line:text",
  "transforms.mask.type": `${TRANSFORMS}.MaskField$Value`,
  "transforms.mask.fields": "src",
};
const STRING = "org.apache.kafka.connect.storage.StringConverter";
const LIMIT_MS = 600_000;

export interface Flow extends Sample {
  readonly perSecond: number;
}
export async function put(rest: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  for (let i = 0; ; i++) {
    const response = await fetch(`${rest}/connectors/${name}/config`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(config),
    });
    if (response.ok) return;
    if (response.status !== 409 || i > 200) throw new Error(`PUT ${name}: ${response.status} ${await response.text()}`);
    await sleep(50);
  }
}
export async function remove(rest: string, name: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const { status } = await fetch(`${rest}/connectors/${name}`, { method: "DELETE" });
    if (status !== 409) return;
    await sleep(50);
  }
}
/** `count` lines of 100 bytes with the line feed. */
export function linesFile(folder: string, count: number): string {
  const file = join(folder, "lines.txt");
  const tail = "abcdefghijklmnopqrstuvwxyz".repeat(4).slice(0, 88);
  const out = openSync(file, "w");
  for (let i = 0; i < count; i += 10_000) {
    let block = "";
    for (let n = i; n < Math.min(count, i + 10_000); n++) block += `${String(n).padStart(10, "0")} ${tail}\n`;
    writeFileSync(out, block);
  }
  closeSync(out);
  return file;
}
/** Times from the first progress that is seen to the last record. */
async function timed(
  worker: RunningWorker,
  name: string,
  count: number,
  begin: () => Promise<void>,
  seen: () => Promise<number>,
): Promise<Flow> {
  const used = sample(worker.pid);
  await begin();
  const begun = performance.now();
  let first: { at: number; count: number } | null = null;
  for (let now = 0; now < count; await sleep(10)) {
    now = await seen();
    if (first === null && now > 0) first = { at: performance.now(), count: now };
    if (performance.now() - begun > LIMIT_MS) {
      throw new Error(`${name}: ${now} of ${count}: ${await (await fetch(`${worker.rest}/connectors/${name}/status`)).text()}`);
    }
  }
  const seconds = (performance.now() - (first?.at ?? begun)) / 1000;
  return { perSecond: (count - (first?.count ?? 0)) / seconds, ...used() };
}
export async function fileSource(worker: RunningWorker, bootstrap: string, name: string, file: string, count: number): Promise<Flow> {
  const admin = await createKafkaClients().admin({ "bootstrap.servers": bootstrap });
  await admin.createTopics([{ name, partitions: 1, replicationFactor: 1 }]);
  const config = {
    "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "tasks.max": "1",
    file,
    topic: name,
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    ...FIVE,
  };
  const seen = async (): Promise<number> => (await admin.endOffsets([{ topic: name, partition: 0 }]))[0] ?? 0;
  try {
    return await timed(worker, name, count, () => put(worker.rest, name, config), seen);
  } finally {
    await remove(worker.rest, name);
    await admin.deleteTopics([name]);
    await admin.close();
  }
}
/** The topic that the sinks read. */
export async function fillTopic(bootstrap: string, topic: string, count: number): Promise<void> {
  const clients = createKafkaClients();
  const admin = await clients.admin({ "bootstrap.servers": bootstrap });
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
  await admin.close();
  const producer = await clients.producer({ "bootstrap.servers": bootstrap, "linger.ms": "5", "batch.size": "1000000" });
  await producer.partitions(topic);
  const tail = "abcdefghijklmnopqrstuvwxyz".repeat(4).slice(0, 88);
  for (let i = 0; i < count; i++) {
    producer.append(topic, 0, null, Buffer.from(`${String(i).padStart(10, "0")} ${tail}`), Date.now(), []);
    if (i % 1000 === 999) await producer.room();
  }
  await producer.flush();
  await producer.close();
}
export async function fileSink(worker: RunningWorker, folder: string, name: string, topic: string, count: number): Promise<Flow> {
  const file = join(folder, `${name}.out`);
  writeFileSync(file, "");
  const config = {
    "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
    "tasks.max": "1",
    file,
    topics: topic,
    "value.converter": STRING,
    "key.converter": STRING,
    "consumer.override.auto.offset.reset": "earliest",
    ...FIVE,
  };
  let line = 0;
  const seen = async (): Promise<number> => {
    if (line === 0) line = firstLine(file);
    return line === 0 ? 0 : Math.floor(statSync(file).size / line);
  };
  try {
    return await timed(worker, name, count, () => put(worker.rest, name, config), seen);
  } finally {
    await remove(worker.rest, name);
    writeFileSync(file, "");
  }
}
/** All lines are as long as the first; 0: it is not there yet. */
function firstLine(file: string): number {
  const bytes = Buffer.alloc(4096);
  const input = openSync(file, "r");
  const read = readSync(input, bytes, 0, bytes.length, 0);
  closeSync(input);
  return bytes.subarray(0, read).indexOf(10) + 1;
}
