/**
 * What Kafka Connect 4.1 wrote into its config, offset and status topics for each action, as recorded, against a worker in this
 * process: keys, partitions, values with the order of their members. The order across keys is timing; so are records that repeat.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { Consumer } from "#broker/client/types";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";
import { difference, isObject, type Json } from "./rest-compare.ts";

interface Written {
  readonly partition: number | string;
  readonly key: string;
  readonly value: Json;
  readonly keyOrder?: readonly string[];
}
type Kind = "config" | "offset" | "status";
interface Step {
  readonly setup?: { readonly writeFile?: { readonly path: string; readonly content: string } };
  readonly action?: "worker start" | { readonly method: string; readonly path: string; readonly body?: Json };
  readonly status?: number;
  readonly records?: Readonly<Partial<Record<Kind, readonly Written[]>>>;
}
interface Scenario {
  readonly scenario: string;
  readonly workerConfig: Record<string, string>;
  readonly topics: Readonly<Record<Kind, { readonly partitions: number; readonly configs: Readonly<Record<string, string>> }>>;
  readonly steps: readonly Step[];
}
const KINDS: readonly Kind[] = ["config", "offset", "status"];
const folder = new URL("./connect/internal-topics/", import.meta.url);
const scenarios: Scenario[] = await Promise.all(
  (await readdir(folder)).map(async (f) => JSON.parse(await readFile(new URL(f, folder), "utf8"))),
);
let cluster: ConnectCluster;
beforeAll(async () => {
  cluster = await connectCluster();
});
afterAll(() => cluster.close());

/** Reads on in one internal topic; what no step has claimed yet waits here. */
class TopicReader {
  readonly #consumer: Consumer;
  pending: Written[] = [];

  private constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }
  static async open(topic: string, partitions: number): Promise<TopicReader> {
    const consumer = await createKafkaClients().consumer({
      "bootstrap.servers": cluster.broker.bootstrap,
      "isolation.level": "read_committed",
      "enable.auto.commit": "false",
    });
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    consumer.assign(all);
    await consumer.seekToBeginning(all);
    return new TopicReader(consumer);
  }
  async read(): Promise<void> {
    for (const r of await this.#consumer.poll(50)) {
      const value: Json = r.value === null ? null : JSON.parse(Buffer.from(r.value).toString());
      this.pending.push({
        partition: r.partition,
        key: Buffer.from(r.key ?? []).toString(),
        value,
        ...(isObject(value) ? { keyOrder: Object.keys(value) } : {}),
      });
    }
  }
  close(): Promise<void> {
    return this.#consumer.close();
  }
}
/** Records of each key in their order, those that repeat the one before left out. */
function byKey(records: readonly Written[]): Map<string, readonly Written[]> {
  const same = (a: Written, b: Written): boolean => JSON.stringify(shown(a)) === JSON.stringify(shown(b));
  return new Map(
    [...Map.groupBy(records, (r) => r.key)].map(([key, list]) => [key, list.filter((r, i) => i === 0 || !same(r, list[i - 1] ?? r))]),
  );
}
/** A generation or time of its own makes no other record. */
const shown = (r: Written): Json =>
  isObject(r.value) ? Object.fromEntries(Object.entries(r.value).filter(([k]) => k !== "generation" && !k.includes("timestamp"))) : r.value;

/** UNASSIGNED was recorded with and without a version, as the reference's threads raced: two of fifteen have one. Here none has. */
const settledVersion = (value: Json): Json => (isObject(value) && value["state"] === "UNASSIGNED" ? { ...value, version: null } : value);

function mismatch(expected: readonly Written[], found: readonly Written[]): string | null {
  const [wanted, given] = [byKey(expected), byKey(found)];
  for (const key of new Set([...wanted.keys(), ...given.keys()])) {
    const [want, have] = [wanted.get(key) ?? [], given.get(key) ?? []];
    const plain = (list: readonly Written[]): Json =>
      list.map((r) => ({ ...r, value: settledVersion(r.value), keyOrder: r.keyOrder ?? null }));
    const wrong = difference(plain(want), plain(have), key, false);
    if (wrong !== null) return wrong;
  }
  return null;
}

test.each(scenarios.map((s) => [s.scenario, s] as const))(
  "%s",
  async (name, scenario) => {
    const tmp = join(cluster.folder, name);
    await mkdir(tmp, { recursive: true });
    const topics: Record<Kind, string> = { config: `${name}-configs`, offset: `${name}-offsets`, status: `${name}-status` };
    const readers = new Map<Kind, TopicReader>();
    let worker: RunningConnect | null = null;
    let steps: readonly Step[] = scenario.steps;
    for (const [i, given] of scenario.steps.entries()) {
      if (given.action === "worker start") {
        worker = await cluster.join({
          "group.id": name,
          "config.storage.topic": topics.config,
          "offset.storage.topic": topics.offset,
          "status.storage.topic": topics.status,
          "offset.storage.partitions": String(scenario.topics.offset.partitions),
          "status.storage.partitions": String(scenario.topics.status.partitions),
          ...scenario.workerConfig,
        });
        const text = JSON.stringify(scenario.steps).replaceAll("<tmp>", tmp).replaceAll("<host:port>", new URL(worker.url).host);
        steps = JSON.parse(text);
        for (const kind of KINDS) readers.set(kind, await TopicReader.open(topics[kind], scenario.topics[kind].partitions));
      }
      const step = steps[i] ?? given;
      const file = step.setup?.writeFile;
      if (file !== undefined) await writeFile(file.path, file.content);
      if (step.action === undefined) continue;
      const label = `step ${i} ${JSON.stringify(step.action)}`;
      if (step.action !== "worker start") {
        const { method, path, body } = step.action;
        const answer = await rest(worker?.url ?? "", method, path, body);
        expect([answer.status, answer.text], label).toEqual([step.status, expect.anything()]);
      }
      let last = "";
      const settled = async (): Promise<true | null> => {
        for (const kind of KINDS) {
          const reader = readers.get(kind);
          await reader?.read();
          const wrong = mismatch(step.records?.[kind] ?? [], reader?.pending ?? []);
          if (wrong === null) continue;
          last = `${label} ${kind} topic: ${wrong}`;
          return null;
        }
        return true;
      };
      await eventually(settled, label, 10_000).catch(() => expect.fail(last));
      for (const reader of readers.values()) reader.pending = [];
    }
    for (const reader of readers.values()) await reader.close();
    await rm(tmp, { recursive: true });
  },
  120_000,
);
