/** What the suites of database connectors share: connectors by REST, topics, a run from the first to the last event, ratios. */
import { createKafkaClients } from "#broker/client/index";
import { cpuSeconds, machine, residentMiB, sample } from "./process-sample.ts";
import type { Target } from "./targets.ts";

export interface Figure {
  readonly perSecond: number;
  /** Of connector and broker together, per million events. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}
/** After that the connector's state is looked at while events come. */
const SLOW_MS = 300_000;
export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

export async function call(url: string, method: string, body?: unknown): Promise<void> {
  for (let i = 0; ; i++) {
    const response = await fetch(url, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (response.ok) return;
    if (response.status !== 409 || i > 200) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    await sleep(100);
  }
}
/** Throws when a task has failed. */
export async function alive(target: Target, name: string): Promise<void> {
  const status = await (await fetch(`${target.rest}/connectors/${name}/status`)).text();
  if (status.includes("FAILED")) throw new Error(status);
}

type Admin = Awaited<ReturnType<ReturnType<typeof createKafkaClients>["admin"]>>;
export class Topic {
  readonly #admin: Admin;
  readonly #topic: string;
  private constructor(admin: Admin, topic: string) {
    this.#admin = admin;
    this.#topic = topic;
  }
  static async create(target: Target, topic: string): Promise<Topic> {
    const admin = await createKafkaClients().admin({ "bootstrap.servers": target.bootstrap });
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
    return new Topic(admin, topic);
  }
  async end(): Promise<number> {
    return (await this.#admin.endOffsets([{ topic: this.#topic, partition: 0 }]))[0] ?? 0;
  }
  async delete(): Promise<void> {
    await this.#admin.deleteTopics([this.#topic]);
    await this.#admin.close();
  }
}

const J = "org.apache.kafka.connect.json.JsonConverter";
export const PLAIN_JSON = {
  "key.converter": J,
  "value.converter": J,
  "key.converter.schemas.enable": "false",
  "value.converter.schemas.enable": "false",
};
export const historyOf = (target: Target, name: string): Record<string, string> => ({
  "schema.history.internal.kafka.bootstrap.servers": target.bootstrap,
  "schema.history.internal.kafka.topic": `${name}.history`,
});
/** A connector with the one topic it writes to. */
export interface Run {
  readonly target: Target;
  readonly name: string;
  readonly topic: Topic;
}
/** What was written while the connector was stopped. */
export const backlog = (run: Run, count: number): Promise<Figure> =>
  once(run, count, () => call(`${run.target.rest}/connectors/${run.name}/resume`, "PUT"));
export const wholeRun = (run: Run, count: number, config: Readonly<Record<string, string>>): Promise<Figure> =>
  once(run, count, () => call(`${run.target.rest}/connectors/${run.name}/config`, "PUT", config));
async function once({ target, name, topic }: Run, count: number, begin: () => Promise<void>): Promise<Figure> {
  const figure = await drained(target, name, topic, count, begin);
  await call(`${target.rest}/connectors/${name}`, "DELETE");
  await topic.delete();
  return figure;
}
export function add(figures: Map<string, Figure[]>, { name }: Target, figure: Figure): void {
  figures.set(name, [...(figures.get(name) ?? []), figure]);
}
/** Times `count` events from the first one on, as they become readable, while `begin` sets the connector going. */
async function drained(target: Target, name: string, topic: Topic, count: number, begin: () => Promise<void>): Promise<Figure> {
  const base = await topic.end();
  const used = sample(target.pids.connect);
  const brokerBefore = cpuSeconds(target.pids.broker);
  await begin();
  let first: { at: number; end: number } | null = null;
  for (let end = base; end - base < count; await sleep(20)) {
    end = await topic.end();
    if (first === null && end > base) first = { at: performance.now(), end };
    if (first === null || performance.now() - first.at > SLOW_MS) await alive(target, name);
  }
  const seconds = (performance.now() - (first?.at ?? 0)) / 1000;
  const own = used();
  const apart = target.pids.broker !== target.pids.connect;
  return {
    perSecond: (count - ((first?.end ?? base) - base)) / seconds,
    cpuSeconds: ((own.cpuSeconds + (apart ? cpuSeconds(target.pids.broker) - brokerBefore : 0)) * 1e6) / count,
    peakMiB: own.peakMiB + (apart ? residentMiB(target.pids.broker) : 0),
  };
}

const best = (list: readonly Figure[]): Figure | undefined => list.toSorted((a, b) => b.perSecond - a.perSecond)[0];
/** Each figure, what the database's own program reaches (null: not known), and the ratio of the best ones. */
export function report(title: string, unit: string, figures: ReadonlyMap<string, readonly Figure[]>, limit: Figure | null): void {
  console.log(`\n${title}   (${machine()})`);
  for (const [name, list] of figures)
    for (const f of list)
      console.log(
        `  ${name.padEnd(9)} ${Math.round(f.perSecond).toLocaleString("en").padStart(9)} ${unit}/s   ${f.cpuSeconds.toFixed(1).padStart(6)} CPU s per million   peak ${Math.round(f.peakMiB)} MiB`,
      );
  const ours = best(figures.get("millrace") ?? []),
    theirs = best(figures.get("debezium") ?? []);
  if (ours !== undefined && limit !== null)
    console.log(
      `  limit     ${Math.round(limit.perSecond).toLocaleString("en").padStart(9)} ${unit}/s by the database's own program; ${(ours.perSecond / limit.perSecond).toFixed(2)} of it`,
    );
  if (ours === undefined || theirs === undefined) return;
  console.log(
    `  ratio     ${(ours.perSecond / theirs.perSecond).toFixed(2)}× the ${unit}/s, ${(ours.cpuSeconds / theirs.cpuSeconds).toFixed(3)}× the CPU per ${unit.slice(0, -1)}, ${(ours.peakMiB / theirs.peakMiB).toFixed(3)}× the memory`,
  );
}
