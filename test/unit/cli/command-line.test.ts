import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostAndPort, parseArguments, UsageError } from "#connect/cli/arguments";
import { startFailure } from "#connect/cli/failure";
import { cliLogger } from "#connect/cli/logger";
import { settingsFromEnv } from "#connect/config-env";
import { clientConfig, workerConfig } from "#connect/config";
import { parseProperties } from "#connect/properties";
import { ConfigError } from "#connect/api/errors";

const PROGRAM = new URL("../../../connect-runtime/cli/millrace.ts", import.meta.url).pathname;
function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

describe("properties files", () => {
  test("are read as Java reads them", () => {
    const text = "# c\n! c\na=1\nb : 2\nc 3\n  d = x\\\n   y \ne\\ f=\\u0041\\tz\ng\nh=a=b:c\na=4\r\nlast=\\\\";
    expect(parseProperties(text)).toEqual({ a: "4", b: "2", c: "3", d: "xy ", "e f": "A\tz", g: "", h: "a=b:c", last: "\\" });
  });
});
describe("environment variables", () => {
  test("of the usual images become settings; the JVM's are named", () => {
    const { settings, ignored } = settingsFromEnv({
      GROUP_ID: "1",
      BOOTSTRAP_SERVERS: "k:9092",
      HOST_NAME: "0.0.0.0",
      CONNECT_REST_ADVERTISED_HOST_NAME: "me",
      CONNECT_GROUP_ID: "2",
      CONNECT_SASL_JAAS___X__Y: "v",
      HEAP_OPTS: "-Xmx1g",
      CONNECT_LOG4J_ROOT_LOGLEVEL: "INFO",
      HOME: "/root",
    });
    expect(settings).toEqual({
      "group.id": "2",
      "bootstrap.servers": "k:9092",
      listeners: "http://0.0.0.0:8083",
      "rest.advertised.host.name": "me",
      "sasl.jaas-x_y": "v",
    });
    expect(ignored).toEqual(["HEAP_OPTS", "CONNECT_LOG4J_ROOT_LOGLEVEL"]);
  });
});
describe("worker settings", () => {
  const base = {
    "group.id": "g",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
    "key.converter": "k",
    "value.converter": "v",
  };
  test("have Kafka's defaults and messages; unknown keys are named, passed-on ones are not", () => {
    const config = workerConfig(
      { ...base, "producer.acks": "1", "frob.nicate": "1", "config.storage.max.message.bytes": "5" },
      "distributed",
    );
    expect(config.unknownKeys).toEqual(["frob.nicate"]);
    expect(config.distributed).toMatchObject({ protocol: "sessioned", scheduledRebalanceMaxDelayMs: 300_000, keyTtlMs: 3_600_000 });
    expect(config.distributed?.configTopic).toEqual({
      name: "c",
      partitions: 1,
      replicationFactor: 3,
      configs: { "max.message.bytes": "5" },
    });
    expect(() => workerConfig({ ...base, "heartbeat.interval.ms": "x" }, "distributed")).toThrow(
      new ConfigError("Invalid value x for configuration heartbeat.interval.ms: Not a number of type INT"),
    );
    expect(() => workerConfig({ "group.id": "g" }, "distributed")).toThrow('Missing required configuration "key.converter"');
    expect(() => workerConfig({ ...base, listeners: "8083" }, "distributed")).toThrow("Listener doesn't have the right format");
  });
  test("clients get the common keys and those of their prefix", () => {
    const raw = {
      "bootstrap.servers": "b:1",
      "sasl.mechanism": "PLAIN",
      "producer.acks": "1",
      "producer.sasl.mechanism": "SCRAM-SHA-512",
      x: "y",
    };
    expect(clientConfig(raw, "producer.", "id")).toEqual({
      "bootstrap.servers": "b:1",
      "client.id": "id",
      "sasl.mechanism": "SCRAM-SHA-512",
      acks: "1",
    });
    expect(clientConfig(raw, "consumer.", "id")).toEqual({ "bootstrap.servers": "b:1", "client.id": "id", "sasl.mechanism": "PLAIN" });
  });
});
describe("arguments", () => {
  test("files, options and overrides in any order", () => {
    expect(parseArguments(["a", "--override", "k=v=w", "--rest=h:1", "b", "--override=x="], ["rest"])).toEqual({
      files: ["a", "b"],
      options: { rest: "h:1" },
      overrides: { k: "v=w", x: "" },
    });
    for (const bad of [["--nope", "1"], ["--rest"], ["--override", "novalue"]])
      expect(() => parseArguments(bad, ["rest"])).toThrow(UsageError);
    expect(hostAndPort("rest", "[::1]:80")).toEqual({ host: "::1", port: 80 });
    expect(() => hostAndPort("rest", "80")).toThrow("--rest needs HOST:PORT");
  });
});
describe("what goes wrong at the start", () => {
  test("is one line with the next step", () => {
    const busy = Object.assign(new Error("listen"), { code: "EADDRINUSE", address: "127.0.0.1", port: 8083 });
    expect(startFailure(busy)).toBe(
      "The REST address 127.0.0.1:8083 is in use. Stop the process that holds it, or choose another one (listeners, --rest HOST:PORT).",
    );
    expect(startFailure(Object.assign(new Error("x"), { code: "ENOENT", path: "/a" }))).toBe("There is no file /a. Check the path.");
    expect(startFailure(Object.assign(new Error("folder is corrupt."), { nextStep: "Restore it." }))).toBe(
      "folder is corrupt. Restore it.",
    );
    expect(startFailure(new Error("several\n  lines"))).not.toContain("\n");
  });
  test("gives exit code 1, a wrong command line 2, help 0", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-cli-"));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const [help, unknown, missing, busy, broken] = await Promise.all([
        run("--help"),
        run("frobnicate"),
        run("connect", join(folder, "none.properties")),
        run("start", "--broker", `127.0.0.1:${port}`, "--rest", "127.0.0.1:0", "--data-dir", join(folder, "data")),
        writeFile(join(folder, "bad.properties"), "listeners=PLAINTEXT://127.0.0.1:0\nnode.id=x\n").then(() =>
          run("broker", join(folder, "bad.properties")),
        ),
      ]);
      expect([help.code, help.stdout.startsWith("Usage: millrace")]).toEqual([0, true]);
      expect([unknown.code, unknown.stderr]).toEqual([2, 'millrace: unknown command "frobnicate"; millrace --help lists the commands\n']);
      expect([missing.code, missing.stdout]).toEqual([1, ""]);
      expect(missing.stderr).toMatch(/^millrace: There is no file .*none\.properties\. Check the path\.\n$/);
      expect([busy.code, busy.stdout]).toEqual([1, ""]);
      expect(busy.stderr.trimEnd().split("\n").at(-1)).toMatch(/^millrace: .*in use.*choose another one/);
      expect([broken.code, broken.stdout]).toEqual([1, ""]);
      expect(broken.stderr).toContain("node.id");
    } finally {
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
test("the log has levels for all its children, and writes no secrets", () => {
  const lines: string[] = [];
  const stream = Object.assign(Object.create(process.stderr), { isTTY: false, write: (line: string) => lines.push(line) > 0 });
  const log = cliLogger("info", stream);
  const child = log.child({ connector: "a" });
  child.debug("quiet");
  log.setLevel("debug");
  child.debug("loud", { "database.password": "pw", host: "h" });
  log.setLevel("off");
  child.error("nothing");
  expect(lines.map((l) => JSON.parse(l) as unknown)).toMatchObject([
    { level: "debug", connector: "a", msg: "loud", "database.password": "[hidden]", host: "h" },
  ]);
});
