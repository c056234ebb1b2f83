/**
 * The herder's loop, which owns all decisions. Group callbacks, REST commands, changes of the config topic and timers are
 * handled one after the other, so that no two of them ever see each other's half-done work. Standalone mode is the same loop
 * with stores in memory and a group of one.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Random } from "#broker/base/random";
import type { DistributedSettings } from "../config.ts";
import type { SessionKey } from "../store/config-records.ts";
import { type ConfigChange, type ConfigState, EMPTY_CONFIG_STATE, targetOf } from "../store/config-state.ts";
import type { ConfigStore } from "../store/config.ts";
import type { StatusStore } from "../store/status.ts";
import type { ConfigMap, ExecutionState, TaskId, Worker, WorkerListener } from "../worker/types.ts";
import { CommandQueue } from "./command-queue.ts";
import { type Assignment, NO_ERROR, NO_WORK, type Work } from "./connect-protocol.ts";
import { conflict, REBALANCE_EXPECTED } from "./errors.ts";
import { FencedTasks } from "./fenced-tasks.ts";
import type { Membership, MembershipEvents } from "./membership.ts";
import { configuredWork, planChanges, planOutdated, planRestart, planStart, sameWork } from "./plan.ts";
import { type ConnectorClasses, HerderReads } from "./reads.ts";
import { newSessionKey } from "./session.ts";
import { stateReports } from "./state-reports.ts";
import { TaskConfigPublisher } from "./task-config-publisher.ts";
import { WorkRunner } from "./work-runner.ts";
import type { WorkerRequest } from "./worker-client.ts";

export interface HerderStores {
  readonly config: ConfigStore;
  readonly statuses: StatusStore;
}
export interface HerderOptions {
  readonly worker: Worker;
  readonly openStores: (changed: (change: ConfigChange) => void) => Promise<HerderStores>;
  readonly membership: (configState: () => ConfigState, refresh: () => Promise<void>, events: MembershipEvents) => Membership;
  readonly classes: ConnectorClasses;
  /** `host:port` as it stands in statuses. */
  readonly workerId: string;
  /** Null: standalone. */
  readonly settings: DistributedSettings | null;
  readonly trackTopics: boolean;
  readonly requestWorker: WorkerRequest;
  /** Another worker, or this one, has set a level for the whole cluster. */
  readonly loggerLevel: (namespace: string, level: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}
const IDLE_MS = 60_000;
const FAILED_TICK_PAUSE_MS = 250;
const SYNC_TIMEOUT_MS = 3_000;
/** A rebalance of a healthy group is over long before. */
const HOLD_MS = 10_000;
const HOLD_CHECK_MS = 500;
const CLOSE_FLUSH_MS = 3_000;
const SESSIONED = 2;

/** Opens the stores and joins the group. Resolves when this worker runs what it was given. */
export async function openHerderLoop(options: HerderOptions): Promise<HerderLoop> {
  const early: ConfigChange[] = [];
  const opened: { loop: HerderLoop | null } = { loop: null };
  const changed = (change: ConfigChange): void => (opened.loop === null ? void early.push(change) : opened.loop.changed(change));
  const listener: WorkerListener = {
    connectorState: (name, state, trace) => opened.loop?.listener.connectorState(name, state, trace),
    taskState: (id, state, trace) => opened.loop?.listener.taskState(id, state, trace),
    reconfigurationRequested: (name) => opened.loop?.listener.reconfigurationRequested(name),
    topicUsed: (name, topic, task) => opened.loop?.listener.topicUsed(name, topic, task),
  };
  const [stores] = await Promise.all([options.openStores(changed), options.worker.start(listener)]);
  const loop = new HerderLoop(options, stores);
  opened.loop = loop;
  for (const change of early) loop.changed(change);
  await loop.start();
  return loop;
}

