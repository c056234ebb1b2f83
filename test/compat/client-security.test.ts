/** SASL and TLS against a real Kafka. Certificates are made by openssl on the spot. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { ClientConfig } from "#broker/client/types";
import { ErrorCode } from "#broker/protocol/errors";
import { noOpenssl, selfSigned, signed } from "../peers/certificates.ts";
import { type KafkaPeer, kafkaLibs, startKafka } from "../peers/kafka.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(10);

const clients = createKafkaClients();
const skipped = kafkaLibs().reason || noOpenssl;
const JAAS = "org.apache.kafka.common.security";
const SERVER_JAAS = {
  "listener.name.sasl_plaintext.plain.sasl.jaas.config": `${JAAS}.plain.PlainLoginModule required user_alice="alice-secret";`,
  "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": `${JAAS}.scram.ScramLoginModule required;`,
  "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": `${JAAS}.scram.ScramLoginModule required;`,
  "listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config": `${JAAS}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="admin";`,
  "listener.name.sasl_plaintext.oauthbearer.sasl.server.callback.handler.class": `${JAAS}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`,
};

function certificates(folder: string): void {
  selfSigned(folder, "ca");
  for (const name of ["server", "client"]) signed(folder, name, "DNS:localhost");
}
const inline = (file: string): string => readFileSync(file, "utf8").trim().replaceAll("\n", "\\n");

describe.skipIf(skipped !== "")(`client security${skipped === "" ? "" : ` (skipped: ${skipped})`}`, { timeout: 60_000 }, () => {
  let kafka: KafkaPeer;
  let folder = "";
  const pem = (name: string): string => readFileSync(join(folder, name), "utf8");
  const ask = async (config: ClientConfig): Promise<string | null> => {
    const admin = await clients.admin({ "default.api.timeout.ms": "5000", ...config });
    try {
      return await admin.clusterId();
    } finally {
      await admin.close();
    }
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "client-security-"));
    certificates(folder);
    const started = await startKafka({
      port: PORT,
      listeners: ["SASL_PLAINTEXT", "SSL"],
      format: [
        "--add-scram",
        "SCRAM-SHA-256=[name=bob,password=bob-secret]",
        "--add-scram",
        "SCRAM-SHA-512=[name=bob,password=bob-secret]",
      ],
      properties: {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        ...SERVER_JAAS,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": inline(join(folder, "server.key")),
        "ssl.keystore.certificate.chain": inline(join(folder, "server.pem")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": inline(join(folder, "ca.pem")),
        "ssl.client.auth": "required",
      },
    });
    if (started.kafka === null) throw new Error(started.reason);
    kafka = started.kafka;
  }, 60_000);
  afterAll(async () => {
    await kafka?.stop();
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });
  const sasl = (mechanism: string, options: string): ClientConfig => ({
    "bootstrap.servers": kafka.listeners["SASL_PLAINTEXT"] ?? "",
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": mechanism,
    "sasl.jaas.config": `some.LoginModule required ${options};`,
  });

  test.each([
    ["PLAIN", 'username="alice" password="alice-secret"'],
    ["SCRAM-SHA-256", 'username="bob" password="bob-secret"'],
    ["SCRAM-SHA-512", 'username="bob" password="bob-secret"'],
    ["OAUTHBEARER", 'unsecuredLoginStringClaim_sub="carol"'],
  ])("%s lets the right one in", async (mechanism, options) => {
    expect(await ask(sasl(mechanism, options))).toMatch(/^.{22}$/);
  });
  test.each([
    ["PLAIN", 'username="alice" password="wrong"'],
    ["SCRAM-SHA-256", 'username="bob" password="wrong"'],
  ])("%s refuses a wrong password at once", async (mechanism, options) => {
    await expect(ask(sasl(mechanism, options))).rejects.toMatchObject({ code: ErrorCode.SASL_AUTHENTICATION_FAILED });
  });

  test("TLS with a client certificate; a stranger's certificate authority is refused", async () => {
    const address = (kafka.listeners["SSL"] ?? "").replace("127.0.0.1", "localhost");
    // Inline PEM is passed on as a properties file gives it.
    const config = {
      "bootstrap.servers": address,
      "security.protocol": "SSL",
      "ssl.truststore.certificates": pem("ca.pem"),
      "ssl.truststore.type": "PEM",
      "ssl.keystore.certificate.chain": pem("client.pem"),
      "ssl.keystore.key": pem("client.key"),
      "ssl.endpoint.identification.algorithm": "",
    };
    expect(await ask(config)).toMatch(/^.{22}$/);
    await expect(ask({ ...config, "ssl.truststore.certificates": "" })).rejects.toThrow(/certificate|self-signed|issuer/i);
    const producer = await clients.producer({ ...config, "linger.ms": "0", "batch.size": "500000" });
    const admin = await clients.admin(config);
    await admin.createTopics([{ name: "tls", partitions: 1, replicationFactor: 1 }]);
    expect(await producer.send("tls", 0, null, Buffer.alloc(400_000, 1))).toEqual({ partition: 0, offset: 0 });
    await producer.close();
    await admin.close();
  });
});
