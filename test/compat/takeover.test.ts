/**
 * Takeover in place: a Kafka Connect worker of the JVM with running connectors is stopped, ours starts with the same properties file
 * over the same topics and goes on, and back again. Over our broker and over Apache Kafka.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted, ask, notRunning, recordsOf, statusOf, until } from "../chaos/journal.ts";
import { BROKERS, type BrokerProcess, distributedSettings, type Process, properties, spawnOurs } from "../chaos/worker-process.ts";
import { debeziumLibs, pluginSettings, startJvmWorker } from "../peers/kafka-connect.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";

const [PORT = 0] = await freePorts(40);

const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";
const FILE = "org.apache.kafka.connect.file.FileStream";
const missing = debeziumLibs().reason;

describe.each(BROKERS)("over $name", (kind) => {
  const reason = kind.skipped || missing;
  if (reason !== "") {
    test.skipIf(reason !== "")(`skipped: ${reason}`, () => {});
    return;
  }
  const port = kind.name === "our broker" ? PORT : PORT + 20;
  const rest = `http://127.0.0.1:${port + 5}`;
  const folder = mkdtempSync(join(tmpdir(), "takeover-"));
  const file = join(folder, "connect-distributed.properties");
  let broker: BrokerProcess;
  let postgres: ThrowawayPostgres;
  let db: pg.Client;
  let worker: Process | null = null;

  beforeAll(async () => {
    const [started, server] = await Promise.all([kind.start(port), startPostgres(port + 9)]);
    if ("reason" in server) throw new Error(server.reason);
    broker = started;
    postgres = server;
    db = await postgres.database("inventory");
    await db.query("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (0, 'snapshot')");
    const converters = { "key.converter": JSON_CONVERTER, "value.converter": JSON_CONVERTER };
    const plain = { "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false" };
    const settings = { ...distributedSettings(broker.bootstrap, "takeover", port + 5), ...converters, ...plain, ...pluginSettings() };
    writeFileSync(file, properties({ ...settings, "scheduled.rebalance.max.delay.ms": "0" }));
  });
  afterAll(async () => {
    await worker?.end("SIGKILL");
    await broker?.stop();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const input = (name: string): string => join(folder, `${name}.in`);
  const output = join(folder, "lines.out");
  let rows = 1;
  const lines = new Map<string, number>();
  /** One more line in each file, one more row and one more update in the table. */
  async function write(): Promise<void> {
    for (const name of ["lines", "paused", "stopped"]) {
      const n = lines.get(name) ?? 0;
      lines.set(name, n + 1);
      appendFileSync(input(name), `${name} ${n}\n`);
    }
    await db.query("INSERT INTO item VALUES ($1, 'new')", [rows++]);
  }
  const wantedLines = (name: string): string[] => Array.from({ length: lines.get(name) ?? 0 }, (_, n) => `"${name} ${n}"`);
  const valuesOf = async (topic: string): Promise<(string | null)[]> => (await recordsOf(broker.bootstrap, topic)).map((r) => r.value);
  const idsOf = async (): Promise<number[]> =>
    (await valuesOf("inv.public.item")).map((v) => Number(/"after":\{"id":(\d+)/.exec(v ?? "")?.[1] ?? -1));
  /** All that was written so far is in the topics and in the sink's file. */
  const caughtUp = (): Promise<void> =>
    until(async () => {
      const last = wantedLines("lines").at(-1);
      if ((await valuesOf("lines")).at(-1) !== last) return `lines end at ${String((await valuesOf("lines")).at(-1))} instead of ${last}`;
      if (!(existsSync(output) ? readFileSync(output, "utf8") : "").includes(JSON.parse(last ?? '""'))) return "the sink is behind";
      if ((await idsOf()).at(-1) !== rows - 1)
        return `rows end at ${(await idsOf()).at(-1)}: ${JSON.stringify(await statusOf(rest, "pg"))}`;
      return null;
    });
  async function exact(): Promise<void> {
    expect(await valuesOf("lines")).toEqual(wantedLines("lines"));
    expect(await idsOf()).toEqual(Array.from({ length: rows }, (_, n) => n));
    expect(readFileSync(output, "utf8").trimEnd().split("\n")).toEqual(wantedLines("lines").map((l) => JSON.parse(l)));
  }
  /** What a worker says of everything that has to be the same under the next one. */
  async function facts(): Promise<unknown> {
    const names = ((await accepted(rest, "GET", "/connectors")).body as string[]).sort(); // a list of names
    const of = async (name: string): Promise<unknown> => ({
      name,
      info: (await accepted(rest, "GET", `/connectors/${name}`)).body,
      tasks: (await accepted(rest, "GET", `/connectors/${name}/tasks`)).body,
      state: (await statusOf(rest, name))?.connector.state,
      taskStates: (await statusOf(rest, name))?.tasks.map((t) => t.state),
      offsets: name === "pg" ? null : (await accepted(rest, "GET", `/connectors/${name}/offsets`)).body,
    });
    return Promise.all(names.map(of));
  }
  const settled = (states: Readonly<Record<string, string>>): Promise<void> =>
    until(async () => {
      for (const [name, state] of Object.entries(states)) {
        const status = await statusOf(rest, name);
        const all = [status?.connector.state, ...(status?.tasks ?? []).map((t) => t.state)];
        if (status === null || all.some((s) => s !== state)) return `${name}: ${JSON.stringify(status)}`;
        if (state !== "STOPPED" && status.tasks.length === 0) return `${name} has no task`;
      }
      return null;
    });

  test("a cluster goes from the JVM to ours and back with nothing lost and nothing twice", async () => {
    for (const name of ["lines", "paused", "stopped"]) writeFileSync(input(name), "");
    worker = await startJvmWorker("ConnectDistributed", [file]);
    for (const name of ["lines", "paused", "stopped"]) {
      const config = { "connector.class": `${FILE}SourceConnector`, file: input(name), topic: name, "tasks.max": "1" };
      await accepted(rest, "POST", "/connectors", { name: `src-${name}`, config });
    }
    const sink = { "connector.class": `${FILE}SinkConnector`, file: output, topics: "lines", "tasks.max": "2" };
    await accepted(rest, "POST", "/connectors", {
      name: "snk",
      config: { ...sink, "value.converter": JSON_CONVERTER, "value.converter.schemas.enable": "false" },
    });
    await accepted(rest, "POST", "/connectors", {
      name: "pg",
      config: {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1",
        "database.port": String(postgres.port),
        "database.user": postgres.user,
        "database.password": "unused",
        "database.dbname": "inventory",
        "topic.prefix": "inv",
        "plugin.name": "pgoutput",
        "table.include.list": "public.item",
        "slot.name": "takeover",
      },
    });
    await settled({ "src-lines": "RUNNING", "src-paused": "RUNNING", "src-stopped": "RUNNING", pg: "RUNNING" });
    await until(() => notRunning(rest, "snk", 2));
    await write();
    await caughtUp();
    await until(async () =>
      (await valuesOf("stopped")).length === 1 && (await valuesOf("paused")).length === 1 ? null : "files are behind",
    );
    await accepted(rest, "PUT", "/connectors/src-paused/pause");
    await accepted(rest, "PUT", "/connectors/src-stopped/stop");
    const states = { "src-lines": "RUNNING", "src-paused": "PAUSED", "src-stopped": "STOPPED", snk: "RUNNING", pg: "RUNNING" };
    await settled(states);
    await write();
    await caughtUp();
    // Longer than the interval of offset commits, so that both workers answer with all of them.
    await new Promise((wake) => setTimeout(wake, 2_000));
    const before = await facts();

    await worker.end();
    await write();
    worker = await spawnOurs([], ["connect", file]);
    await settled(states);
    await caughtUp();
    await exact();
    expect(await valuesOf("paused")).toEqual(wantedLines("paused").slice(0, 1));
    await write();
    await caughtUp();
    await accepted(rest, "PUT", "/connectors/src-paused/resume");
    await settled({ "src-paused": "RUNNING" });
    await until(async () => ((await valuesOf("paused")).length === lines.get("paused") ? null : "the resumed file is behind"));
    await accepted(rest, "PUT", "/connectors/src-paused/pause");
    await settled(states);
    const [after] = [await facts()];
    expect(withoutOffsets(after)).toEqual(withoutOffsets(before));

    await worker.end();
    await write();
    worker = await startJvmWorker("ConnectDistributed", [file]);
    await settled(states);
    await caughtUp();
    await exact();
    expect(withoutOffsets(await facts())).toEqual(withoutOffsets(before));

    // Not asked any more: what was not committed comes again, but nothing is missing.
    await write();
    await worker.end("SIGKILL");
    await write();
    worker = await spawnOurs([], ["connect", file]);
    await settled(states);
    await caughtUp();
    expect([...new Set(await valuesOf("lines"))]).toEqual(wantedLines("lines"));
    expect([...new Set(await idsOf())]).toEqual(Array.from({ length: rows }, (_, n) => n));
    await accepted(rest, "PUT", "/connectors/src-stopped/resume");
    await settled({ "src-stopped": "RUNNING" });
    await until(async () => ((await valuesOf("stopped")).length === lines.get("stopped") ? null : "the stopped file is behind"));
    expect(await valuesOf("stopped")).toEqual(wantedLines("stopped"));
    expect((await ask(rest, "GET", "/connectors/pg/offsets")).text).toContain('"lsn"');
  });
});
/** Also without the password: ours does not show it. */
const withoutOffsets = (facts: unknown): unknown =>
  JSON.parse(JSON.stringify(facts, (key, value: unknown) => (key === "offsets" || key === "database.password" ? null : value)));
