import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type ClientKind, clientKey } from "#connect/catalog/client-keys";
import { overrideInfos } from "#connect/catalog/client-overrides";
import { keyInfo } from "#connect/catalog/config-infos";
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

/** Client, name, type, required, default, importance: what the ConfigDefs of Kafka 4.1's clients answered. */
const recorded: readonly (readonly [ClientKind, string, ...unknown[]])[] = JSON.parse(
  readFileSync(new URL("./reference/client-keys.json", import.meta.url), "utf8"),
);
test("settings of the clients are declared as Kafka's clients declare them", () => {
  const ours = recorded.map(([client, name]) => {
    const key = clientKey(client, name);
    if (key === null) return [client, name];
    const info = keyInfo(key);
    return [client, name, info.type, info.required, info.default_value, info.importance];
  });
  expect(ours).toEqual(recorded.map((row) => (row[2] === "PASSWORD" && row[4] !== null ? [...row.slice(0, 4), "[hidden]", row[5]] : row)));
  expect([clientKey("admin", "acks"), clientKey("consumer", "frobnicate")]).toEqual([null, null]);
});
test("an override has the definition of its client under its own name, and its value as the type prints it", () => {
  const { overridePolicy } = workerConfig({ ...WORKER, "connector.client.config.override.policy": "All" }, "standalone");
  const config = {
    "producer.override.enable.idempotence": " TRUE ",
    "producer.override.sasl.jaas.config": "x",
    "producer.override.my.own": "1",
  };
  const infos = new Map(overrideInfos(config, ["producer"], overridePolicy).map((i) => [i.value.name, i]));
  expect(infos.get("producer.override.enable.idempotence")).toMatchObject({
    definition: {
      name: "producer.override.enable.idempotence",
      type: "BOOLEAN",
      default_value: "true",
      display_name: "enable.idempotence",
    },
    value: { value: "true", errors: [] },
  });
  expect(infos.get("producer.override.my.own")).toMatchObject({ definition: null, value: { value: "1" } });
  expect(infos.get("producer.override.sasl.jaas.config")?.value.value).not.toBe("x");
});
