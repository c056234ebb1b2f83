/** A SQL Server connector's task without a worker, and its records as the JSON converter writes them. */
import { silentLogger } from "#broker/base/logger";
import type { SourceTask } from "#connect/api/connector";
import type { SourceOffset, SourceRecord } from "#connect/api/record";
import { canonicalKey } from "#connect/store/offset-json";
import { sqlserverSource } from "#connectors/sqlserver/index";
import { jsonConverter } from "#plugins/converters/json-converter";
import type { SqlServerPeer } from "../peers/sqlserver.ts";

type Json = Readonly<Record<string, unknown>>;
export interface Event {
  readonly topic: string;
  readonly key: Json | null;
  /** Null: a tombstone. */
  readonly value: Json | null;
}
/** Null where an event has none. */
export const part = (event: Event | undefined, name: "before" | "after" | "source"): Json | null =>
  (event?.value?.[name] ?? null) as Json | null;
export const op = (event: Event): string => (event.value === null ? "tombstone" : String(event.value["op"]));

/** A real server's capture job looks every five seconds, and its jobs take their time to start. */
const DEADLINE_MS = 90_000;
const QUIET_MS = 1000;

/** The settings that every connector to the peer's database has. */
export const addressOf = (peer: SqlServerPeer, database: string): Readonly<Record<string, string>> => ({
  "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
  "database.hostname": peer.host,
  "database.port": String(peer.port),
  "database.user": peer.user,
  "database.password": peer.password,
  "database.names": database,
  "driver.trustServerCertificate": "true",
  "topic.prefix": database,
});

export class Reading {
  readonly events: Event[] = [];
  readonly #peer: SqlServerPeer;
  readonly #config: Readonly<Record<string, string>>;
  /** Of what was handed out. */
  #stored: Map<string, SourceOffset>;
  #stop = new AbortController();
  #task: SourceTask | null = null;
  #ended: Promise<void> = Promise.resolve();
  #held: Promise<void> | null = null;
  failure: unknown = null;
  readonly warnings: string[] = [];

  constructor(peer: SqlServerPeer, database: string, config: Readonly<Record<string, string>>, stored = new Map<string, SourceOffset>()) {
    this.#peer = peer;
    this.#stored = stored;
    this.#config = {
      ...addressOf(peer, database),
      "poll.interval.ms": "50",
      "include.schema.changes": "false",
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
      ...config,
    };
  }
  /** As the worker does: the connector's configuration for its only task, then the task. */
  async start(): Promise<void> {
    this.#stop = new AbortController();
    const signal = this.#stop.signal;
    const connector = await sqlserverSource.start(this.#config, {
      connectorName: "c",
      log: silentLogger,
      signal,
      requestTaskReconfiguration() {},
      raiseError(error) {
        throw error;
      },
    });
    const [config = {}] = await connector.taskConfigs(1);
    const task = sqlserverSource.task(config, {
      connectorName: "c",
      taskId: 0,
      log: { ...silentLogger, warn: (message) => void this.warnings.push(message) },
      signal,
      kafka: {},
      metrics: { gauge() {} },
      offsets: { offsets: async (partitions) => partitions.map((p) => this.#stored.get(canonicalKey("", p)) ?? null) },
    });
    await task.start();
    this.#task = task;
    this.#ended = this.#read(task, signal);
  }
  async #read(task: SourceTask, signal: AbortSignal): Promise<void> {
    const keys = jsonConverter.create({ "schemas.enable": "false" }, true);
    const values = jsonConverter.create({ "schemas.enable": "false" }, false);
    const json = (bytes: Uint8Array | null): Json | null =>
      bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString("utf8")) as Json);
    const taken = (r: SourceRecord): void => {
      const key = json(keys.fromConnect(r.topic, r.keySchema, r.key));
      this.events.push({ topic: r.topic, key, value: json(values.fromConnect(r.topic, r.valueSchema, r.value)) });
      if (r.sourcePartition !== null && r.sourceOffset !== null) this.#stored.set(canonicalKey("", r.sourcePartition), r.sourceOffset);
    };
    try {
      while (!signal.aborted) {
        await this.#held;
        for (const record of await task.poll()) taken(record);
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    }
  }
  /** Nothing is taken until what this returns is called: the task's queue fills. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#task?.stop();
    await this.#ended;
  }
  /** All events from the `from`-th on, once `wanted` of them are there. Throws what the task failed with. */
  async take(from: number, wanted: number): Promise<readonly Event[]> {
    for (const end = Date.now() + DEADLINE_MS; this.events.length < from + wanted && Date.now() < end; ) {
      if (this.failure !== null) throw this.failure;
      await new Promise((wake) => setTimeout(wake, 20));
    }
    return this.events.slice(from);
  }
  /** The first warning with `words`. Throws what the task failed with. */
  async warned(words: RegExp): Promise<string> {
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await new Promise((wake) => setTimeout(wake, 50))) {
      const found = this.warnings.find((warning) => words.test(warning));
      if (found !== undefined) return found;
      if (this.failure !== null) throw this.failure;
    }
    throw new Error(`no such warning: ${words.source}; there were: ${this.warnings.join("\n")}`);
  }
  /** What the task fails with, once all that it has read was taken. */
  async failed(): Promise<string> {
    for (const end = Date.now() + DEADLINE_MS; this.failure === null && Date.now() < end; )
      await new Promise((wake) => setTimeout(wake, 20));
    return this.failure instanceof Error ? this.failure.message : "the task goes on";
  }
  /** What comes although nothing should. */
  async quiet(from: number): Promise<readonly Event[]> {
    await new Promise((wake) => setTimeout(wake, QUIET_MS));
    return this.events.slice(from);
  }
  /** Resolves once the capture job has written `count` rows of `instance`; a server that captures at once has them already. */
  async captured(instance: string, database: string, count: number): Promise<void> {
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await new Promise((wake) => setTimeout(wake, 100))) {
      const rows = await this.#peer.rows(database, `SELECT COUNT(*) AS n FROM cdc.[${instance}_CT]`);
      if (Number(rows[0]?.["n"]) >= count) return;
    }
  }
}
