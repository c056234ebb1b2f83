/** A broker in this process and Connect workers on it, over real sockets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#broker/base/clock";
import { type Logger, silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { type RunningBroker, startBroker } from "#broker/broker";
import { createKafkaClients } from "#broker/client/index";
import { workerConfig } from "#connect/config";
import { type RunningConnect, startConnect } from "#connect/connect";

const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";

export interface ConnectCluster {
  readonly folder: string;
  readonly broker: RunningBroker;
  readonly workers: RunningConnect[];
  /** One more worker of the group. */
  join(settings?: Readonly<Record<string, string>>, log?: Logger): Promise<RunningConnect>;
  close(): Promise<void>;
}
export async function connectCluster(): Promise<ConnectCluster> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-connect-"));
  const broker = await startBroker({
    "process.roles": "broker,controller",
    "node.id": "1",
    listeners: "PLAINTEXT://127.0.0.1:0",
    "log.dirs": join(folder, "broker"),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
  });
  const workers: RunningConnect[] = [];
  return {
    folder,
    broker,
    workers,
    async join(settings = {}, log = silentLogger) {
      const config = workerConfig(
        {
          "bootstrap.servers": broker.bootstrap,
          "group.id": "connect-cluster",
          "config.storage.topic": "connect-configs",
          "offset.storage.topic": "connect-offsets",
          "status.storage.topic": "connect-status",
          "config.storage.replication.factor": "1",
          "offset.storage.replication.factor": "1",
          "status.storage.replication.factor": "1",
          "offset.storage.partitions": "3",
          "status.storage.partitions": "2",
          "key.converter": JSON_CONVERTER,
          "value.converter": JSON_CONVERTER,
          "offset.flush.interval.ms": "500",
          "scheduled.rebalance.max.delay.ms": "0",
          "heartbeat.interval.ms": "300",
          "session.timeout.ms": "6000",
          listeners: "http://127.0.0.1:0",
          "file.connector.roots": folder,
          ...settings,
        },
        "distributed",
      );
      const worker = await startConnect(config, {
        clients: createKafkaClients({ clock: systemClock, random: systemRandom, logger: log }),
        clock: systemClock,
        random: systemRandom,
        log,
        setLogLevel: () => {},
      });
      workers.push(worker);
      return worker;
    },
    async close() {
      for (const worker of workers.splice(0)) await worker.close();
      await broker.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Null without body, the text where it is no JSON. */
  readonly body: unknown;
}
export async function rest(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  const raw = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${url}${path}`, {
    method,
    body: raw,
    headers: raw === null ? headers : { "content-type": "application/json", ...headers },
    redirect: "manual",
  });
  const text = await response.text();
  let parsed: unknown = text === "" ? null : text;
  try {
    if (text !== "") parsed = JSON.parse(text);
  } catch {
    // Not JSON: the text stands.
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}
/** Asks until there is an answer that is not null. */
export async function eventually<T>(ask: () => Promise<T | null>, what: string, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
