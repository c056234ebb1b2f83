/** What task threads of the tests import: connectors that misbehave on demand, over a cluster of the thread's own. */
import type { Clock } from "#broker/base/clock";
import type { KafkaClients } from "#broker/client/types";
import type { SourceConnectorPlugin, SourceTask } from "#connect/api/connector";
import { ConfigError, DataError } from "#connect/api/errors";
import type { PluginCatalog } from "#connect/worker/types";
import { fakeKafkaClients } from "./kafka-clients.ts";
import { FakeCluster } from "./kafka-cluster.ts";
import { testCatalog } from "./plugins.ts";
import { textRecord } from "./task-host.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What `mode` in the configuration makes of the task's second poll. */
const modes: Record<string, () => void> = {
  spin: () => {
    for (;;) Math.sqrt(2);
  },
  exit: () => process.exit(3),
  throwLater: () =>
    void setTimeout(() => {
      throw new Error("thrown from a timer");
    }, 1),
  leak: () => {
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(100_000).fill({ kept }));
  },
  busy: () => {
    for (const end = performance.now() + 20; performance.now() < end; ) Math.sqrt(2);
  },
  away: () => {
    throw Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:5432"), { code: "ECONNREFUSED" });
  },
  setting: () => {
    throw new ConfigError("the table does not exist");
  },
  data: () => {
    throw new DataError("a row that cannot be read");
  },
  broken: () => {
    throw new TypeError("undefined is not a function");
  },
};
export const misbehaving: SourceConnectorPlugin = {
  kind: "source",
  name: "Misbehaving",
  classes: ["test.Misbehaving"],
  taskClass: "test.MisbehavingTask",
  version: "1",
  config: [],
  start(config) {
    if (config["mode"] === "refuse") throw new ConfigError("refused by the connector");
    return { taskConfigs: (max) => Array.from({ length: Number(config["tasks"] ?? max) }, (_, n) => ({ ...config, n: String(n) })) };
  },
  task(config, context): SourceTask {
    let position = 0;
    return {
      async start() {
        const [offset] = await context.offsets.offsets([{ from: config["n"] ?? "0" }]);
        position = Number(offset?.["position"] ?? 0);
        context.metrics.gauge("StartedAt", position, { task: String(context.taskId) });
        context.log.info("started", { position });
      },
      async poll() {
        if (config["mode"] !== "busy") await pause(5);
        if (position > 0) modes[config["mode"] ?? ""]?.();
        position++;
        return [textRecord(`${position}`, position, "out", config["n"] ?? "0")];
      },
      async stop() {
        if (config["mode"] === "slow-stop") await pause(60_000);
      },
    };
  },
};
export const catalog: PluginCatalog = testCatalog([misbehaving]);
const cluster = new FakeCluster();
export const kafkaClients = (_clock: Clock): KafkaClients => fakeKafkaClients(cluster);
