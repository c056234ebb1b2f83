/** Three workers of ours in one group, their connectors, and what happens to them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accepted, ask, judge, notRunning, recordsOf, type Findings, until } from "./journal.ts";
import { distributedSettings, type WorkerProcess, workerProcess } from "./worker-process.ts";

export class WorkerGroup {
  readonly bootstrap: string;
  readonly name: string;
  readonly folder = mkdtempSync(join(tmpdir(), "worker-group-"));
  readonly workers: readonly WorkerProcess[];
  readonly #ports: readonly number[];

  constructor(bootstrap: string, name: string, port: number, settings: Readonly<Record<string, string>> = {}, count = 3) {
    this.bootstrap = bootstrap;
    this.name = name;
    this.#ports = Array.from({ length: count }, (_, n) => port + n);
    this.workers = this.#ports.map((p) => workerProcess(this.folder, p, { ...distributedSettings(bootstrap, name, p), ...settings }));
  }
  async start(): Promise<void> {
    await Promise.all(this.workers.map((w) => w.start()));
  }
  async close(): Promise<void> {
    await Promise.all(this.workers.map((w) => w.end("SIGKILL")));
    const kept = process.env["MILLRACE_CHAOS_LOGS"];
    if (kept !== undefined) this.workers.forEach((w, n) => writeFileSync(join(kept, `${this.name}-${n}.log`), w.output()));
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** Any worker that is up. */
  get rest(): string {
    return (this.workers.find((w) => w.running) ?? this.workers[0])?.rest ?? "";
  }
  get workerIds(): string[] {
    return this.#ports.map((p) => `127.0.0.1:${p}`);
  }
  /** The worker that leads: it answers a refused internal request itself, the others send it on. */
  async leader(): Promise<WorkerProcess> {
    const led = /"leader":"http:\/\/127\.0\.0\.1:(\d+)\/"/;
    for (let attempt = 0; attempt < 100; attempt++) {
      for (const worker of this.workers.filter((w) => w.running)) {
        const found = [...worker.output().matchAll(new RegExp(led, "g"))].at(-1)?.[1];
        const leader = this.workers.find((w) => w.rest.endsWith(`:${found}`));
        if (leader?.running === true) return leader;
      }
      await new Promise((wake) => setTimeout(wake, 100));
    }
    throw new Error(`no leader: ${this.workers[0]?.output().slice(-2000)}`);
  }
  async put(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await accepted(this.rest, "PUT", `/connectors/${name}/config`, config);
  }
  async running(name: string, tasks: number, timeoutMs = 40_000): Promise<void> {
    await until(() => notRunning(this.rest, name, tasks), timeoutMs);
  }
  /** Until every task of these connectors runs on a worker of this group. */
  async allRunning(connectors: ReadonlyMap<string, number>, timeoutMs = 40_000): Promise<void> {
    await until(async () => {
      for (const [name, tasks] of connectors) {
        const wrong = await notRunning(this.rest, name, tasks, this.workerIds);
        if (wrong !== null) return wrong;
      }
      return null;
    }, timeoutMs);
  }
  /** Ends the connector's tasks cleanly and reads what its topic holds. */
  async verdict(connector: string, topic: string): Promise<Findings> {
    await accepted(this.rest, "PUT", `/connectors/${connector}/stop`);
    await until(async () => {
      const { body } = await ask(this.rest, "GET", `/connectors/${connector}/status`);
      return /"tasks":\[\]/.test(JSON.stringify(body)) ? null : JSON.stringify(body);
    });
    return judge(await recordsOf(this.bootstrap, topic));
  }
}
export const counting = (topic: string, tasks: number, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  "connector.class": "test.CountingSource",
  "tasks.max": String(tasks),
  topic,
  ...more,
});