export class HerderLoop {
  readonly options: HerderOptions;
  readonly stores: HerderStores;
  readonly queue: CommandQueue;
  readonly runner: WorkRunner;
  readonly publisher: TaskConfigPublisher;
  readonly reads: HerderReads;
  readonly membership: Membership;
  readonly listener: WorkerListener;
  /** Before a task starts, e.g. to fence its predecessors. */
  beforeTask: (id: TaskId, config: ConfigMap, unwanted: AbortSignal) => Promise<void> = () => Promise.resolve();

  /** The config state that the present assignment was made for, and the changes since that this worker has handled. */
  #known: ConfigState = EMPTY_CONFIG_STATE;
  #resolved = false;
  #rejoining = false;
  #rebalanceAt: number | null = null;
  #pending: ConfigChange[] = [];
  #groupEvents: (() => Promise<void>)[] = [];
  #closing = false;
  #woken = false;
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();
  #ownKey: SessionKey | null = null;
  /** As leader this worker is the one that may write the config topic. */
  #claimed = false;
  readonly #joined = Promise.withResolvers<void>();
  readonly #connectorStates = new Map<string, ExecutionState>();

  constructor(options: HerderOptions, stores: HerderStores) {
    this.options = options;
    this.stores = stores;
    this.queue = new CommandQueue(options.clock, () => this.wake());
    this.reads = new HerderReads(() => stores.config.snapshot(), stores.statuses, options.classes);
    this.publisher = new TaskConfigPublisher(this);
    this.membership = options.membership(
      () => stores.config.snapshot(),
      () => stores.config.refresh(this.#syncTimeoutMs),
      this.#membershipEvents(),
    );
    const reports = stateReports({
      ...options,
      statuses: stores.statuses,
      generation: () => this.membership.generation,
      version: (connector) => this.reads.version(connector),
      exists: (connector) => stores.config.snapshot().connectors.has(connector),
      reconfigurationRequested: (connector) => this.publisher.reconfigure(connector),
    });
    const { settings } = options;
    this.listener = this.#statesNoted(settings === null ? reports : new FencedTasks(this, settings.sessionTimeoutMs).watching(reports));
    this.runner = new WorkRunner({
      worker: options.worker,
      log: options.log,
      connectorStarted: (name) => this.publisher.reconfigure(name),
      beforeTask: (id, config, unwanted) => this.beforeTask(id, config, unwanted),
      taskFailed: (id, error) => this.listener.taskState(id, "FAILED", traceText(error)),
      connectorFailed: (name, error) => this.listener.connectorState(name, "FAILED", traceText(error)),
    });
  }
  get isLeader(): boolean {
    return this.membership.isLeader;
  }
  get sessionKey(): SessionKey | null {
    return this.stores.config.snapshot().sessionKey;
  }
  /** Whether internal requests are signed (KIP-507). */
  get sessioned(): boolean {
    return this.options.settings !== null && this.membership.protocolVersion >= SESSIONED;
  }
  get assigned(): Work {
    return this.membership.assignment ?? NO_WORK;
  }
  isRunning(connector: string): boolean {
    return this.runner.connectors.has(connector) && this.#connectorStates.get(connector) === "RUNNING";
  }
  get #syncTimeoutMs(): number {
    return this.options.settings?.workerSyncTimeoutMs ?? SYNC_TIMEOUT_MS;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
    this.membership.start().catch((error: unknown) => this.#joined.reject(error));
    await this.#joined.promise;
  }
  wake(): void {
    this.#woken = true;
    this.#wake();
  }
  changed(change: ConfigChange): void {
    if (change.kind === "logger") this.options.loggerLevel(change.namespace, change.level);
    else if (change.kind !== "session-key") this.#pending.push(change);
    this.wake();
  }
  /** Stops all work, leaves the group and closes the stores. */
  async close(): Promise<void> {
    this.#closing = true;
    this.queue.close();
    this.publisher.close();
    this.wake();
    await this.#running;
    await this.runner.stop({ connectors: [...this.runner.connectors.keys()], tasks: [...this.runner.tasks.values()].map((t) => t.id) });
    // With the brokers away the last statuses cannot be written; the end does not wait for that.
    await Promise.race([this.stores.statuses.flush(), this.options.clock.sleep(CLOSE_FLUSH_MS)]);
    await this.membership.close();
    await this.options.worker.close();
    await Promise.all([this.stores.statuses.close(), this.stores.config.close()]);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.options;
    while (!this.#closing) {
      this.#woken = false;
      let pauseMs = IDLE_MS;
      try {
        pauseMs = await this.#tick();
      } catch (error) {
        log.error(`the herder failed at a step and tries again: ${traceText(error)}`);
        pauseMs = FAILED_TICK_PAUSE_MS;
      }
      if (this.#woken || pauseMs <= 0) continue;
      const awake = new AbortController();
      this.#wake = () => awake.abort();
      await clock.sleep(pauseMs, awake.signal);
      this.#wake = () => {};
    }
    for (const event of this.#groupEvents.splice(0)) await event();
  }
  /** Milliseconds until there is something to do without being woken. */
  async #tick(): Promise<number> {
    await this.#groupTurn();
    if (this.membership.assignment === null) return this.#hold();
    if (!this.#resolved && !(await this.#resolve())) return this.#rejoining ? this.#hold() : FAILED_TICK_PAUSE_MS;
    if (this.#rejoining) return this.#hold();
    this.#joined.resolve();
    const now = this.options.clock.monotonic();
    if (this.#rebalanceAt !== null && this.#rebalanceAt <= now) {
      this.#rejoin("the delayed rebalance is due");
      return IDLE_MS;
    }
    await this.#rotateKey();
    for (let run = this.queue.take(); run !== null && !this.#closing; run = this.queue.take()) {
      await run();
      if (this.#groupEvents.length > 0) return 0;
    }
    if (this.#pending.length > 0) {
      await this.handleChanges();
      return 0;
    }
    return Math.min(
      IDLE_MS,
      this.queue.nextInMs() ?? IDLE_MS,
      this.#rebalanceAt === null ? IDLE_MS : Math.max(1, this.#rebalanceAt - now),
      this.#keyExpiresInMs(),
    );
  }
  /** During a rebalance commands wait a while; then the client is told to come again. */
  #hold(): number {
    this.queue.refuseAfter(HOLD_MS, conflict(REBALANCE_EXPECTED));
    const first = this.queue.nextInMs();
    return first === null ? IDLE_MS : first + HOLD_CHECK_MS;
  }
  #rejoin(why: string): void {
    this.options.log.debug(`asking for a rebalance: ${why}`);
    this.#rejoining = true;
    this.#rebalanceAt = null;
    this.membership.rejoin();
  }

  /** Callbacks of the group wait here for their turn, and the group waits for them. */
  async #groupTurn(): Promise<void> {
    while (this.#groupEvents.length > 0) {
      const events = this.#groupEvents;
      this.#groupEvents = [];
      for (const event of events) await event();
    }
  }
  #inTurn(run: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#groupEvents.push(() => run().then(resolve, reject));
    this.wake();
    return promise;
  }
  #membershipEvents(): MembershipEvents {
    return {
      rebalancing: () => {
        this.#rejoining = true;
      },
      revoked: (work) => (this.#closing ? Promise.resolve() : this.#inTurn(() => this.#giveUp(work))),
      assigned: (assignment) => (this.#closing ? Promise.resolve() : this.#inTurn(() => this.#assigned(assignment))),
    };
  }
  async #giveUp(work: Work): Promise<void> {
    await this.runner.stop(work);
    this.#resetTopicsOfRemoved([...work.connectors, ...work.tasks.map((t) => t.connector)]);
    await this.stores.statuses.flush();
  }
  #resetTopicsOfRemoved(connectors: readonly string[]): void {
    const { connectors: configured } = this.stores.config.snapshot();
    for (const name of new Set(connectors)) if (!configured.has(name)) this.resetTopics(name);
  }
  resetTopics(connector: string): void {
    for (const { topic } of this.stores.statuses.topics(connector)) this.stores.statuses.deleteTopic(connector, topic);
  }
  async #assigned(assignment: Assignment): Promise<void> {
    this.#rejoining = false;
    this.#resolved = false;
    this.#rebalanceAt = assignment.delayMs > 0 ? this.options.clock.monotonic() + assignment.delayMs : null;
    if (this.isLeader) this.#forgetRemoved();
    await Promise.resolve();
  }
  /** The leader removes statuses of what was removed before this rebalance; earlier, a late UNASSIGNED could revive them. */
  #forgetRemoved(): void {
    const { statuses, config } = this.stores;
    const state = config.snapshot();
    const gone = {
      state: "DESTROYED" as const,
      trace: null,
      version: null,
      workerId: this.options.workerId,
      generation: this.membership.generation,
    };
    for (const name of statuses.connectors()) {
      const count = state.connectors.has(name) ? (state.taskCounts.get(name) ?? 0) : 0;
      for (const { id } of statuses.tasks(name)) if (id.task >= count) statuses.putTask(id, gone);
      if (!state.connectors.has(name)) statuses.putConnector(name, gone);
    }
  }

  /** Whether the assignment's config state is known here, and its work started. */
  async #resolve(): Promise<boolean> {
    const { membership, options } = this;
    const assignment = membership.assignment;
    if (assignment === null) return false;
    const store = this.stores.config;
    if (!(await this.#mayWrite())) return false;
    if (assignment.error !== NO_ERROR || store.snapshot().offset < assignment.configOffset) {
      try {
        await store.refresh(this.#syncTimeoutMs);
      } catch (error) {
        options.log.warn(
          `cannot read the config topic up to the group's offset ${assignment.configOffset}, trying again: ${String(error)}`,
        );
        return false;
      }
    }
    if (assignment.error !== NO_ERROR) {
      // Two workers that cannot agree must not keep the whole group busy.
      await options.clock.sleep(FAILED_TICK_PAUSE_MS);
      this.#rejoin("the leader could not assign");
      return false;
    }
    const state = membership.joinState.offset === assignment.configOffset ? membership.joinState : store.snapshot();
    if (state.offset !== assignment.configOffset) {
      this.#rejoin(`config offset ${state.offset} is past the group's ${assignment.configOffset}`);
      return false;
    }
    await this.#startAssigned(assignment, state);
    this.#resolved = true;
    // What was taken away here is for others now: they get it in the rebalance that follows.
    if (assignment.revoked.connectors.length + assignment.revoked.tasks.length > 0) this.#rejoin("work was revoked");
    else if (this.#pending.length === 0 && !sameWork(configuredWork(state), configuredWork(this.#known))) {
      this.#rejoin("connectors or tasks have changed since the group assigned them");
    }
    return !this.#rejoining;
  }
  /**
   * By the newest configuration, which may be newer than the one that the group has assigned by: its changes may have been carried out
   * already, and nothing would ever start again what is started by an old one.
   */
  async #startAssigned(assignment: Assignment, joined: ConfigState): Promise<void> {
    const latest = this.stores.config.snapshot();
    const old = planOutdated(latest, this.runner);
    await this.runner.stop(old);
    this.#known = this.#pending.length === 0 ? latest : joined;
    this.runner.start(planStart(assignment, this.runner), latest);
  }

  /** A new leader claims the config topic before it reads or writes it; false: it could not yet. */
  async #mayWrite(): Promise<boolean> {
    if (!this.isLeader) this.#claimed = false;
    else if (!this.#claimed) {
      try {
        await this.stores.config.claimWritePrivileges();
      } catch (error) {
        this.options.log.warn(`cannot become the writer of the config topic, trying again: ${String(error)}`);
        return false;
      }
      this.#claimed = true;
    }
    return true;
  }

  /** In the loop: carries out what the config topic has said since the last time. */
  async handleChanges(): Promise<void> {
    const changes = this.#pending;
    this.#pending = [];
    const state = this.stores.config.snapshot();
    const assignedOffset = this.membership.assignment?.configOffset ?? 0;
    const plan = planChanges({ offset: state.offset, changes }, state, this.#known, assignedOffset, this.assigned, this.runner);
    this.#known = state;
    const restarts = changes.filter((change) => change.kind === "restart");
    for (const { request } of restarts) await this.#restart(request.connector, request.includeTasks, request.onlyFailed);
    await Promise.all([...plan.stopConnectors.map((name) => this.runner.stopConnector(name)), this.runner.stopTasks(plan.stopTasks)]);
    for (const name of plan.startConnectors) this.runner.startConnector(name, state);
    for (const name of plan.targetsChanged) {
      const target = targetOf(state, name);
      await this.runner.setTarget(name, target);
      if (target === "STARTED") this.publisher.reconfigure(name);
    }
    if (plan.rejoin) this.#rejoin("the set of connectors or tasks has changed");
  }
  /** A restart request of the config topic: each worker restarts its part. */
  async #restart(connector: string, includeTasks: boolean, onlyFailed: boolean): Promise<void> {
    const { statuses } = this.stores;
    const status = statuses.connector(connector);
    if (status === null) return;
    const plan = planRestart({ connector, includeTasks, onlyFailed }, status, statuses.tasks(connector));
    const tasks = plan.tasks.filter((id) => this.assigned.tasks.some((t) => t.connector === id.connector && t.task === id.task));
    const bounce = plan.connector && this.assigned.connectors.includes(connector);
    if (bounce) {
      await this.runner.stopConnector(connector);
      this.listener.connectorState(connector, "RESTARTING", null);
    }
    await this.runner.stopTasks(tasks);
    for (const id of tasks) this.listener.taskState(id, "RESTARTING", null);
    if (bounce) this.runner.startConnector(connector, this.#known);
    for (const id of tasks) this.runner.startTask(id, this.#known);
  }
  /** One connector or task of this worker, now. */
  async bounceConnector(name: string): Promise<void> {
    await this.runner.stopConnector(name);
    this.runner.startConnector(name, this.stores.config.snapshot());
  }
  async bounceTask(id: TaskId): Promise<void> {
    await this.runner.stopTasks([id]);
    this.runner.startTask(id, this.stores.config.snapshot());
  }

  #keyExpiresInMs(): number {
    const ttlMs = this.options.settings?.keyTtlMs ?? 0;
    if (ttlMs === 0 || !this.isLeader || this.#ownKey === null) return IDLE_MS;
    return Math.max(1, this.#ownKey.creationMs + ttlMs - this.options.clock.now());
  }
  /** The leader hands out a key of its own when it becomes leader, and another each time the old one has expired. */
  async #rotateKey(): Promise<void> {
    const { settings, clock, random } = this.options;
    if (settings === null || !this.sessioned) return;
    if (!this.isLeader) {
      this.#ownKey = null;
      return;
    }
    const expired = settings.keyTtlMs > 0 && this.#ownKey !== null && this.#ownKey.creationMs + settings.keyTtlMs <= clock.now();
    if (this.#ownKey !== null && !expired) return;
    const key = newSessionKey(settings, clock, random);
    await this.stores.config.putSessionKey(key);
    this.#ownKey = key;
  }
  #statesNoted(listener: WorkerListener): WorkerListener {
    return {
      ...listener,
      connectorState: (name, state, trace) => {
        this.#connectorStates.set(name, state);
        listener.connectorState(name, state, trace);
      },
    };
  }
}
const traceText = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
