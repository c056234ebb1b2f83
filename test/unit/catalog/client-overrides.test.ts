import { expect, test } from "vitest";
import { overrideInfos } from "#connect/catalog/client-overrides";
import { workerConfig } from "#connect/config";

const WORKER = {
  "key.converter": "K",
  "value.converter": "V",
  "offset.storage.file.filename": "f",
  "connector.client.config.override.allowlist": "acks, linger.ms",
};
const CONNECTOR = {
  "producer.override.acks": "1",
  "producer.override.sasl.jaas.config": "x",
  "admin.override.linger.ms": "1",
  "consumer.override.acks": "not used by this connector",
};
function refused(policy: string): string[] {
  const { overridePolicy } = workerConfig({ ...WORKER, "connector.client.config.override.policy": policy }, "standalone");
  return overrideInfos(CONNECTOR, ["producer", "admin"], overridePolicy).flatMap((i) => i.value.errors);
}
const sentence = (policy: string, setting: string): string =>
  `The '${policy}' policy does not allow '${setting}' to be overridden in the connector configuration.`;

test("each policy refuses what it does not allow, by any of its names", () => {
  expect(refused("All")).toEqual([]);
  expect(refused("org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy")).toEqual(
    ["acks", "sasl.jaas.config", "linger.ms"].map((s) => sentence("None", s)),
  );
  expect(refused("Principal")).toEqual(["acks", "linger.ms"].map((s) => sentence("Principal", s)));
  expect(refused("AllowlistConnectorClientConfigOverridePolicy")).toEqual([sentence("Allowlist", "sasl.jaas.config")]);
  expect(() => refused("Some")).toThrow("known policies are All, None, Principal, Allowlist");
});
