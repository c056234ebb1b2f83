/** One connector in the main thread: started, suspended when paused or stopped, and asked for its task configurations. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Connector, ConnectorPlugin } from "../api/connector.ts";
import { ConnectError } from "../api/errors.ts";
import { restoreReferences } from "./config-resolver.ts";
import { flagOf, numberOf } from "./settings.ts";
import { traceOf } from "./trace.ts";
import type { ConfigMap, ExecutionState, TargetState } from "./types.ts";

export interface ConnectorRunnerOptions {
  readonly name: string;
  readonly plugin: ConnectorPlugin;
  /** As posted, and with references resolved. */
  readonly raw: ConfigMap;
  readonly config: ConfigMap;
  readonly clock: Clock;
  readonly log: Logger;
  state(state: ExecutionState, trace: string | null): void;
  reconfigurationRequested(): void;
}
/** No call into a connector may hold the worker longer. */
const CALL_TIMEOUT_MS = 90_000;

export class ConnectorRunner {
  readonly #o: ConnectorRunnerOptions;
  #connector: Connector | null = null;
  #life = new AbortController();
  #failed = false;
  /** Calls come one at a time. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ConnectorRunnerOptions) {
    this.#o = options;
  }
  get plugin(): ConnectorPlugin {
    return this.#o.plugin;
  }
  /** Resolves when the state is reached, or the connector has failed. Never rejects. */
  target(target: TargetState): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#failed) return;
      try {
        if (target === "STARTED") {
          if (this.#connector === null) await this.#start();
        } else await this.#suspend();
        this.#o.state(target === "STARTED" ? "RUNNING" : target, null);
      } catch (error) {
        this.#fail(error);
      }
    });
  }
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#suspend();
      } catch (error) {
        this.#o.log.warn(`stopping connector ${this.#o.name} failed: ${String(error)}`);
      }
      if (!this.#failed) this.#o.state("UNASSIGNED", null);
    });
  }
  /** Throws ConnectError. */
  async taskConfigs(): Promise<readonly ConfigMap[]> {
    const { name, config, raw, plugin } = this.#o;
    const connector = this.#connector;
    if (connector === null) throw new ConnectError(`Connector ${name} is not running`, { causeClass: "transient" });
    const maxTasks = numberOf(config, "tasks.max", 1);
    const configs = await this.#bounded("taskConfigs", async () => connector.taskConfigs(maxTasks));
    if (configs.length > maxTasks) this.#tooMany(configs.length, maxTasks);
    return configs.map((task) => {
      const complete: Record<string, string> = { ...task, "task.class": plugin.taskClass };
      for (const key of ["topics", "topics.regex"]) if (plugin.kind === "sink" && config[key] !== undefined) complete[key] = config[key];
      return restoreReferences(complete, raw, config);
    });
  }
  #tooMany(count: number, max: number): void {
    const { name, config, log } = this.#o;
    const sentence = `The connector ${name} has generated ${count} tasks, which is greater than ${max}, the maximum number of tasks it is configured to create.`;
    if (flagOf(config, "tasks.max.enforce", true)) {
      throw new ConnectError(
        `${sentence} This behavior should be considered a bug and is disallowed. If necessary, it can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be removed in a future release of Kafka Connect.`,
        {
          javaClass: "org.apache.kafka.connect.errors.TooManyTasksException",
        },
      );
    }
    log.warn(sentence);
  }
  async #start(): Promise<void> {
    const { name, plugin, config, log } = this.#o;
    const life = new AbortController();
    this.#life = life;
    this.#connector = await this.#bounded("start", async () =>
      plugin.start(config, {
        connectorName: name,
        log,
        signal: life.signal,
        requestTaskReconfiguration: () => {
          if (!life.signal.aborted) this.#o.reconfigurationRequested();
        },
        raiseError: (error) => {
          if (!life.signal.aborted) this.#fail(error);
        },
      }),
    );
  }
  async #suspend(): Promise<void> {
    this.#life.abort();
    const connector = this.#connector;
    this.#connector = null;
    if (connector?.stop !== undefined) await this.#bounded("stop", async () => connector.stop?.());
  }
  #fail(error: unknown): void {
    this.#failed = true;
    this.#life.abort();
    this.#o.state("FAILED", traceOf(error));
  }
  /** Also turns a synchronous throw into a rejection. */
  async #bounded<T>(what: string, call: () => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#o.clock.after(CALL_TIMEOUT_MS, () =>
      reject(
        new ConnectError(`Connector ${this.#o.name} did not finish ${what} within ${CALL_TIMEOUT_MS} ms`, { causeClass: "transient" }),
      ),
    );
    try {
      return await Promise.race([call(), late]);
    } finally {
      timer.cancel();
    }
  }
  #inTurn(run: () => Promise<void>): Promise<void> {
    const next = this.#queue.then(run);
    this.#queue = next;
    return next;
  }
}
