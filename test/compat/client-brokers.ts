/** The brokers that the client's tests run against. Each knows why it cannot run, if so. */
import { rmSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "#broker/broker";
import { kafkaLibs, startKafka } from "../peers/kafka.ts";
import { KAFKA_2_1, startProxy } from "../peers/kafka-proxy.ts";

export interface TestBroker {
  readonly bootstrap: string;
  stop(): Promise<void>;
}
export interface BrokerKind {
  readonly name: string;
  /** Empty: it can run. */
  readonly skipped: string;
  start(port: number): Promise<TestBroker>;
}
export async function startOurs(port: number): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), "our-broker-"));
  const broker = await startBroker({
    "process.roles": "broker,controller",
    "node.id": "1",
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    "log.dirs": folder,
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
  });
  return {
    bootstrap: `127.0.0.1:${port}`,
    async stop() {
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export async function startApache(port: number): Promise<TestBroker> {
  const { kafka, reason } = await startKafka({ port });
  if (kafka === null) throw new Error(reason);
  return kafka;
}
const missing = kafkaLibs().reason;
export const OURS: BrokerKind = { name: "our broker", skipped: "", start: startOurs };
export const APACHE: readonly BrokerKind[] = [
  { name: "Apache Kafka 4.1", skipped: missing, start: startApache },
  {
    name: "Apache Kafka that looks like 2.1",
    skipped: missing,
    async start(port) {
      const kafka = await startApache(port);
      const proxy = await startProxy({ port: port + 9, target: kafka.bootstrap, versions: KAFKA_2_1 });
      return {
        bootstrap: proxy.bootstrap,
        async stop() {
          await proxy.close();
          await kafka.stop();
        },
      };
    },
  },
];
export const title = (kind: BrokerKind): string => (kind.skipped === "" ? kind.name : `${kind.name} (skipped: ${kind.skipped})`);
