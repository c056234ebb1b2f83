/** Fencing of former source tasks with exactly-once support (KIP-618): none of their producers may write any more. */
import type { Admin } from "#broker/client/types";
import type { TaskId } from "../worker/types.ts";
import type { HerderLoop } from "./distributed.ts";
import { ElsewhereError, notFound, RestError } from "./errors.ts";
import { internalRequest } from "./worker-client.ts";

export const transactionalId = (groupId: string, id: TaskId): string => `${groupId}-${id.connector}-${id.task}`;

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
  /** Before a task starts: by the leader, wherever that is. */
  async fence(connector: string): Promise<void> {
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
