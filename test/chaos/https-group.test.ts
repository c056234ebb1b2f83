/**
 * Three workers as processes that reach each other by https only, with client certificates and signed requests (KIP-507): whatever
 * is sent to any of them reaches the leader or the owner, and the keys change meanwhile. Stores are PKCS12, as keytool writes them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyStore, selfSigned, signed, trustStore } from "../peers/certificates.ts";
import { freePorts } from "../peers/ports.ts";
import { until } from "./journal.ts";
import { counting } from "./worker-group.ts";
import { BROKERS, type BrokerProcess, distributedSettings, type WorkerProcess, workerProcess } from "./worker-process.ts";

const [PORT = 0] = await freePorts(40);
const PORTS = [PORT + 10, PORT + 11, PORT + 12];
const PASSWORD = "store-pass";
const folder = mkdtempSync(join(tmpdir(), "https-group-"));
const at = (name: string): string => join(folder, name);
let broker: BrokerProcess;
const workers: WorkerProcess[] = [];

function makeStores(): void {
  selfSigned(folder, "ca");
  signed(folder, "worker", "IP:127.0.0.1");
  keyStore(folder, "worker", "worker.p12", PASSWORD);
  trustStore(folder, "ca", "trust.p12", PASSWORD);
}
beforeAll(async () => {
  makeStores();
  const [ours] = BROKERS;
  if (ours === undefined) throw new Error("no broker");
  broker = await ours.start(PORT);
  for (const port of PORTS) {
    workers.push(
      workerProcess(folder, port, {
        ...distributedSettings(broker.bootstrap, "https", port),
        // Plain addresses are beside it, and are not the ones that are advertised.
        listeners: `https://127.0.0.1:${port},http://127.0.0.1:${port + 10}`,
        "admin.listeners": `http://127.0.0.1:${port + 20}`,
        "rest.advertised.listener": "https",
        "rest.advertised.port": String(port),
        "inter.worker.key.ttl.ms": "2000",
        "ssl.keystore.location": at("worker.p12"),
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": PASSWORD,
        "ssl.truststore.location": at("trust.p12"),
        "ssl.truststore.password": PASSWORD,
        "ssl.client.auth": "required",
      }),
    );
  }
  await Promise.all(workers.map((w) => w.start()));
}, 120_000);
afterAll(async () => {
  await Promise.all(workers.map((w) => w.end("SIGKILL")));
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
}
function ask(port: number, method: string, path: string, body?: unknown, known = true): Promise<Answer> {
  const identity = known ? { key: readFileSync(at("worker.key")), cert: readFileSync(at("worker.pem")) } : {};
  return new Promise((resolve, reject) => {
    const options = { method, ca: readFileSync(at("ca.pem")), ...identity, headers: { "content-type": "application/json" } };
    const sent = request(`https://127.0.0.1:${port}${path}`, options, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
/** Until no rebalance is in the way. */
async function settled(port: number, method: string, path: string, body?: unknown): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(port, method, path, body);
    if (answer.status !== 409 || attempt > 100) return answer;
    await new Promise((wake) => setTimeout(wake, 200));
  }
}
const running = (port: number, name: string, tasks: number): Promise<void> =>
  until(async () => {
    const { text } = await ask(port, "GET", `/connectors/${name}/status`);
    return text.split('"state":"RUNNING"').length === tasks + 2 ? null : text;
  });

test("each worker takes each request, over https and signed", async () => {
  for (const [i, port] of PORTS.entries()) {
    const created = await settled(port, "PUT", `/connectors/c${i}/config`, counting(`c${i}`, 3));
    expect([created.status, created.text]).toEqual([201, expect.anything()]);
  }
  for (const [i, port] of PORTS.entries()) await running(port, `c${i}`, 3);
  for (const port of PORTS) {
    for (const name of ["c0", "c1", "c2"]) {
      // Restarts go to whoever has it; more tasks go from the owner of the connector, signed, to the leader.
      expect((await settled(port, "POST", `/connectors/${name}/restart`)).status).toBe(204);
      for (const task of [0, 1, 2]) expect((await settled(port, "POST", `/connectors/${name}/tasks/${task}/restart`)).status).toBe(204);
    }
  }
  for (const [i, port] of PORTS.entries()) {
    expect((await settled(port, "PATCH", `/connectors/c${i}/config`, { "tasks.max": "4" })).status).toBe(200);
    await running(port, `c${i}`, 4);
  }
  const owners = await ask(PORTS[0] ?? 0, "GET", "/connectors?expand=status");
  for (const port of PORTS) expect(owners.text).toContain(`"worker_id":"127.0.0.1:${port}"`);
  expect(workers.map((w) => w.output()).join("")).not.toMatch(/Invalid signature|verification failed|IO Error trying to forward/);
}, 120_000);

test("nobody gets in without a certificate; what is not signed is refused; addresses serve what they are for", async () => {
  const [port = 0] = PORTS;
  await expect(ask(port, "GET", "/", undefined, false)).rejects.toThrow();
  const forged = await ask(port, "POST", "/connectors/c0/tasks", [{}]);
  expect([forged.status, forged.text]).toEqual([400, expect.stringContaining("missing required signature")]);
  const plain = async (at: number, path: string): Promise<number> => (await fetch(`http://127.0.0.1:${at}${path}`)).status;
  expect(await plain(port + 10, "/connectors")).toBe(200);
  expect(await plain(port + 10, "/admin/loggers")).toBe(404);
  expect(await plain(port + 20, "/admin/loggers")).toBe(200);
  expect(await plain(port + 20, "/connectors")).toBe(404);
});
