/** Fencing of former source tasks with exactly-once support (KIP-618): none of their producers may write any more. */
import type { Admin } from "#broker/client/types";
import type { TaskId } from "../worker/types.ts";
import type { HerderLoop } from "./distributed.ts";
import { ElsewhereError, notFound, RestError } from "./errors.ts";
import { internalRequest } from "./worker-client.ts";

export const transactionalId = (groupId: string, id: TaskId): string => `${groupId}-${id.connector}-${id.task}`;

const PAUSE_MS = 125;
const PAUSE_MAX_MS = 5_000;
const ATTEMPTS_MAX = 120;
/** Of another leader or its newer session key, or of brokers that are away. */
const passes = (error: Error): boolean =>
  error instanceof ElsewhereError || (error instanceof RestError && (error.status >= 500 || error.status === 409 || error.status === 403));
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

export class ZombieFencing {
  readonly #loop: HerderLoop;
  readonly #groupId: string;
  readonly #admin: (connector: string) => Promise<Admin>;
  constructor(loop: HerderLoop, groupId: string, admin: (connector: string) => Promise<Admin>) {
    this.#loop = loop;
    this.#groupId = groupId;
    this.#admin = admin;
  }
  /** In the loop, on the leader. */
  async fenceHere(connector: string): Promise<void> {
    const store = this.#loop.stores.config;
    await store.refresh();
    const state = store.snapshot();
    if (!state.connectors.has(connector)) throw notFound(`Connector ${connector} not found in cluster`);
    if (!this.#loop.isLeader) throw new ElsewhereError("Only the leader may fence", this.#loop.membership.leaderUrl);
    if (!state.pendingFencing.has(connector)) return;
    const tasks = state.taskCounts.get(connector) ?? 0;
    const former = state.taskCountRecords.get(connector) ?? 0;
    // One task before and after: the new producer fences the old one by itself.
    if (former > 0 && !(former === 1 && tasks === 1)) {
      const admin = await this.#admin(connector);
      try {
        await admin.fenceProducers(Array.from({ length: former }, (_, task) => transactionalId(this.#groupId, { connector, task })));
      } catch (error) {
        throw new RestError(500, `Failed to fence out zombie tasks of connector ${connector}`, error);
      } finally {
        await admin.close();
      }
    }
    await store.putTaskCountRecord(connector, tasks);
  }
  /**
   * Before a task starts: by the leader, wherever that is. The leader may die over it, so it is tried again until it works or the task
   * is unwanted. Throws what trying again does not heal, and the last error after ten minutes.
   */
  async fence(connector: string, unwanted: AbortSignal): Promise<void> {
    const { clock, log } = this.#loop.options;
    for (let attempt = 1; !unwanted.aborted; attempt++) {
      try {
        return await Promise.race([this.#fenceOnce(connector), aborted(unwanted)]);
      } catch (error) {
        if (!(error instanceof Error) || !passes(error) || attempt >= ATTEMPTS_MAX) throw error;
        log.warn(`fencing former tasks of connector ${connector} failed, trying again: ${error.message}`);
        await clock.sleep(Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** Math.min(attempt, 8)), unwanted);
      }
    }
  }
  async #fenceOnce(connector: string): Promise<void> {
    const { membership, options, queue } = this.#loop;
    if (membership.isLeader) return queue.submit(() => this.fenceHere(connector));
    const url = membership.leaderUrl;
    if (url === null || url === "") throw new RestError(500, "the address of the leader is not known yet");
    const key = this.#loop.sessioned ? this.#loop.sessionKey : null;
    const session = key === null || options.settings === null ? null : { key, algorithm: options.settings.signatureAlgorithm };
    const path = `${url.replace(/\/$/, "")}/connectors/${encodeURIComponent(connector)}/fence`;
    await internalRequest(options.requestWorker, "PUT", path, "", session);
  }
}
