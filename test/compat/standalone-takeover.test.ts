/** connect-standalone's offset file goes from the JVM's worker to ours and back; the properties files are the same. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted, recordsOf, until } from "../chaos/journal.ts";
import { BROKERS, type BrokerProcess, type Process, properties, spawnOurs } from "../chaos/worker-process.ts";
import { startJvmWorker } from "../peers/kafka-connect.ts";
import { kafkaLibs } from "../peers/kafka.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(10);
const REST = `http://127.0.0.1:${PORT + 5}`;
const missing = kafkaLibs().reason;
const folder = mkdtempSync(join(tmpdir(), "standalone-"));
const [worker, connector, input] = ["worker.properties", "source.properties", "lines.in"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]; // three names, three paths
let broker: BrokerProcess | undefined;
let running: Process | null = null;

beforeAll(async () => {
  if (missing !== "") return;
  broker = await BROKERS[0]?.start(PORT);
  const STRING = "org.apache.kafka.connect.storage.StringConverter";
  writeFileSync(
    worker,
    properties({
      "bootstrap.servers": broker?.bootstrap ?? "",
      "key.converter": STRING,
      "value.converter": STRING,
      "offset.storage.file.filename": join(folder, "connect.offsets"),
      "offset.flush.interval.ms": "500",
      "plugin.discovery": "service_load",
      listeners: REST,
    }),
  );
  writeFileSync(
    connector,
    properties({ name: "lines", "connector.class": "FileStreamSource", "tasks.max": "1", file: input, topic: "lines" }),
  );
  writeFileSync(input, "");
});
afterAll(async () => {
  await running?.end("SIGKILL");
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let lines = 0;
const write = (): void => appendFileSync(input, `${lines++}\n`);
async function caughtUp(): Promise<void> {
  const wanted = Array.from({ length: lines }, (_, n) => String(n));
  const read = async (): Promise<(string | null)[]> => (await recordsOf(broker?.bootstrap ?? "", "lines")).map((r) => r.value);
  await until(async () => ((await read()).at(-1) === wanted.at(-1) ? null : `at ${String((await read()).at(-1))}`));
  expect(await read()).toEqual(wanted);
}
const offsets = async (): Promise<unknown> => (await accepted(REST, "GET", "/connectors/lines/offsets")).body;

test.skipIf(missing !== "")(
  `the offset file of connect-standalone is taken over both ways${missing === "" ? "" : ` (skipped: ${missing})`}`,
  async () => {
    const jvm = (): Promise<Process> => startJvmWorker("ConnectStandalone", [worker, connector]);
    const ours = (): Promise<Process> => spawnOurs([], ["connect-standalone", worker, connector]);
    for (const start of [jvm, ours, jvm, ours]) {
      write();
      running = await start();
      await caughtUp();
      write();
      await caughtUp();
      await until(async () =>
        JSON.stringify(await offsets()).includes(`"position":${2 * lines}`) ? null : JSON.stringify(await offsets()),
      );
      await running.end();
    }
  },
);
