/** What REST has beyond Kafka Connect, with a real worker: logins, https, masks, audit, preview, dead letters, clean-up, rewind. */
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { runVerb, VERBS } from "#connect/cli/verbs/run";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, eventually, rest } from "../fakes/connect-cluster.ts";
import { keyAndCertificate, selfSigned } from "../peers/certificates.ts";

let cluster: ConnectCluster;
let worker: RunningConnect;
const SECRET = "s3cr3t-value";
const TOKENS = { reader: "reader-token-0123456789", editor: "editor-token-0123456789", admin: "admin-token-0123456789" };
const as = (who: keyof typeof TOKENS): Record<string, string> => ({ authorization: `Bearer ${TOKENS[who]}` });

beforeAll(async () => {
  cluster = await connectCluster();
  const access = join(cluster.folder, "access.json");
  const jaas = join(cluster.folder, "jaas.conf");
  await writeFile(join(cluster.folder, "users"), "ann=pw\n");
  const module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
  await writeFile(jaas, `KafkaConnect { ${module} required file="${join(cluster.folder, "users")}"; };`);
  await writeFile(
    access,
    JSON.stringify({
      users: [
        { name: "reader", role: "read", token: TOKENS.reader },
        { name: "editor", role: "edit", connectors: ["team-"], token: TOKENS.editor },
        { name: "boss", role: "admin", token: TOKENS.admin },
      ],
    }),
  );
  worker = await cluster.join({
    "rest.extension.classes": "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
    "millrace.rest.jaas.config": jaas,
    "millrace.rest.access.file": access,
    "millrace.audit.file": join(cluster.folder, "audit.jsonl"),
  });
  await writeFile(join(cluster.folder, "in.txt"), "one\ntwo\nthree\n");
});
afterAll(() => cluster.close());

const fileSource = (name: string, more: Record<string, string> = {}): object => ({
  name,
  config: { "connector.class": "FileStreamSource", file: join(cluster.folder, "in.txt"), topic: `${name}-topic`, ...more },
});
const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = as("admin")): ReturnType<typeof rest> =>
  rest(worker.url, method, path, body, headers);

