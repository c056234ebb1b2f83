/** The authorizer against a real Kafka's StandardAuthorizer: the same questions, the same answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBroker, startBroker } from "#broker/broker";
import { type KafkaPeer, kafkaLibs, startKafka } from "../peers/kafka.ts";
import { freePorts } from "../peers/ports.ts";
import { type Answers, authorizerAnswers } from "./authorizer-cases.ts";

const [PORT = 0] = await freePorts(10);

const skipped = kafkaLibs().reason;
const SECURITY = {
  "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "super.users": "User:admin;User:ANONYMOUS",
  "sasl.enabled.mechanisms": "PLAIN",
  "listener.name.sasl_plaintext.plain.sasl.jaas.config":
    'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_admin="admin-secret";',
};
const portOf = (address: string | undefined): number => Number(address?.split(":").at(-1));

describe.skipIf(skipped !== "")(`authorizer${skipped === "" ? "" : ` (skipped: ${skipped})`}`, { timeout: 120_000 }, () => {
  let kafka: KafkaPeer | null = null;
  let broker: RunningBroker | null = null;
  let folder = "";
  let theirs: Answers = {};
  let ours: Answers = {};
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "authorizer-"));
    const started = await startKafka({
      port: PORT,
      listeners: ["SASL_PLAINTEXT"],
      properties: { ...SECURITY, "group.initial.rebalance.delay.ms": "0" },
    });
    if (started.kafka === null) throw new Error(started.reason);
    kafka = started.kafka;
    broker = await startBroker({
      ...SECURITY,
      "node.id": "1",
      listeners: "PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0",
      "log.dirs": folder,
      "offsets.topic.num.partitions": "1",
      "group.initial.rebalance.delay.ms": "0",
    });
    const [plain, sasl] = broker.listeners;
    ours = await authorizerAnswers(plain?.port ?? 0, sasl?.port ?? 0);
    theirs = await authorizerAnswers(portOf(kafka.bootstrap), portOf(kafka.listeners["SASL_PLAINTEXT"]));
  }, 180_000);
  afterAll(async () => {
    await broker?.close();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("every case was asked of both", () => {
    expect(Object.keys(ours).length).toBeGreaterThan(90);
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  });
  test("and answered alike", () => {
    const different = Object.keys(theirs).filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]));
    expect(different.map((name) => ({ name, answer: ours[name] }))).toEqual(different.map((name) => ({ name, answer: theirs[name] })));
  });
});
