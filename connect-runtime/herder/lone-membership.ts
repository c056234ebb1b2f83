/** Standalone mode: a group of one, without a broker. Every rebalance is done at once. */
import { type ConfigState, EMPTY_CONFIG_STATE } from "../store/config-state.ts";
import { type Assignment, NO_ERROR } from "./connect-protocol.ts";
import type { Membership, MembershipEvents } from "./membership.ts";
import { configuredWork } from "./plan.ts";
import { WorkSet } from "./work-set.ts";

export class LoneMembership implements Membership {
  readonly #url: string;
  readonly #configState: () => ConfigState;
  readonly #events: MembershipEvents;
  #assignment: Assignment | null = null;
  #joinState = EMPTY_CONFIG_STATE;
  #generation = 0;
  #joining: Promise<void> = Promise.resolve();
  #wanted = false;

  constructor(url: string, configState: () => ConfigState, events: MembershipEvents) {
    this.#url = url;
    this.#configState = configState;
    this.#events = events;
  }
  get assignment(): Assignment | null {
    return this.#assignment;
  }
  get generation(): number {
    return this.#generation;
  }
  readonly protocolVersion = 0;
  readonly isLeader = true;
  get joinState(): ConfigState {
    return this.#joinState;
  }
  get leaderUrl(): string {
    return this.#url;
  }
  ownerUrl(): string {
    return this.#url;
  }
  start(): Promise<void> {
    this.rejoin();
    return this.#joining;
  }
  /** Requests during a rebalance are met by one more. */
  rejoin(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#joining = this.#joining.then(() => this.#join());
  }
  close(): Promise<void> {
    return this.#joining;
  }
  async #join(): Promise<void> {
    this.#wanted = false;
    const state = this.#configState();
    const work = configuredWork(state);
    const gone = WorkSet.of(this.#assignment ?? { connectors: [], tasks: [] }).minus(WorkSet.of(work));
    if (gone.size > 0) await this.#events.revoked(gone.toWork());
    this.#joinState = state;
    this.#generation++;
    const base = { version: 0, error: NO_ERROR, leader: "standalone", leaderUrl: this.#url, delayMs: 0 };
    this.#assignment = { ...base, configOffset: state.offset, ...work, revoked: { connectors: [], tasks: [] } };
    await this.#events.assigned(this.#assignment, this.#generation, "standalone");
  }
}
