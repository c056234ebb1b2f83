/** Clients that are not ours: Kafka's own performance tools (Java) and kcat (librdkafka). Each answers records per second. */
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, statSync } from "node:fs";
import { finished } from "node:stream/promises";
import { JVM, libs } from "./brokers.ts";

/** What a command wrote to stdout; throws with it when the command fails. */
export function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-100_000);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ${args.join(" ")}: ${code}\n${output}${errors}`)),
    );
  });
}
const java = (main: string, args: readonly string[]): Promise<string> =>
  run("java", ["-Xmx512M", ...JVM, "-cp", `${libs()}/*`, main, ...args]);

/** The tool's own rate: without the start of the JVM. */
export async function javaProduce(
  bootstrap: string,
  topic: string,
  records: number,
  recordBytes: number,
  compression: string,
): Promise<number> {
  const props = [`bootstrap.servers=${bootstrap}`, "acks=all", `compression.type=${compression}`];
  const sizes = ["--num-records", String(records), "--record-size", String(recordBytes), "--throughput", "-1"];
  const output = await java("org.apache.kafka.tools.ProducerPerformance", ["--topic", topic, ...sizes, "--producer-props", ...props]);
  return Number([...output.matchAll(/([\d.]+) records\/sec/g)].at(-1)?.[1]);
}
/** Records per second of fetching: without joining the group. */
export async function javaConsume(bootstrap: string, topic: string, records: number): Promise<number> {
  const args = ["--bootstrap-server", bootstrap, "--topic", topic, "--messages", String(records), "--hide-header"];
  const output = await java("org.apache.kafka.tools.ConsumerPerformance", args);
  const fields = (output.trim().split("\n").at(-1) ?? "").split(", ");
  return Number(fields[9]) > 0 ? Number(fields[9]) : Number(fields[5]);
}

async function payload(folder: string, records: number, recordBytes: number): Promise<string> {
  const file = `${folder}/payload-${recordBytes}.txt`;
  if (existsSync(file) && statSync(file).size === records * recordBytes) return file;
  const out = createWriteStream(file);
  const filler = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".repeat(Math.ceil(recordBytes / 26));
  for (let i = 0; i < records; ) {
    const lines: string[] = [];
    for (const upTo = Math.min(records, i + 10_000); i < upTo; i++)
      lines.push(`${String(i).padStart(8, "0")}${filler.slice(i % 26, (i % 26) + recordBytes - 9)}\n`);
    if (!out.write(lines.join(""))) await new Promise<void>((drained) => out.once("drain", () => drained()));
  }
  out.end();
  await finished(out);
  return file;
}
export async function kcatProduce(bootstrap: string, topic: string, records: number, recordBytes: number, folder: string): Promise<number> {
  const file = await payload(folder, records, recordBytes);
  const settings = ["-X", "acks=all", "-X", "queue.buffering.max.messages=500000", "-X", "linger.ms=5"];
  const begun = performance.now();
  await run("kcat", ["-P", "-q", "-b", bootstrap, "-t", topic, ...settings, "-l", file]);
  return (records * 1000) / (performance.now() - begun);
}
/**
 * librdkafka stops fetching for up to a second whenever more than `queued.min.messages` (100,000) or `queued.max.messages.kbytes`
 * (64 MiB) wait for the application (its issue 2879): the faster the answers, the sooner. `deepQueue` takes that pause away.
 */
const DEEP_QUEUE = "-X queued.min.messages=10000000 -X queued.max.messages.kbytes=2097151";
export async function kcatConsume(bootstrap: string, topic: string, records: number, deepQueue: boolean): Promise<number> {
  const begun = performance.now();
  const settings = `-X fetch.message.max.bytes=1048576 ${deepQueue ? DEEP_QUEUE : ""}`;
  await run("bash", ["-c", `kcat -C -q -b ${bootstrap} -t ${topic} -p 0 -o beginning -c ${records} ${settings} > /dev/null`]);
  return (records * 1000) / (performance.now() - begun);
}
