import { describe, expect, test } from "vitest";
import { commonConfig, ConfigReader, endpoints } from "#broker/client/config";
import { consumerConfig } from "#broker/client/consumer/config";
import { producerConfig } from "#broker/client/producer/config";
import { jaasOptions, securityConfig } from "#broker/client/security";
import { ErrorCode } from "#broker/protocol/errors";

describe("client configuration", () => {
  test("bootstrap.servers in all its forms", () => {
    expect(endpoints(["a:1", "[::1]:2", "SASL_SSL://b.c:9093", "10.0.0.1:65535"])).toEqual([
      { host: "a", port: 1 },
      { host: "::1", port: 2 },
      { host: "b.c", port: 9093 },
      { host: "10.0.0.1", port: 65535 },
    ]);
    for (const wrong of ["a", "a:", "a:0", "a:65536", ":1", "a:b"])
      expect(() => endpoints([wrong])).toThrow(`Invalid url in bootstrap.servers: ${wrong}`);
    expect(() => commonConfig({})).toThrow("No resolvable bootstrap urls given in bootstrap.servers");
  });
  test("wrong values are refused with Kafka's words", () => {
    const read = new ConfigReader({ n: "x", low: "-1", b: "maybe", e: "odd" });
    expect(() => read.int("n", 1)).toThrow("Invalid value x for configuration n: Not a number of type INT");
    expect(() => read.int("low", 1)).toThrow("Value must be at least 0");
    expect(() => read.bool("b", true)).toThrow("Expected value to be either true or false");
    expect(() => read.oneOf("e", ["one", "two"], "one")).toThrow("String must be one of: one, two");
  });
  test("the producer's defaults are Kafka 4's", () => {
    expect(producerConfig({})).toEqual({
      acks: -1,
      batchBytes: 16_384,
      lingerMs: 5,
      lingerAdapts: true,
      codec: "none",
      bufferMemoryBytes: 33_554_432,
      inFlightMax: 5,
      idempotent: true,
      retriesMax: 2_147_483_647,
      requestTimeoutMs: 30_000,
      deliveryTimeoutMs: 120_000,
      requestBytesMax: 1_048_576,
      maxBlockMs: 60_000,
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
  });
  test.each([
    [{ acks: "1" }, false],
    [{ retries: "0" }, false],
    [{ "max.in.flight.requests.per.connection": "6" }, false],
    [{ "enable.idempotence": "false" }, false],
    [{ acks: "all" }, true],
  ])("idempotence by default gives way to %j: %s", (config, idempotent) => {
    expect(producerConfig(config).idempotent).toBe(idempotent);
  });
  test.each([
    [{ "enable.idempotence": "true", acks: "1" }, /acks/],
    [{ "enable.idempotence": "true", "max.in.flight.requests.per.connection": "6" }, /in\.flight/],
    [{ "transactional.id": "t", "enable.idempotence": "false" }, /transactional\.id/],
    [{ "delivery.timeout.ms": "1000" }, /linger\.ms \+ request\.timeout\.ms/],
    [{ "compression.type": "brotli" }, /none, gzip, snappy, lz4, zstd/],
  ])("%j is refused", (config, message) => {
    expect(() => producerConfig(config)).toThrow(message);
    expect(() => producerConfig(config)).toThrow(expect.objectContaining({ code: ErrorCode.INVALID_CONFIG }));
  });
  test("assignors by name and by Java class; unknown ones are refused", () => {
    const named = consumerConfig({ "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor,cooperative-sticky" });
    expect(named.assignors.map((each) => each.name)).toEqual(["range", "cooperative-sticky"]);
    expect(consumerConfig({}).assignors.map((each) => each.name)).toEqual(["range", "cooperative-sticky"]);
    expect(() => consumerConfig({ "partition.assignment.strategy": "fair" })).toThrow(/fair/);
    expect(() => consumerConfig({ "group.protocol": "consumer" })).toThrow(/classic/);
  });
  test("JAAS lines", () => {
    expect(jaasOptions('a.b.PlainLoginModule required username="al\\"ice" password=\'p w;\' x=y;')).toEqual({
      username: 'al"ice',
      password: "p w;",
      x: "y",
    });
    const { sasl, tls } = securityConfig({
      "security.protocol": "sasl_plaintext",
      "sasl.mechanism": "SCRAM-SHA-512",
      "sasl.jaas.config": 'x required username="u" password="p";',
    });
    expect([tls, sasl]).toEqual([null, { mechanism: "SCRAM-SHA-512", username: "u", password: "p", token: null, claims: {} }]);
    expect(() => securityConfig({ "security.protocol": "SASL_SSL" })).toThrow(/sasl\.jaas\.config/);
    expect(() => securityConfig({ "security.protocol": "SSL", "ssl.truststore.location": "/x/trust.jks" })).toThrow(
      /ssl\.truststore\.location.*ENOENT/,
    );
  });
});
