/** Asks running connectors for their task configs and has the leader write them when they have changed. */
import { targetOf } from "../store/config-state.ts";
import type { ConfigMap } from "../worker/types.ts";
import { RestError } from "./errors.ts";
import type { HerderLoop } from "./distributed.ts";
import { taskConfigsChanged } from "./plan.ts";
import { internalRequest } from "./worker-client.ts";

const FIRST_PAUSE_MS = 250;
const PAUSE_MAX_MS = 60_000;

export class TaskConfigPublisher {
  readonly #loop: HerderLoop;
  /** The newest request per connector; older ones give up. */
  readonly #current = new Map<string, symbol>();
  #closed = false;

  constructor(loop: HerderLoop) {
    this.#loop = loop;
  }
  /** Runs beside the loop, because connectors may be slow to answer; tried again until it works or is overtaken. */
  reconfigure(connector: string): void {
    const token = Symbol(connector);
    this.#current.set(connector, token);
    void this.#attempt(connector, token, FIRST_PAUSE_MS);
  }
  close(): void {
    this.#closed = true;
    this.#current.clear();
  }
  async #attempt(connector: string, token: symbol, pauseMs: number): Promise<void> {
    const { options } = this.#loop;
    const overtaken = (): boolean => this.#closed || this.#current.get(connector) !== token || !this.#loop.isRunning(connector);
    if (overtaken()) return;
    try {
      const configs = await options.worker.taskConfigs(connector);
      if (!overtaken()) await this.#publish(connector, configs);
    } catch (error) {
      if (overtaken()) return;
      options.log.error(`task configs of connector ${connector} could not be made, trying again in ${pauseMs} ms: ${String(error)}`);
      options.clock.after(pauseMs, () => void this.#attempt(connector, token, Math.min(PAUSE_MAX_MS, pauseMs * 2)));
    }
  }
  async #publish(connector: string, configs: readonly ConfigMap[]): Promise<void> {
    const { stores, membership, options, queue } = this.#loop;
    const elsewhere = await queue.submit(async () => {
      const state = stores.config.snapshot();
      // Stopped while the connector was making them: a stopped connector has no tasks.
      if (targetOf(state, connector) === "STOPPED" || !taskConfigsChanged(state, connector, configs)) return false;
      if (!membership.isLeader) return true;
      if (this.#loop.isRunning(connector)) await stores.config.putTaskConfigs(connector, configs);
      return false;
    });
    if (!elsewhere) return;
    const url = membership.leaderUrl;
    if (url === null || url === "") throw new RestError(500, "the address of the leader is not known yet");
    const key = this.#loop.sessioned ? this.#loop.sessionKey : null;
    const session = key === null || options.settings === null ? null : { key, algorithm: options.settings.signatureAlgorithm };
    const path = `${url.replace(/\/$/, "")}/connectors/${encodeURIComponent(connector)}/tasks`;
    await internalRequest(options.requestWorker, "POST", path, JSON.stringify(configs), session);
  }
}
