/**
 * F1, F7, F8: the broker is killed with SIGKILL again and again under idempotent and transactional producers and readers, some
 * of whose answers are lost on the way; the history of what all of them saw is then checked against the anomalies that Kafka's
 * Jepsen tests name. MILLRACE_CHAOS_SEED gives another run, BROKER_KILL_ROUNDS another length.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { startProxy } from "../peers/kafka-proxy.ts";
import { freePorts } from "../peers/ports.ts";
import { startBrokerProcess } from "./broker-process.ts";
import { anomaliesOf } from "./history/checker.ts";
import { Workload } from "./history/workload.ts";
import { seeded, sleep } from "./millrace-process.ts";

const SEED = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20_260_401);
const ROUNDS = Number(process.env["BROKER_KILL_ROUNDS"] ?? 100);
const START_MS_MAX = 20_000;
const PARTITIONS = 3;

test(`nothing is lost, doubled, torn or reordered over ${ROUNDS} kills of the broker`, { timeout: 600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-broker-kill-"));
  const random = seeded(SEED);
  const [port = 0, proxyPort = 0] = await freePorts(2);
  // The smallest segments that are allowed: recovery meets rolls, indexes and snapshots of producers, not one file only.
  const settings = { "log.segment.bytes": "1048576", "log.index.interval.bytes": "1024" };
  let broker = await startBrokerProcess(directory, port, settings);
  const proxy = await startProxy({ port: proxyPort, target: broker.bootstrap });
  proxy.loses = () => random() < 0.003;
  const admin = await createKafkaClients().admin({ "bootstrap.servers": broker.bootstrap });
  await admin.createTopics(["plain", "tx"].map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1 })));
  await admin.close();
  const workload = new Workload({
    bootstrap: proxy.bootstrap,
    random: seeded(SEED + 1),
    plainTopic: "plain",
    transactionTopic: "tx",
    partitions: PARTITIONS,
    plainProducers: 2,
    transactionalProducers: 2,
    readers: 2,
  });
  workload.start();
  let slowestStartMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(50 + random() * 400);
    await broker.kill();
    broker = await startBrokerProcess(directory, port, settings);
    slowestStartMs = Math.max(slowestStartMs, broker.startMs);
  }
  await sleep(300);
  proxy.loses = null;
  const history = await workload.finish();
  await proxy.close();
  await broker.stop();
  const counts = `${workload.acknowledged} acknowledged, ${workload.committed} transactions committed, ${workload.errors.length} errors, slowest start ${Math.round(slowestStartMs)} ms`;
  console.log(`seed ${SEED}: ${counts}`);
  expect(anomaliesOf(history).slice(0, 20), `${counts}\n${workload.errors.slice(0, 10).join("\n")}`).toEqual([]);
  expect(workload.acknowledged).toBeGreaterThan(ROUNDS * 20);
  expect(workload.committed).toBeGreaterThan(ROUNDS);
  expect(slowestStartMs).toBeLessThan(START_MS_MAX);
  rmSync(directory, { recursive: true, force: true });
});