describe("logins", () => {
  test("nobody gets in without one, and Kafka's extension answers as it does there", async () => {
    const refused = await call("GET", "/connectors", undefined, {});
    expect([refused.status, refused.text, refused.headers.get("content-type")]).toEqual([
      401,
      "User cannot access the resource.",
      "application/json",
    ]);
    const basic = (pair: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
    expect((await call("GET", "/connectors", undefined, basic("ann:pw"))).status).toBe(200);
    expect((await call("GET", "/connectors", undefined, basic("ann:other"))).status).toBe(401);
    expect((await call("GET", "/connectors", undefined, { authorization: "Bearer nobody-knows-this-token" })).status).toBe(401);
    // Probes need none; what workers sign needs no login but the signature.
    expect((await call("GET", "/health", undefined, {})).status).toBe(200);
    expect((await call("PUT", "/connectors/x/fence", undefined, {})).status).toBe(400);
  });
  test("roles and beginnings of names bound what somebody may do", async () => {
    expect((await call("GET", "/connectors", undefined, as("reader"))).status).toBe(200);
    expect((await call("POST", "/connectors", fileSource("team-a"), as("reader"))).status).toBe(403);
    expect((await call("POST", "/connectors", fileSource("other"), as("editor"))).status).toBe(403);
    expect((await call("POST", "/connectors", fileSource("team-a"), as("editor"))).status).toBe(201);
    expect((await call("POST", "/connectors", fileSource("other"))).status).toBe(201);
    expect((await call("GET", "/connectors", undefined, as("editor"))).body).toEqual(["team-a"]);
    expect((await call("GET", "/connectors/other", undefined, as("editor"))).status).toBe(403);
    expect((await call("GET", "/admin/loggers", undefined, as("editor"))).status).toBe(403);
    for (const name of ["team-a", "other"]) expect((await call("DELETE", `/connectors/${name}`)).status).toBe(204);
  });
});
describe("secrets", () => {
  test("are masked, the mask keeps the old value, a new value replaces it, and the audit log has neither", async () => {
    const made = await call("POST", "/connectors", fileSource("masked", { "my.password": SECRET, "ref.password": "${file:/x:y}" }));
    expect(made.body).toMatchObject({ config: { "my.password": "[hidden]", "ref.password": "${file:/x:y}" } });
    const shown = (await call("GET", "/connectors/masked/config")).body;
    expect(shown).toMatchObject({ "my.password": "[hidden]" });
    expect((await call("PUT", "/connectors/masked/config", { ...Object(shown), "batch.size": "7" })).status).toBe(200);
    expect(worker.herder.config("masked")).toMatchObject({ "my.password": SECRET, "batch.size": "7" });
    expect((await call("PATCH", "/connectors/masked/config", { "my.password": "n3w-value" })).status).toBe(200);
    expect(worker.herder.config("masked")["my.password"]).toBe("n3w-value");
    expect((await call("POST", "/connectors", fileSource("unborn", { "my.password": "[hidden]" }))).status).toBe(400);
    const everything = await Promise.all(
      ["", "/config", "/tasks", "/status", "/state"].map(async (p) => (await call("GET", `/connectors/masked${p}`)).text),
    );
    expect(everything.join()).not.toMatch(/s3cr3t|n3w-value/);
    const audit = await readFile(join(cluster.folder, "audit.jsonl"), "utf8");
    expect(audit).toContain('"my.password":["[hidden]","[hidden]"]');
    expect(audit).toContain('"who":"boss"');
    expect(audit).toContain('"batch.size":[null,"7"]');
    expect(audit).not.toMatch(/s3cr3t|n3w-value/);
    await call("DELETE", "/connectors/masked");
  });
});
describe("names", () => {
  test("whatever can be created can be read and deleted", async () => {
    const odd = [
      "a/b",
      "a%2Fb",
      "ü 漢",
      "__proto__",
      "constructor",
      "a?b#c",
      ".",
      "..",
      "...",
      "\ud800",
      "a\u0000b",
      "x".repeat(5_000),
      " y ",
    ];
    const property = async (name: string): Promise<void> => {
      const { status, text } = await call("POST", "/connectors", fileSource(name));
      if (status === 400) return;
      expect([status, text.slice(0, 300)]).toEqual([201, expect.anything()]);
      const path = `/connectors/${encodeURIComponent(name.trim())}`;
      expect((await call("GET", path)).status, JSON.stringify(name)).toBe(200);
      expect((await call("DELETE", path)).status, JSON.stringify(name)).toBe(204);
    };
    for (const name of odd) await property(name);
    await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), property), { numRuns: 25 });
    for (const name of [".", ".."]) expect((await call("POST", "/connectors", fileSource(name))).status).toBe(400);
  }, 60_000);
});
describe("looking closer", () => {
  test("preview shows what would be sent, and leaves nothing behind", async () => {
    const cast = {
      transforms: "m",
      "transforms.m.type": "org.apache.kafka.connect.transforms.HoistField$Value",
      "transforms.m.field": "line",
    };
    const { config } = Object(
      fileSource("looked-at", {
        ...cast,
        "value.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
      }),
    );
    const { status, body } = await call("POST", "/preview?records=2", { config });
    expect([status, Object(body).records.map((r: { value: unknown }) => r.value)]).toEqual([200, [{ line: "one" }, { line: "two" }]]);
    const admin = await createKafkaClients().admin({ "bootstrap.servers": cluster.broker.bootstrap });
    expect(await admin.listTopics()).not.toContain("looked-at-topic");
    await admin.close();
    expect((await call("POST", "/preview", {})).status).toBe(400);
  });
  test("transforms are tried step by step", async () => {
    const config = {
      transforms: "a,b",
      "transforms.a.type": "org.apache.kafka.connect.transforms.HoistField$Value",
      "transforms.a.field": "x",
      "transforms.b.type": "org.apache.kafka.connect.transforms.ExtractField$Value",
      "transforms.b.field": "absent",
    };
    const { body } = await call("POST", "/transforms/try", { config, records: [{ topic: "t", value: { n: 1 } }] });
    const [first] = Object(body).records;
    expect(first.steps[0]).toMatchObject({ type: "org.apache.kafka.connect.transforms.HoistField$Value" });
    expect(first.steps).toHaveLength(2);
  });
  test("health says more than RUNNING; metrics have the names of the dashboards; checks name the mistake", async () => {
    await call("POST", "/connectors", fileSource("healthy"));
    const health = await eventually(async () => {
      const { body } = await call("GET", "/connectors/healthy/health");
      return Object(body).tasks?.[0]?.records === 3 && Object(body).position.behindBytes === 0 ? Object(body) : null;
    }, "three lines have gone through");
    expect(health).toMatchObject({ type: "source", tasks: [{ id: 0, state: "RUNNING", errors: { failures: 0 } }] });
    expect(["healthy", "idle"]).toContain(health.verdict);
    const metrics = (await call("GET", "/metrics")).text;
    expect(metrics).toContain('kafka_connect_source_task_metrics_source_record_write_total{connector="healthy",task="0"} 3');
    expect(metrics).toMatch(/^kafka_connect_connect_worker_metrics_connector_count 1$/m);
    expect(metrics).toMatch(/^kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total [1-9]/m);
    expect(metrics).toContain("process_resident_memory_bytes");
    const names = metrics.match(/^# TYPE (\S+)/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
    const checks = await call("POST", "/check", { "connector.class": "FileStreamSource", file: "/etc/shadow", topic: "t" });
    expect(Object(checks.body).checks).toMatchObject([{ check: "file", ok: false, severity: "error" }]);
  });
  test("rewind reads again from the beginning; clean-up forgets the offsets", async () => {
    expect((await call("POST", "/connectors/healthy/rewind", { to: "beginning" })).status).toBe(200);
    await eventually(async () => {
      const metrics = (await call("GET", "/metrics")).text;
      return metrics.includes('source_record_write_total{connector="healthy",task="0"} 3') ? true : null;
    }, "the lines were read again");
    await eventually(
      async () => (Object((await call("GET", "/connectors/healthy/offsets")).body).offsets.length === 1 ? true : null),
      "offsets",
    );
    const plan = await call("DELETE", "/connectors/healthy?cleanup=plan");
    expect(plan.body).toMatchObject({
      deleted: false,
      items: [
        { kind: "offsets", removed: true },
        { kind: "topic", removed: false },
      ],
    });
    expect((await call("DELETE", "/connectors/healthy?cleanup=everything")).status).toBe(400);
    expect((await call("DELETE", "/connectors/healthy?cleanup=offsets,topics")).body).toMatchObject({
      deleted: true,
      items: [{ removed: true }, { removed: true }],
    });
    expect((await call("GET", "/connectors/healthy")).status).toBe(404);
  }, 60_000);
  test("dead letters are shown, mended and sent back", async () => {
    const clients = createKafkaClients();
    const config = { "bootstrap.servers": cluster.broker.bootstrap };
    const admin = await clients.admin(config);
    await admin.createTopics([{ name: "letters", partitions: 1, replicationFactor: 1 }]);
    const producer = await clients.producer(config);
    await producer.partitions("letters");
    await producer.send("letters", 0, null, Buffer.from("not json"));
    const out = join(cluster.folder, "out.txt");
    await call("POST", "/connectors", {
      name: "letters-sink",
      config: {
        "connector.class": "FileStreamSink",
        topics: "letters",
        file: out,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "letters-dlq",
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
      },
    });
    const page = await eventually(async () => {
      const { body } = await call("GET", "/connectors/letters-sink/dlq");
      return Object(body).depth === 1 ? Object(body) : null;
    }, "the dead letter is there");
    expect(page.records[0]).toMatchObject({ value: "not json", error: { topic: "letters", stage: "VALUE_CONVERTER" } });
    const queue = { topic: "letters-dlq", depth: 1, oldest_ms: page.oldest_ms, newest_ms: page.oldest_ms };
    expect((await call("GET", "/connectors/letters-sink/health")).body).toMatchObject({ dead_letters: queue });
    const figures = await eventually(async () => {
      const { text } = await call("GET", "/metrics");
      return text.includes('millrace_dlq_depth{connector="letters-sink",topic="letters-dlq"} 1\n') ? text : null;
    }, "the depth is in the metrics");
    for (const which of ["oldest", "newest"])
      expect(figures).toMatch(
        new RegExp(`millrace_dlq_${which}_record_age_seconds\\{connector="letters-sink",topic="letters-dlq"\\} [0-9.]+\n`),
      );
    const mended = { records: [{ partition: 0, offset: 0, value: '"mended"' }] };
    expect((await call("POST", "/connectors/letters-sink/dlq/replay", mended)).body).toMatchObject({ replayed: 1 });
    await eventually(
      async () => ((await readFile(out, "utf8").catch(() => "")).includes("mended") ? true : null),
      "the mended record arrives",
    );
    expect((await call("POST", "/connectors/letters-sink/dlq/replay", { records: [{ partition: 0, offset: 9 }] })).status).toBe(404);
    expect((await run("dlq", "list", "letters-sink")).text).toMatch(/^1 records in letters-dlq\n[^]*0\/0 +letters-0@0 +VALUE_CONVERTER/);
    const shown = await run("dlq", "show", "letters-sink", "0/0");
    expect([shown.code, shown.text]).toEqual([0, expect.stringMatching(/^value: +not json$/m)]);
    expect((await run("dlq", "show", "letters-sink", "0/9")).code).toBe(1);
    expect((await run("dlq", "replay", "letters-sink", "--record", "0/0")).text).toBe("Sent 1 records\n");
    await call("DELETE", "/connectors/letters-sink");
    await producer.close();
    await admin.close();
  }, 60_000);
});
async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const env = { MILLRACE_URL: worker.url, MILLRACE_TOKEN: TOKENS.admin };
  let text = "";
  const [verb = "", ...rest] = args;
  const command = VERBS[verb];
  if (command === undefined) throw new Error(`no verb ${verb}`);
  const take = (t: string): void => void (text += t);
  return { code: await runVerb(command, rest, env, take, take), text };
}
test("the command line does kcctl's verbs", async () => {
  const file = join(cluster.folder, "applied.json");
  await writeFile(file, JSON.stringify(fileSource("applied")));
  expect(await run("apply", "-f", file)).toEqual({ code: 0, text: "Created connector applied\n" });
  expect((await run("apply", "-f", file)).text).toBe("Updated connector applied\n");
  expect((await run("patch", "connector", "applied", "-s", "batch.size=9")).code).toBe(0);
  expect(JSON.parse((await run("get", "connectors", "-o", "json")).text)).toHaveProperty("applied.info.config.file");
  expect((await run("describe", "applied")).text).toContain("batch.size: 9");
  for (const verb of ["pause", "resume", "restart", "stop"]) expect((await run(verb, "connector", "applied")).code, verb).toBe(0);
  expect((await run("doctor", "applied")).text).toContain("can be read");
  expect((await run("preview", "applied", "--records", "1")).text).toContain("one");
  expect((await run("delete", "applied")).code).toBe(0);
  const absent = await run("describe", "applied");
  expect([absent.code, absent.text.includes("not found")]).toEqual([1, true]);
});
test("the command line rewinds to offsets of a file, and carries a connector's state elsewhere", async () => {
  await call("POST", "/connectors", fileSource("carried"));
  const written = (count: number): Promise<unknown> =>
    eventually(async () => {
      const metrics = (await call("GET", "/metrics")).text;
      return metrics.includes(`source_record_write_total{connector="carried",task="0"} ${count}`) ? true : null;
    }, `${count} lines were read`);
  await written(3);
  const state = await eventually(async () => {
    const { text } = await run("state", "export", "carried");
    return Object(JSON.parse(text)).offsets.length === 1 ? text : null;
  }, "the offsets are stored");
  const [entry] = Object(JSON.parse(state)).offsets;
  const offsets = join(cluster.folder, "offsets.json");
  // Behind the first of three lines.
  await writeFile(offsets, JSON.stringify({ offsets: [{ ...entry, offset: { position: 4 } }] }));
  expect((await run("rewind", "carried", "--to", offsets)).code).toBe(0);
  await written(2);
  const file = join(cluster.folder, "state.json");
  await writeFile(file, state);
  expect((await run("state", "import", "carried", "-f", file)).code, "it is not stopped").toBe(1);
  await run("stop", "carried");
  await eventually(async () => ((await run("state", "import", "carried", "-f", file)).code === 0 ? true : null), "it has stopped");
  expect(Object(JSON.parse((await run("state", "export", "carried")).text)).offsets).toEqual([entry]);
  expect((await run("rewind", "carried", "--to", join(cluster.folder, "none.json"))).text).toContain("none.json cannot be read");
  await call("DELETE", "/connectors/carried?cleanup=offsets,topics");
}, 60_000);
test("https with client certificates, several listeners, admin listeners", async () => {
  selfSigned(cluster.folder, "localhost", "DNS:localhost,IP:127.0.0.1");
  const both = keyAndCertificate(cluster.folder, "localhost");
  const [key, cert] = await Promise.all(["localhost.key", "localhost.pem"].map((name) => readFile(join(cluster.folder, name), "utf8")));
  const secure = await cluster.join({
    "group.id": "secure",
    "config.storage.topic": "secure-configs",
    listeners: "https://127.0.0.1:0,http://127.0.0.1:0",
    "rest.advertised.listener": "https",
    "admin.listeners": "",
    "listeners.https.ssl.keystore.location": both,
    "listeners.https.ssl.keystore.type": "PEM",
    "listeners.https.ssl.truststore.location": join(cluster.folder, "localhost.pem"),
    "listeners.https.ssl.client.auth": "required",
  });
  const get = (path: string, client: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const url = new URL(path, secure.url);
      request(url, { ca: cert, ...client }, (r) => (r.resume(), resolve(r.statusCode ?? 0)))
        .on("error", reject)
        .end();
    });
  expect(secure.url).toMatch(/^https:/);
  expect(await get("/", { key, cert })).toBe(200);
  expect(await get("/admin/loggers", { key, cert })).toBe(404);
  await expect(get("/", {})).rejects.toThrow();
});
