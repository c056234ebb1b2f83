import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BrokerError } from "#broker/base/errors";
import { startBroker } from "#broker/broker";
import { WireClient } from "../wire/wire-client.ts";
import { batchOf, get, makeTopic, propertiesFor, put, valuesOf } from "./broker-fixture.ts";

let folder = "";
const cleanup: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "broker-start-"));
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
  rmSync(folder, { recursive: true, force: true });
});
async function refusal(properties: Readonly<Record<string, string>>): Promise<BrokerError> {
  const failed: unknown = await startBroker({ ...propertiesFor(folder), ...properties }).then(
    (broker) => broker.close().then(() => null),
    (error: unknown) => error,
  );
  if (!(failed instanceof BrokerError)) throw new Error(`started, or failed with ${String(failed)}`);
  expect(failed.message).not.toContain("\n");
  expect(failed.nextStep).not.toBe("");
  return failed;
}

describe("start of the broker", () => {
  test("a busy port is one clear error, and the folder is free again", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    cleanup.push(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const failed = await refusal({ listeners: `PLAINTEXT://127.0.0.1:${port}` });
    expect([failed.code, failed.message]).toEqual(["PORT_IN_USE", `Listener PLAINTEXT (127.0.0.1, port ${port}): the port is in use`]);
    const broker = await startBroker(propertiesFor(folder));
    await broker.close();
  });
  test("two brokers never share a data folder", async () => {
    const first = await startBroker(propertiesFor(folder));
    cleanup.push(() => first.close());
    expect((await refusal({})).code).toBe("DATA_LOCKED");
  });
  test("a lock whose process is gone is taken over, also when its id was given out again", async () => {
    writeFileSync(join(folder, ".lock"), `${process.pid} 1\n`);
    const broker = await startBroker(propertiesFor(folder));
    await broker.close();
  });
  test.skipIf(process.getuid?.() === 0)("a folder without rights (skipped as root, who has them all)", async () => {
    const closed = join(folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    expect((await refusal({ "log.dirs": closed })).code).toBe("NO_ACCESS");
  });
  test("a path that cannot be a folder", async () => {
    writeFileSync(join(folder, "file"), "");
    expect((await refusal({ "log.dirs": join(folder, "file", "data") })).code).toBe("NO_ACCESS");
  });
  test("damaged identity, and that of another node", async () => {
    writeFileSync(join(folder, "meta.properties"), "nonsense\n");
    expect((await refusal({})).code).toBe("CORRUPT_DATA");
    writeFileSync(join(folder, "meta.properties"), "version=1\nnode.id=7\ncluster.id=H1HoHB5LTO6-wvUEB4O-0g\n");
    expect((await refusal({})).message).toContain("belongs to node 7, this one is node 1");
  });
  test("a damaged metadata log stops the start and is left as it is", async () => {
    const broker = await startBroker(propertiesFor(folder));
    const client = await WireClient.open(broker.port);
    await makeTopic(client, "a");
    await makeTopic(client, "b");
    client.close();
    await broker.close();
    const log = join(folder, "__cluster_metadata-0", "00000000000000000000.log");
    const bytes = readFileSync(log);
    bytes[70] = (bytes[70] ?? 0) ^ 0xff;
    writeFileSync(log, bytes);
    expect((await refusal({})).code).toBe("CORRUPT_DATA");
    expect(readFileSync(log).equals(bytes)).toBe(true);
  });
  test.each([
    [
      "listeners",
      "PLAINTEXT//nohost",
      'Invalid value for configuration listeners: "PLAINTEXT//nohost" is not of the form NAME://host:port',
    ],
    ["num.partitions", "many", "Invalid value many for configuration num.partitions: Not a number of type INT"],
    ["advertised.listeners", "PLAINTEXT://0.0.0.0:1", undefined],
    ["listener.security.protocol.map", "PLAINTEXT:NONE", undefined],
  ])("a wrong %s is named", async (key, value, message) => {
    const failed = await refusal({ [key]: value });
    expect(failed.code).toBe("INVALID_CONFIG");
    expect(failed.message).toContain(message ?? key);
  });
  test("KRaft's keys are accepted, unknown ones told once, the controller's listener is not opened", async () => {
    const told: object[] = [];
    const logger = {
      debug() {},
      info() {},
      warn: (_m: string, fields?: object) => void told.push(fields ?? {}),
      error() {},
      child: () => logger,
    };
    const broker = await startBroker(
      {
        ...propertiesFor(folder),
        listeners: "INTERNAL://127.0.0.1:0,CONTROLLER://127.0.0.1:1",
        "advertised.listeners": "INTERNAL://broker.example:1234",
        "listener.security.protocol.map": "INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@127.0.0.1:1",
        "some.plugin.key": "x",
      },
      { logger },
    );
    expect(told).toEqual([{ keys: ["some.plugin.key"] }]);
    expect(broker.listeners.map(({ name }) => name)).toEqual(["INTERNAL"]);
    await broker.close();
  });
  test("killed at any moment, every acknowledged record is there again", { timeout: 60_000 }, async () => {
    const script = `import { startBroker } from ${JSON.stringify(join(import.meta.dirname, "../../core-broker/broker.ts"))};
      const broker = await startBroker(JSON.parse(process.argv[1]));
      console.log("port " + broker.port);`;
    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, JSON.stringify(propertiesFor(folder))], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      cleanup.push(() => void child.kill("SIGKILL"));
      const port = await new Promise<number>((resolve, reject) => {
        child.stdout.on("data", (text: Buffer) => resolve(Number(/port (\d+)/.exec(text.toString())?.[1])));
        child.once("exit", (code) => reject(new Error(`exit ${code}`)));
      });
      const client = await WireClient.open(port);
      if (round === 0) await makeTopic(client, "journal");
      else expect(valuesOf(await get(client, "journal", 0)).slice(0, acknowledged.length)).toEqual(acknowledged);
      const stopAt = acknowledged.length + 20 + round * 17;
      while (acknowledged.length < stopAt) {
        const value = `${round}-${acknowledged.length}`;
        const answer = await put(client, "journal", batchOf([value]));
        expect(answer).toMatchObject({ errorCode: 0, baseOffset: acknowledged.length });
        acknowledged.push(value);
      }
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
      client.close();
    }
  });
});
