/**
 * F3 and F4 on a real broker process: flipped bits in segments and indexes are found and never served, the partition is named
 * and its neighbours go on; a full disk refuses writes with Kafka's code, reads go on, and writing heals without a restart.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { freePorts } from "../peers/ports.ts";
import { startBrokerProcess } from "./broker-process.ts";
import { seeded } from "./millrace-process.ts";

const SEED = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20_260_402);
const clients = createKafkaClients();
const folders: string[] = [];
const mounts: string[] = [];
afterAll(() => {
  for (const mount of mounts) execFileSync("umount", ["-l", mount]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "millrace-broker-disk-"));
  folders.push(made);
  return made;
}
const valueOf = (i: number): string => `value ${i} ${"x".repeat(2000)}`;

async function write(bootstrap: string, topic: string, from: number, count: number): Promise<void> {
  const producer = await clients.producer({ "bootstrap.servers": bootstrap, acks: "all", "batch.size": "8000", "linger.ms": "5" });
  await producer.partitions(topic);
  for (let i = from; i < from + count; i++) producer.append(topic, 0, null, Buffer.from(valueOf(i)), Date.now(), []);
  await producer.flush();
  await producer.close();
}
/** Values from the offset on, until the end or the first error. */
async function read(bootstrap: string, topic: string, from: number): Promise<{ values: Map<number, string>; error: unknown }> {
  const consumer = await clients.consumer({ "bootstrap.servers": bootstrap, "fetch.max.bytes": "100000" });
  const partition = { topic, partition: 0 };
  const values = new Map<number, string>();
  consumer.assign([partition]);
  consumer.seek(partition, from);
  try {
    const [end = 0] = await consumer.endOffsets([partition]);
    for (let quiet = 0; quiet < 20 && (consumer.position(partition) ?? from) < end; quiet++) {
      const records = await consumer.poll(250);
      for (const { offset, value } of records) values.set(offset, Buffer.from(value ?? "").toString());
      if (records.length > 0) quiet = 0;
    }
    return { values, error: null };
  } catch (error) {
    return { values, error };
  } finally {
    await consumer.close();
  }
}
function flip(file: string, positions: readonly number[]): void {
  const bytes = readFileSync(file);
  for (const at of positions) bytes.writeUInt8((bytes[at] ?? 0) ^ 0x10, at);
  writeFileSync(file, bytes);
}

describe("damaged files", () => {
  const COUNT = 2000;
  test("bits flipped in a segment and in indexes", { timeout: 120_000 }, async () => {
    const directory = folder();
    const random = seeded(SEED);
    const [port = 0] = await freePorts(1);
    const settings = { "log.segment.bytes": "1048576", "log.index.interval.bytes": "2000" };
    let broker = await startBrokerProcess(directory, port, settings);
    const admin = await clients.admin({ "bootstrap.servers": broker.bootstrap });
    await admin.createTopics(["bad", "indexes", "good"].map((name) => ({ name, partitions: 1, replicationFactor: 1 })));
    await admin.close();
    for (const topic of ["bad", "indexes", "good"]) await write(broker.bootstrap, topic, 0, COUNT);
    await broker.stop();

    const files = (topic: string, suffix: string): string[] =>
      readdirSync(join(directory, "data", `${topic}-0`))
        .filter((name) => name.endsWith(suffix))
        .sort()
        .map((name) => join(directory, "data", `${topic}-0`, name));
    const [first = ""] = files("bad", ".log");
    flip(first, [500_000]);
    for (const file of [...files("indexes", ".index"), ...files("indexes", ".timeindex")]) {
      const size = readFileSync(file).length;
      if (size > 0)
        flip(
          file,
          Array.from({ length: 5 }, () => Math.floor(random() * size)),
        );
    }
    broker = await startBrokerProcess(directory, port, settings);
    const good = await read(broker.bootstrap, "good", 0);
    expect(good.values.size).toBe(COUNT);
    const bad = await read(broker.bootstrap, "bad", 0);
    for (const [offset, value] of bad.values) expect(value).toBe(valueOf(offset));
    expect(bad.values.size).toBeGreaterThan(100);
    expect(bad.values.size).toBeLessThan(COUNT);
    expect(broker.output()).toContain("bad-0");
    // What lies behind the damage is there, and the partition takes writes.
    await write(broker.bootstrap, "bad", COUNT, 10);
    expect((await read(broker.bootstrap, "bad", COUNT)).values).toEqual(
      new Map(Array.from({ length: 10 }, (_, i) => [COUNT + i, valueOf(COUNT + i)])),
    );
    for (let i = 0; i < 10; i++) {
      const from = Math.floor(random() * COUNT);
      const part = await read(broker.bootstrap, "indexes", from);
      expect([...part.values.keys()], `from ${from}: ${String(part.error)}`).toEqual(
        Array.from({ length: COUNT - from }, (_, at) => from + at),
      );
      for (const [offset, value] of part.values) expect(value).toBe(valueOf(offset));
    }
    await broker.stop();
  });
});

const noMount = ((): string => {
  try {
    const at = mkdtempSync(join(tmpdir(), "millrace-mount-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at], { stdio: "ignore" });
    execFileSync("umount", [at]);
    return "";
  } catch {
    return " (skipped: a small file system cannot be mounted here)";
  }
})();
describe.skipIf(noMount !== "")(`a full disk${noMount}`, () => {
  test("writes are refused, reads go on, and writing heals when there is room again", { timeout: 120_000 }, async () => {
    const directory = folder();
    const disk = join(directory, "data");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", disk]);
    mounts.push(disk);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(16 << 20));
    const [port = 0] = await freePorts(1);
    const broker = await startBrokerProcess(directory, port, {});
    const admin = await clients.admin({ "bootstrap.servers": broker.bootstrap });
    await admin.createTopics([{ name: "t", partitions: 1, replicationFactor: 1 }]);
    const producer = await clients.producer({
      "bootstrap.servers": broker.bootstrap,
      acks: "all",
      retries: "0",
      "delivery.timeout.ms": "3000",
      "request.timeout.ms": "2000",
      "enable.idempotence": "false",
    });
    await producer.partitions("t");
    const acknowledged = new Map<number, string>();
    const send = async (i: number): Promise<unknown> => {
      const value = valueOf(i).repeat(10);
      try {
        acknowledged.set((await producer.send("t", 0, null, Buffer.from(value))).offset, value);
        return null;
      } catch (error) {
        return error;
      }
    };
    let refused: unknown = null;
    for (let i = 0; i < 2000 && refused === null; i++) refused = await send(i);
    expect(refused).toBeInstanceOf(KafkaError);
    expect(codesOf(refused)).toContain(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(acknowledged.size).toBeGreaterThan(100);
    expect((await read(broker.bootstrap, "t", 0)).values).toEqual(acknowledged);
    rmSync(ballast);
    for (let i = 5000; i < 5050; i++) expect(await send(i)).toBe(null);
    expect((await read(broker.bootstrap, "t", 0)).values).toEqual(acknowledged);
    await producer.close();
    await admin.close();
    await broker.kill();
    const again = await startBrokerProcess(directory, port, {});
    expect((await read(again.bootstrap, "t", 0)).values).toEqual(acknowledged);
    await again.stop();
  });
});
function codesOf(error: unknown): number[] {
  const codes: number[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof KafkaError) codes.push(at.code);
  return codes;
}
