/**
 * One group of a JVM worker and one of ours at the same time, in each group protocol: work is shared, either may lead, and requests are
 * sent on both ways; between workers they are signed (KIP-507).
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted, ask, recordsOf, type StatusBody, statusOf, until } from "../chaos/journal.ts";
import { BROKERS, type BrokerProcess, distributedSettings, type Process, properties, spawnOurs } from "../chaos/worker-process.ts";
import { startJvmWorker } from "../peers/kafka-connect.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(60);

const FILE = "org.apache.kafka.connect.file.FileStream";
const NAMES = ["mix-0", "mix-1", "mix-2", "mix-3"];

describe.each(BROKERS)("over $name", (kind) => {
  if (kind.skipped !== "") {
    test.skipIf(kind.skipped !== "")(`skipped: ${kind.skipped}`, () => {});
    return;
  }
  const base = kind.name === "our broker" ? PORT : PORT + 30;
  const folder = mkdtempSync(join(tmpdir(), "mixed-"));
  const running = new Set<Process>();
  let broker: BrokerProcess;
  beforeAll(async () => {
    broker = await kind.start(base);
  });
  afterAll(async () => {
    await Promise.all([...running].map((p) => p.end("SIGKILL")));
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  // The broker makes no difference to the older protocols.
  test.each(kind.name === "our broker" ? ["sessioned", "compatible", "eager"] : ["sessioned"])(
    "a %s group of both, with either as its leader",
    async (protocol) => {
      const offset = ["sessioned", "compatible", "eager"].indexOf(protocol) * 4;
      const [jvmPort, ourPort] = [base + 10 + offset, base + 11 + offset];
      const [jvmRest, ourRest] = [`http://127.0.0.1:${jvmPort}`, `http://127.0.0.1:${ourPort}`];
      const exactlyOnce = protocol === "sessioned" ? { "exactly.once.source.support": "enabled" } : {};
      const fileOf = (port: number): string => {
        const path = join(folder, `${protocol}-${port}.properties`);
        const settings = distributedSettings(broker.bootstrap, `mixed-${protocol}`, port);
        const more = { "plugin.discovery": "service_load", "scheduled.rebalance.max.delay.ms": "0", "offset.flush.interval.ms": "500" };
        writeFileSync(path, properties({ ...settings, ...more, ...exactlyOnce, "connect.protocol": protocol }));
        return path;
      };
      const started = async (start: Promise<Process>): Promise<Process> => {
        const process = await start;
        running.add(process);
        return process;
      };
      const input = (name: string): string => join(folder, `${protocol}-${name}.in`);
      const topic = (name: string): string => `${protocol}-${name}`;
      let lines = 0;
      const write = (): void => {
        for (const name of NAMES) appendFileSync(input(name), `${lines}\n`);
        lines++;
      };
      const source = (name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
        "connector.class": `${FILE}SourceConnector`,
        file: input(name),
        topic: topic(name),
        "tasks.max": "1",
        ...more,
      });
      const flowing = (rest: string): Promise<void> =>
        until(async () => {
          for (const name of NAMES) {
            const last = (await recordsOf(broker.bootstrap, topic(name))).at(-1)?.value;
            if (last !== String(lines - 1))
              return `${name} is at ${String(last)} of ${lines - 1}: ${JSON.stringify(await statusOf(rest, name))}`;
          }
          return null;
        });
      /** Every connector and task runs; the two workers say the same, and both have work. */
      const shared = (workers: readonly string[]): Promise<void> =>
        until(async () => {
          const owners = new Set<string>();
          for (const name of NAMES) {
            const [a, b] = await Promise.all([statusOf(jvmRest, name), statusOf(ourRest, name)]);
            if (JSON.stringify(places(a)) !== JSON.stringify(places(b))) return `${name}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`;
            const parts = a === null ? [] : [a.connector, ...a.tasks];
            if (parts.length !== 2 || parts.some((p) => p.state !== "RUNNING")) return JSON.stringify(a);
            for (const p of parts) owners.add(p.worker_id);
          }
          return workers.every((w) => owners.has(w)) ? null : `work is only at ${[...owners].join()}`;
        });
      const both = [`127.0.0.1:${jvmPort}`, `127.0.0.1:${ourPort}`];

      for (const name of NAMES) writeFileSync(input(name), "");
      let jvm = await started(startJvmWorker("ConnectDistributed", [fileOf(jvmPort)]));
      const ours = await started(spawnOurs([], ["connect", fileOf(ourPort)]));
      // The JVM leads. Half of the requests go to the one that does not.
      for (const [n, name] of NAMES.entries()) {
        await accepted(n % 2 === 0 ? ourRest : jvmRest, "POST", "/connectors", { name, config: source(name) });
      }
      await shared(both);
      write();
      await flowing(ourRest);
      await forwarded(ourRest);
      await shared(both);

      await jvm.end();
      running.delete(jvm);
      write();
      await until(async () => (await allAt(ourRest, both[1] ?? "")) ?? null);
      await flowing(ourRest);
      jvm = await started(startJvmWorker("ConnectDistributed", [fileOf(jvmPort)]));
      // Ours leads now.
      await shared(both);
      write();
      await flowing(jvmRest);
      await forwarded(jvmRest);
      await shared(both);
      write();
      await flowing(jvmRest);
      if (protocol !== "eager") {
        // Nothing was killed: every line once.
        for (const name of NAMES) {
          const values = (await recordsOf(broker.bootstrap, topic(name))).map((r) => r.value);
          expect(values).toEqual(Array.from({ length: lines }, (_, n) => String(n)));
        }
      }
      await Promise.all([jvm.end(), ours.end()]);
      running.delete(jvm);
      running.delete(ours);

      /** Requests to the worker that does not lead, and to one that does not own the task. */
      async function forwarded(follower: string): Promise<void> {
        const extra = { name: "mix-extra", config: source("mix-0", { topic: topic("extra") }), initial_state: "STOPPED" };
        await accepted(follower, "POST", "/connectors", extra);
        await until(async () =>
          (await statusOf(follower, "mix-extra"))?.connector.state === "STOPPED" ? null : "mix-extra is not stopped",
        );
        await accepted(follower, "PATCH", "/connectors/mix-extra/config", { "batch.size": "7" });
        expect((await accepted(jvmRest, "GET", "/connectors/mix-extra/config")).text).toContain('"batch.size":"7"');
        const wanted = { partition: { filename: input("mix-0") }, offset: { position: 0 } };
        await accepted(follower, "PATCH", "/connectors/mix-extra/offsets", { offsets: [wanted] });
        expect((await accepted(ourRest, "GET", "/connectors/mix-extra/offsets")).body).toEqual({ offsets: [wanted] });
        await accepted(follower, "DELETE", "/connectors/mix-extra/offsets");
        await accepted(follower, "DELETE", "/connectors/mix-extra");
        for (const name of NAMES) {
          await accepted(jvmRest, "POST", `/connectors/${name}/tasks/0/restart`);
          await accepted(ourRest, "POST", `/connectors/${name}/tasks/0/restart`);
          await accepted(follower, "POST", `/connectors/${name}/restart?includeTasks=true`);
        }
        // Unsigned requests of the kind that workers send each other are refused by both.
        if (protocol === "sessioned") {
          for (const rest of [jvmRest, ourRest]) {
            const refused = await ask(rest, "POST", "/connectors/mix-0/tasks", []);
            expect(refused).toMatchObject({ status: 400, body: { message: "Internal request missing required signature" } });
          }
        }
        // Task configs change: the owner of the connector has the leader write them.
        for (const name of NAMES)
          await accepted(follower, "PUT", `/connectors/${name}/config`, source(name, { "batch.size": String(100 + lines) }));
        await until(async () => {
          for (const name of NAMES) {
            const { text } = await ask(follower, "GET", `/connectors/${name}/tasks`);
            if (!text.includes(`"batch.size":"${100 + lines}"`)) return text;
          }
          return null;
        });
      }
      async function allAt(rest: string, worker: string): Promise<string | null> {
        for (const name of NAMES) {
          const status = await statusOf(rest, name);
          const parts = status === null ? [] : [status.connector, ...status.tasks];
          if (parts.length !== 2 || parts.some((p) => p.worker_id !== worker || p.state !== "RUNNING")) return JSON.stringify(status);
        }
        return null;
      }
    },
  );
});
const places = (s: StatusBody | null): unknown => (s === null ? null : [s.connector, ...s.tasks].map((p) => [p.state, p.worker_id]));
