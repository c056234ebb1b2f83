/** The recorded REST scenarios of Kafka Connect 4.1, replayed against a worker in this process. */
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest, type RestAnswer } from "../fakes/connect-cluster.ts";
import { difference, isObject, type Json, subsetDifference } from "./rest-compare.ts";

interface Setup {
  readonly writeFile?: { readonly path: string; readonly content: string };
  readonly appendFile?: { readonly path: string; readonly content: string };
  readonly createTopic?: { readonly name: string; readonly partitions: number };
  readonly produce?: {
    readonly topic: string;
    readonly records: readonly { readonly key: string; readonly value: string; readonly partition?: number }[];
  };
  readonly sleepMs?: number;
}
interface Step {
  readonly setup?: Setup;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: Json;
    readonly rawBody?: string;
  };
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: Json };
  readonly poll?: boolean;
  readonly unordered?: boolean;
  readonly match?: "subset";
  readonly note?: string;
}
interface Scenario {
  readonly scenario: string;
  readonly workerConfig?: Record<string, string>;
  readonly steps: readonly Step[];
}
/** Where Kafka answers 500 with a text of the JVM for a client's mistake, we answer 400. */
const JVM_TEXT =
  /^(Cannot invoke "|Cannot deserialize value of type|Cannot construct instance of|Unexpected character \(|Unexpected end-of-input|Unrecognized field ")/;
/** Connectors that we do not have. */
const ABSENT = "MirrorHeartbeatConnector";

const folder = new URL("./connect/rest/", import.meta.url);
const scenarios: Scenario[] = await Promise.all(
  (await readdir(folder)).map(async (f) => JSON.parse(await readFile(new URL(f, folder), "utf8"))),
);
let cluster: ConnectCluster;
let tmp: string;
beforeAll(async () => {
  cluster = await connectCluster();
  tmp = join(cluster.folder, "scratch");
});
afterAll(() => cluster.close());

function expectedOf(step: Step): Step["response"] {
  const { body, status } = step.response;
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : null;
  if (status !== 500 || typeof message !== "string" || !JVM_TEXT.test(message)) return step.response;
  return { ...step.response, status: 400, body: { error_code: 400, message: "<any:string>" } };
}
function withErrors(body: { readonly [key: string]: Json }): Json {
  const configs = Array.isArray(body["configs"]) ? body["configs"] : [];
  return configs.flatMap((config) => {
    const value = config["value"];
    return value["errors"].length > 0 ? [{ value }] : [];
  });
}
/** Some bodies were recorded in a reduced form. */
function reduced(step: Step, body: Json): Json {
  const wanted = step.response.body;
  if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted)) return body;
  if (Array.isArray(body) && Object.keys(wanted).join() === "count") return { count: body.length };
  if (step.note?.includes("reduced to configs") !== true || !isObject(body)) return body;
  return { ...body, configs: withErrors(body) };
}
function mismatch(step: Step, answer: RestAnswer): string | null {
  const expected = expectedOf(step);
  if (answer.status !== expected.status) return `status: expected ${expected.status}, got ${answer.status} ${answer.text}`;
  const body = reduced(step, (typeof answer.body === "string" ? { $text: answer.body } : answer.body) as Json);
  const text = step.request.method === "OPTIONS";
  const found =
    step.match === "subset"
      ? subsetDifference(expected.body, body, step.unordered === true)
      : text
        ? null
        : difference(expected.body, body, "body", step.unordered === true);
  if (found !== null) return found;
  for (const name of ["content-type", "location", "allow"]) {
    const given = answer.headers.get(name);
    const wanted = expected.headers[name] ?? null;
    const same = name === "allow" ? sortedList(given) === sortedList(wanted) : given === wanted;
    if (!same) return `header ${name}: expected ${wanted}, got ${given}`;
  }
  return null;
}
const sortedList = (header: string | null): string =>
  header === null
    ? ""
    : header
        .split(",")
        .map((m) => m.trim())
        .toSorted((a, b) => a.localeCompare(b))
        .join();

async function prepare(setup: Setup): Promise<void> {
  if (setup.writeFile !== undefined) await writeFile(setup.writeFile.path, setup.writeFile.content);
  if (setup.appendFile !== undefined) await appendFile(setup.appendFile.path, setup.appendFile.content);
  if (setup.sleepMs !== undefined) await new Promise((resolve) => setTimeout(resolve, setup.sleepMs));
  const config = { "bootstrap.servers": cluster.broker.bootstrap };
  if (setup.createTopic !== undefined) {
    const admin = await createKafkaClients().admin(config);
    await admin.createTopics([{ ...setup.createTopic, replicationFactor: 1 }]);
    await admin.close();
  }
  if (setup.produce !== undefined) {
    const { topic, records } = setup.produce;
    const producer = await createKafkaClients().producer(config);
    await producer.partitions(topic);
    for (const r of records) await producer.send(topic, r.partition ?? null, Buffer.from(r.key), Buffer.from(r.value));
    await producer.close();
  }
}
async function replay(worker: RunningConnect, scenario: Scenario): Promise<void> {
  const host = new URL(worker.url).host;
  const text = JSON.stringify(scenario.steps)
    .replaceAll("<tmp>", tmp)
    .replaceAll("<host:port>", host)
    .replaceAll("<bootstrap>", cluster.broker.bootstrap);
  const steps: Step[] = JSON.parse(text);
  for (const [i, step] of steps.entries()) {
    if (step.setup !== undefined) {
      await prepare(step.setup);
      continue;
    }
    const { method, path, headers, body, rawBody } = step.request;
    if (JSON.stringify(body ?? null).includes(ABSENT)) continue;
    let last = "";
    const ask = async (): Promise<true | null> => {
      const found = mismatch(step, await rest(worker.url, method, path, rawBody ?? body, headers));
      last = `${scenario.scenario} step ${i} ${method} ${path}: ${found}`;
      return found === null ? true : null;
    };
    if (step.poll === true)
      await eventually(ask, last || `${scenario.scenario} step ${i} ${method} ${path}`, 30_000).catch(() => expect.fail(last));
    else if ((await ask()) === null) expect.fail(last);
  }
}
async function clear(worker: RunningConnect): Promise<void> {
  const { body } = await rest(worker.url, "GET", "/connectors");
  for (const name of body as string[]) {
    const path = `/connectors/${encodeURIComponent(name)}`;
    await rest(worker.url, "PUT", `${path}/stop`);
    // A file source without a file has none to reset.
    const reset = async (): Promise<true | null> => {
      const { status, text } = await rest(worker.url, "DELETE", `${path}/offsets`);
      return status === 200 || (status === 400 && !text.includes("STOPPED")) ? true : null;
    };
    await eventually(reset, `${name}'s offsets are reset`);
    await rest(worker.url, "DELETE", path);
    await eventually(async () => ((await rest(worker.url, "GET", `${path}/status`)).status === 404 ? true : null), `${name} is gone`);
  }
}

const byConfig = Map.groupBy(scenarios, (s) => JSON.stringify(s.workerConfig ?? {}));
describe.each([...byConfig])("a worker with %s", (settings, group) => {
  let worker: RunningConnect;
  beforeAll(async () => {
    worker = await cluster.join({ "connector.client.config.override.policy": "All", ...JSON.parse(settings) });
  });
  afterAll(async () => {
    cluster.workers.length = 0;
    await worker.close();
  });
  test.each(group.map((s) => [s.scenario, s] as const))(
    "%s",
    async (_name, scenario) => {
      await mkdir(tmp, { recursive: true });
      try {
        await replay(worker, scenario);
      } finally {
        await clear(worker);
        await rm(tmp, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
