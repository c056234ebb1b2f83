/** Our client beside Kafka's own Java tools: each reads what the other wrote, and both share groups. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { Consumer } from "#broker/client/types";
import { CODECS } from "#broker/protocol/records/compression/index";
import { kafkaLibs } from "../peers/kafka.ts";
import { freePorts } from "../peers/ports.ts";
import { startApache, type TestBroker } from "./client-brokers.ts";

const [PORT = 0] = await freePorts(10);

const clients = createKafkaClients();
const { libs, reason } = kafkaLibs();
const bytes = (text: string): Buffer => Buffer.from(text);
const text = (value: Uint8Array | null): string | null => (value === null ? null : Buffer.from(value).toString());

class JavaTool {
  readonly process: ChildProcess;
  out = "";
  constructor(main: string, args: readonly string[]) {
    this.process = spawn("java", ["-Xmx128m", "-cp", `${libs ?? ""}/*`, main, ...args], { stdio: ["pipe", "pipe", "ignore"] });
    this.process.stdout?.on("data", (chunk: Buffer) => {
      this.out += chunk.toString();
    });
  }
  get lines(): string[] {
    return this.out.split("\n").filter((line) => line !== "" && !line.startsWith("["));
  }
  async end(signal?: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = new Promise((resolve) => this.process.once("exit", resolve));
    if (signal !== undefined) this.process.kill(signal);
    await exited;
  }
}

describe.skipIf(libs === null)(`beside Java's tools${reason === "" ? "" : ` (skipped: ${reason})`}`, { timeout: 90_000 }, () => {
  let broker: TestBroker;
  let base: Record<string, string>;
  const consumerTool = (...args: string[]): JavaTool =>
    new JavaTool("org.apache.kafka.tools.consumer.ConsoleConsumer", ["--bootstrap-server", broker.bootstrap, ...args]);
  const newTopic = async (name: string, partitions: number): Promise<void> => {
    const admin = await clients.admin(base);
    await admin.createTopics([{ name, partitions, replicationFactor: 1 }]);
    await admin.close();
  };
  beforeAll(async () => {
    broker = await startApache(PORT);
    base = { "bootstrap.servers": broker.bootstrap };
  }, 60_000);
  afterAll(async () => broker?.stop());

  test("Java reads what we wrote: every codec, headers, nulls, transactions", async () => {
    await newTopic("ours", 1);
    const expected: string[] = [];
    for (const codec of CODECS) {
      const producer = await clients.producer({ ...base, "compression.type": codec, "transactional.id": `t-${codec}` });
      await producer.initTransactions();
      await producer.partitions("ours");
      for (const commit of [true, false]) {
        producer.beginTransaction();
        for (let i = 0; i < 50; i++)
          producer.append("ours", 0, bytes(`${codec}-${i}`), bytes(`${commit} ${"x".repeat(i * 20)}`), Date.now(), [
            { key: "h", value: bytes(String(i)) },
          ]);
        producer.append("ours", 0, null, null, Date.now(), []);
        await producer.flush();
        if (commit) await producer.commitTransaction();
        else await producer.abortTransaction();
      }
      for (let i = 0; i < 50; i++) expected.push(`h:${i}\t${codec}-${i}\ttrue ${"x".repeat(i * 20)}`);
      expected.push("NO_HEADERS\tnull\tnull");
      await producer.close();
    }
    const format = ["key", "headers"].flatMap((each) => ["--property", `print.${each}=true`]);
    const tool = consumerTool(
      "--topic",
      "ours",
      "--from-beginning",
      "--isolation-level",
      "read_committed",
      "--max-messages",
      String(expected.length),
      "--timeout-ms",
      "20000",
      ...format,
    );
    await tool.end();
    expect(tool.lines).toEqual(expected);
  });

  test.each(CODECS)("we read what Java wrote with %s", async (codec) => {
    const topic = `theirs-${codec}`;
    await newTopic(topic, 1);
    const properties = ["parse.key=true", "parse.headers=true", "null.marker=NULL"].flatMap((each) => ["--property", each]);
    const tool = new JavaTool("org.apache.kafka.tools.ConsoleProducer", [
      "--bootstrap-server",
      broker.bootstrap,
      "--topic",
      topic,
      "--compression-codec",
      codec,
      ...properties,
    ]);
    const lines = Array.from({ length: 500 }, (_, i) => ({ header: `v${i}`, key: `k${i}`, value: "значение ".repeat(i % 30) }));
    tool.process.stdin?.end(lines.map((each) => `h:${each.header}\t${each.key}\t${each.value}\n`).join("") + "h:x\tlast\tNULL\n");
    await tool.end();
    const consumer = await clients.consumer({ ...base, "auto.offset.reset": "earliest" });
    consumer.assign([{ topic, partition: 0 }]);
    const read: unknown[] = [];
    for (const end = Date.now() + 10_000; read.length < 501 && Date.now() < end; ) {
      for (const record of await consumer.poll(500))
        read.push({ header: text(record.headers[0]?.value ?? null), key: text(record.key), value: text(record.value) });
    }
    expect(read).toEqual([...lines, { header: "x", key: "last", value: null }]);
    await consumer.close();
  });

  test.each([
    ["cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "ours"],
    ["cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "Java"],
    ["range", "org.apache.kafka.clients.consumer.RangeAssignor", "ours"],
    ["range", "org.apache.kafka.clients.consumer.RangeAssignor", "Java"],
  ])("one group of both, %s (%s), led by %s", async (strategy, javaClass, leader) => {
    const topic = `mixed-${strategy}-${leader}`;
    await newTopic(topic, 4);
    const group = topic;
    const java = (): JavaTool =>
      consumerTool(
        "--topic",
        topic,
        "--group",
        group,
        "--property",
        "print.partition=true",
        "--consumer-property",
        `partition.assignment.strategy=${javaClass}`,
        "--consumer-property",
        "heartbeat.interval.ms=500",
      );
    let consumer: Consumer | null = null;
    let stop = false;
    let polling: Promise<void> = Promise.resolve();
    const values: string[] = [];
    const startOurs = async (): Promise<Consumer> => {
      const made = await clients.consumer({
        ...base,
        "group.id": group,
        "partition.assignment.strategy": strategy,
        "heartbeat.interval.ms": "500",
        "auto.offset.reset": "earliest",
      });
      made.subscribe([topic]);
      polling = (async () => {
        while (!stop) for (const record of await made.poll(100)) values.push(`${record.partition}:${text(record.value) ?? ""}`);
      })();
      return made;
    };
    let tool: JavaTool;
    if (leader === "ours") {
      consumer = await startOurs();
      await expect.poll(() => consumer?.assignment().length, { timeout: 10_000 }).toBe(4);
      tool = java();
    } else {
      tool = java();
      await new Promise((resolve) => setTimeout(resolve, 4000));
      consumer = await startOurs();
    }
    await expect.poll(() => consumer?.assignment().length, { timeout: 20_000 }).toBe(2);
    const producer = await clients.producer({ ...base, "linger.ms": "0" });
    await producer.partitions(topic);
    // The tool begins at the end of the log, so what comes before it has a position is not its business.
    await expect
      .poll(
        async () => {
          for (let partition = 0; partition < 4; partition++) await producer.send(topic, partition, null, bytes("v"));
          return [new Set(values).size, new Set(tool.lines).size];
        },
        { timeout: 20_000, interval: 300 },
      )
      .toEqual([2, 2]);
    await producer.close();
    await tool.end("SIGTERM");
    await expect.poll(() => consumer?.assignment().length, { timeout: 20_000 }).toBe(4);
    stop = true;
    await polling;
    await consumer.close();
  });
});
