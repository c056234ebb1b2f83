/**
 * F22: the JDBC sink's database is killed in the middle of a batch, refuses batches by deadlocks, and is away, while records come. The
 * task stays RUNNING and in the end the table holds the last value of each key. MILLRACE_CHAOS_SEED repeats a run, MILLRACE_SINK_ROUNDS
 * changes the number of faults, MILLRACE_AWAY_MS (600000 is the full size) how long the database is away.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { Producer } from "#broker/client/types";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { TARGETS, type SinkTarget } from "./sink-targets.ts";

const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20261122);
const ROUNDS = Number(process.env["MILLRACE_SINK_ROUNDS"] ?? 3);
const AWAY_MS = Number(process.env["MILLRACE_AWAY_MS"] ?? 3_000);
const KEYS = 100;
const TOPIC = "rows";

const int = (field: string): object => ({ type: "int32", optional: false, field });
const KEY_SCHEMA = { type: "struct", optional: false, name: "Key", fields: [int("id")] };
const VALUE_SCHEMA = { type: "struct", optional: false, name: "Row", fields: [int("id"), int("n")] };
const json = (schema: object, payload: object): Buffer => Buffer.from(JSON.stringify({ schema, payload }));

/** Sends rows of random keys with rising `n`, and tombstones; remembers what the table has to hold in the end. */
class Load {
  readonly expected = new Map<number, number>();
  readonly #producer: Producer;
  readonly #random: () => number;
  #n = 0;
  #running = true;
  readonly #done: Promise<void>;
  constructor(producer: Producer, random: () => number) {
    this.#producer = producer;
    this.#random = random;
    for (let id = 0; id < KEYS; id++) this.#send(id, false);
    this.#done = this.#run();
  }
  #send(id: number, tombstone: boolean): void {
    const n = ++this.#n;
    if (tombstone) this.expected.delete(id);
    else this.expected.set(id, n);
    this.#producer.append(TOPIC, 0, json(KEY_SCHEMA, { id }), tombstone ? null : json(VALUE_SCHEMA, { id, n }), Date.now(), []);
  }
  async #run(): Promise<void> {
    while (this.#running) {
      for (let i = 0; i < 20; i++) this.#send(Math.floor(this.#random() * KEYS), this.#random() < 0.1);
      await sleep(20);
    }
  }
  /** All keys again, so that a locked one is among them. */
  everyKey(): void {
    for (let id = 0; id < KEYS; id++) this.#send(id, false);
  }
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.#producer.close();
  }
}

async function until(what: string, holds: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(20);
  }
}
const moved = async (target: SinkTarget): Promise<void> => {
  const before = await target.largest();
  await until("rows come again", async () => (await target.largest()) > before);
};

/** The batch waits for a row that somebody else holds, so that it is surely under way when the server dies. */
async function killedInBatch(target: SinkTarget, load: Load): Promise<void> {
  await target.hold(KEYS - 1);
  load.everyKey();
  await until("the batch waits for a lock", () => target.batchWaits());
  await target.kill();
  await target.start();
}
/** Somebody else holds a row that the batch wants and wants one that the batch holds. */
async function deadlock(target: SinkTarget, load: Load): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await target.hold(Math.floor(KEYS / 2));
    load.everyKey();
    await until("the batch waits for a lock", () => target.batchWaits());
    if (await target.crossWithBatch()) return;
  }
  throw new Error("no deadlock came about");
}
async function away(target: SinkTarget): Promise<void> {
  await target.kill();
  await sleep(AWAY_MS);
  await target.start();
}

describe.each(TARGETS)("$name", ({ open, faults }) => {
  test(`${ROUNDS} faults (seed ${seed})`, async (context) => {
    const target = await open();
    if ("reason" in target) return context.skip(target.reason);
    const [broker = 0, rest = 0] = await freePorts(2);
    const folder = await mkdtemp(join(tmpdir(), "millrace-sink-"));
    const millrace = await startMillrace(folder, broker, rest);
    const clients = createKafkaClients();
    const producer = await clients.producer({ "bootstrap.servers": millrace.bootstrap, acks: "all" });
    const admin = await clients.admin({ "bootstrap.servers": millrace.bootstrap });
    try {
      await admin.createTopics([{ name: TOPIC, partitions: 1, replicationFactor: 1 }]);
      await producer.partitions(TOPIC);
      await putConnector(millrace.rest, "sink", {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": "1",
        topics: TOPIC,
        ...target.connection,
        "insert.mode": "upsert",
        "delete.enabled": "true",
        "primary.key.mode": "record_key",
        "schema.evolution": "basic",
        "collection.name.format": "t",
      });
      const random = seeded(seed);
      const load = new Load(producer, random);
      await until("the table is there", async () => (await target.largest()) > 0);
      for (let round = 0; round < ROUNDS; round++) {
        const fault = faults[round % faults.length];
        if (fault === "killed in a batch") await killedInBatch(target, load);
        else if (fault === "deadlock") await deadlock(target, load);
        else await away(target);
        await moved(target);
        expect(await connectorStates(millrace.rest)).not.toContain("FAILED");
      }
      await load.stop();
      const wanted = [...load.expected].toSorted(([a], [b]) => a - b);
      await until("the table holds the last values", async () => JSON.stringify(await target.rows()) === JSON.stringify(wanted)).catch(
        () => {},
      );
      expect(await target.rows(), `seed ${seed}`).toEqual(wanted);
      expect(await connectorStates(millrace.rest)).toContain("RUNNING");
    } finally {
      await admin.close();
      await millrace.kill();
      await target.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
