/** Many REST clients that create, change and delete connectors at once; what was acknowledged has to hold afterwards. */
import { accepted, ask, notRunning } from "./journal.ts";
import { seeded, sleep } from "./millrace-process.ts";
import { RequestHistory } from "./request-history.ts";
import { counting, type WorkerGroup } from "./worker-group.ts";

const NAMES = 24;
type Outcome = { readonly kind: "config"; readonly mark: string; readonly tasks: number } | { readonly kind: "gone" };

export class RestStorm {
  readonly #group: WorkerGroup;
  readonly #random: () => number;
  readonly #histories = new Map<string, RequestHistory<Outcome>>();
  #mark = 0;
  answered = 0;

  constructor(group: WorkerGroup, seed: number) {
    this.#group = group;
    this.#random = seeded(seed);
    for (let n = 0; n < NAMES; n++) this.#histories.set(`storm-${n}`, new RequestHistory<Outcome>({ kind: "gone" }));
  }
  async run(clients: number, durationMs: number, meanwhile: () => Promise<void>): Promise<void> {
    const end = Date.now() + durationMs;
    const client = async (): Promise<void> => {
      while (Date.now() < end) await this.#step();
    };
    await Promise.all([meanwhile(), ...Array.from({ length: clients }, client)]);
  }
  async #step(): Promise<void> {
    const up = this.#group.workers.filter((w) => w.running);
    const worker = up[Math.floor(this.#random() * up.length)];
    const name = `storm-${Math.floor(this.#random() * NAMES)}`;
    const history = this.#histories.get(name);
    if (worker === undefined || history === undefined) return sleep(50);
    const deletes = this.#random() < 0.3;
    const tasks = 1 + Math.floor(this.#random() * 2);
    const mark = String(this.#mark++);
    const outcome: Outcome = deletes ? { kind: "gone" } : { kind: "config", mark, tasks };
    const request = history.begin(outcome);
    const config = counting(`storm-${tasks}`, tasks, { "pause.ms": "1000", batch: "1", mark });
    const answer = deletes
      ? await ask(worker.rest, "DELETE", `/connectors/${name}`)
      : this.#random() < 0.5
        ? await ask(worker.rest, "POST", "/connectors", { name, config })
        : await ask(worker.rest, "PUT", `/connectors/${name}/config`, config);
    if (answer.status > 0) this.answered++;
    if (answer.status >= 200 && answer.status < 300) history.acknowledged(request);
    else if (answer.status >= 400 && answer.status < 500) history.refused(request);
    await sleep(20);
  }
  /** Null when every connector is whole: listed, described, with status and tasks running, as one of its possible outcomes; or not there at all. */
  async halfMade(): Promise<string | null> {
    const { rest } = this.#group;
    const listed = await ask(rest, "GET", "/connectors");
    if (!Array.isArray(listed.body)) return listed.text;
    for (const [name, { possible }] of this.#histories) {
      const info = await ask(rest, "GET", `/connectors/${name}`);
      const there = listed.body.includes(name);
      if (there !== (info.status === 200)) return `${name}: listed ${there}, but ${info.text}`;
      if (!there) {
        if (!possible.some((o) => o.kind === "gone")) return `${name} is gone, although its creation was acknowledged`;
        const status = await ask(rest, "GET", `/connectors/${name}/status`);
        if (status.status !== 404) return `${name} is gone and has a status: ${status.text}`;
        continue;
      }
      const mark = /"mark":"(\d+)"/.exec(info.text)?.[1];
      const outcome = possible.find((o) => o.kind === "config" && o.mark === mark);
      if (outcome?.kind !== "config") return `${name} has mark ${mark}, possible: ${JSON.stringify(possible)}`;
      const wrong = await notRunning(rest, name, outcome.tasks);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  async clean(): Promise<void> {
    const { body } = await ask(this.#group.rest, "GET", "/connectors");
    const names = Array.isArray(body) ? body.filter((n) => typeof n === "string" && n.startsWith("storm-")) : [];
    for (const name of names) await accepted(this.#group.rest, "DELETE", `/connectors/${name}`);
  }
}
