/**
 * A client's view of one cluster: bootstrap, metadata kept fresh, requests to a node, to any node, to a coordinator. Producer,
 * consumer, admin and group membership each own one.
 */
import type { Timer } from "../base/clock.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { findCoordinator, metadata } from "../protocol/messages/index.ts";
import type { Api, Encodable, RequestOf } from "../protocol/schema.ts";
import { backoffMs } from "./backoff.ts";
import { type CommonConfig, commonConfig, type Endpoint } from "./config.ts";
import type { Answer, Connection, RequestOptions } from "./connection.ts";
import type { ClientDeps } from "./deps.ts";
import { MetadataCache, type TopicMetadata } from "./metadata-cache.ts";
import { NodePool, type Purpose } from "./node-pool.ts";
import { closedError, type RetryScope, retrying, shouldRetry } from "./retry.ts";
import { securityConfig } from "./security.ts";
import { networkError } from "./socket.ts";
import type { ClientConfig } from "./types.ts";

/** A body, or what makes it for the version that was negotiated. */
export type Body<A extends Api> = Encodable<RequestOf<A>> | ((version: number) => Encodable<RequestOf<A>>);
export interface SendOptions extends RequestOptions {
  readonly purpose?: Purpose;
  /** Highest version to use, although both sides know newer ones. */
  readonly versionMax?: number;
}
export type CoordinatorType = "group" | "transaction";

export class Cluster implements RetryScope {
  readonly config: CommonConfig;
  readonly deps: ClientDeps;
  readonly metadata = new MetadataCache();
  /** Called after each change of what is known. */
  onMetadata: (() => void) | null = null;
  /** May Metadata requests create topics (the broker's auto.create.topics.enable)? */
  createsTopics = false;
  readonly #abort = new AbortController();
  readonly #pool: NodePool;
  readonly #wanted = new Set<string>();
  readonly #coordinators = new Map<string, number>();
  /** Addresses learnt from FindCoordinator, before metadata knows the node. */
  readonly #extraNodes = new Map<number, Endpoint>();
  #wantsAll = false;
  #updating: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #updateFailures = 0;
  #timer: Timer | null = null;
  #urgent = false;

  constructor(config: ClientConfig, deps: ClientDeps) {
    this.config = commonConfig(config);
    this.deps = deps;
    this.#pool = new NodePool(this.config, securityConfig(config), deps, this.#abort.signal);
  }
  get stopped(): AbortSignal {
    return this.#abort.signal;
  }
  /** Finalized level of a cluster feature; 0 when the cluster does not have it. */
  feature(name: string): number {
    return this.#pool.features.get(name) ?? 0;
  }
  endpointOf(nodeId: number): Endpoint | undefined {
    return this.metadata.brokers.get(nodeId) ?? this.#extraNodes.get(nodeId);
  }
  /** Rejects with BROKER-side network errors; the node must be known. */
  async connection(nodeId: number, purpose: Purpose = "control"): Promise<Connection> {
    const endpoint = this.endpointOf(nodeId);
    if (endpoint === undefined) throw new KafkaError(ErrorCode.NETWORK_EXCEPTION, `node ${nodeId} is not known (any more)`);
    return this.#pool.connection(endpoint, purpose);
  }
  /** The connection if it is open already. */
  readyConnection(nodeId: number, purpose: Purpose): Connection | null {
    const endpoint = this.endpointOf(nodeId);
    return endpoint === undefined ? null : this.#pool.ready(endpoint, purpose);
  }
  async send<A extends Api>(nodeId: number, api: A, body: Body<A>, options: SendOptions = {}): Promise<Answer<A>> {
    const connection = await this.connection(nodeId, options.purpose ?? "control");
    return sendOn(connection, api, body, options);
  }
  async sendToAny<A extends Api>(api: A, body: Body<A>, options: SendOptions = {}): Promise<Answer<A>> {
    return sendOn(await this.#anyConnection(), api, body, options);
  }
  /** Open connections first, then known nodes, then the bootstrap list; each is tried once. */
  async #anyConnection(): Promise<Connection> {
    const known = [...this.metadata.brokers.values()];
    for (let i = known.length - 1; i > 0; i--) {
      const j = this.deps.random.below(i + 1);
      [known[i], known[j]] = [known[j] as Endpoint, known[i] as Endpoint];
    }
    const candidates = [...known, ...this.config.bootstrap];
    for (const endpoint of candidates) {
      const open = this.#pool.ready(endpoint, "control");
      if (open !== null) return open;
    }
    candidates.sort((a, b) => this.#pool.waitMs(a, "control") - this.#pool.waitMs(b, "control"));
    let last: unknown = null;
    const failures: string[] = [];
    for (const endpoint of candidates) {
      if (this.#abort.signal.aborted) throw closedError();
      try {
        return await this.#pool.connection(endpoint, "control");
      } catch (error) {
        last = error;
        // Wrong credentials or an incompatible broker do not get better by asking the next one.
        if (!shouldRetry(error)) throw error;
        failures.push(error.message);
      }
    }
    throw new KafkaError(ErrorCode.NETWORK_EXCEPTION, `no broker can be reached: ${[...new Set(failures)].join("; ")}`, last);
  }

  /** Topics that every refresh asks for. */
  want(names: Iterable<string>): void {
    for (const name of names) this.#wanted.add(name);
  }
  setWanted(names: Iterable<string>): void {
    this.#wanted.clear();
    this.want(names);
  }
  wantAll(all: boolean): void {
    this.#wantsAll = all;
  }
  /**
   * Rejects when no broker answers. While one is under way another follows it, shared by all who ask meanwhile: the first may
   * have been sent before their topics were wanted.
   */
  refresh(): Promise<void> {
    if (this.#updating === null) return this.#beginRefresh();
    // A failure of the one under way is for those who wait for it; the next one has its own outcome.
    this.#next ??= this.#updating
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.#beginRefresh();
      });
    return this.#next;
  }
  #beginRefresh(): Promise<void> {
    this.#updating = this.#refreshOnce().finally(() => {
      this.#updating = null;
      this.#schedule();
    });
    return this.#updating;
  }
  async #refreshOnce(): Promise<void> {
    this.#urgent = false;
    const all = this.#wantsAll;
    const names = [...this.#wanted];
    try {
      const { body } = await this.sendToAny(metadata, (version) => ({
        // v0 cannot say "no topic": there an empty list means all.
        topics: all && version >= 1 ? null : names.map((name) => ({ name })),
        ...(version >= 4 ? { allowAutoTopicCreation: this.createsTopics && !all } : {}),
      }));
      if (body.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED || body.brokers.length === 0) {
        throw new KafkaError(ErrorCode.NETWORK_EXCEPTION, "the broker asks to bootstrap again");
      }
      this.metadata.apply(body, all);
      this.#updateFailures = 0;
    } catch (error) {
      this.#updateFailures++;
      throw error;
    }
    this.onMetadata?.();
  }
  /** Asks for a refresh soon, in the background, with backoff. */
  requestUpdate(): void {
    if (this.#urgent || this.#updating !== null || this.#abort.signal.aborted) return;
    this.#urgent = true;
    this.#schedule();
  }
  #schedule(): void {
    this.#timer?.cancel();
    if (this.#abort.signal.aborted) return;
    const { retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = this.config;
    const soon = this.#urgent || this.#updateFailures > 0;
    const wait = soon ? backoffMs(this.deps.random, retryBackoffMs, retryBackoffMaxMs, this.#updateFailures) : metadataMaxAgeMs;
    this.#timer = this.deps.clock.after(wait, () => {
      this.refresh().catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.deps.logger.warn("metadata could not be refreshed", { reason: String(error) });
      });
    });
  }
  /** The topic with a leader for each partition if possible. Throws UNKNOWN_TOPIC_OR_PARTITION (or why not) after `timeoutMs`. */
  async awaitTopic(name: string, timeoutMs: number): Promise<TopicMetadata> {
    const known = this.metadata.topic(name);
    if (known !== undefined) return known;
    this.want([name]);
    return retrying(this, `metadata of topic ${name}`, timeoutMs, async () => {
      await this.refresh();
      const topic = this.metadata.topic(name);
      if (topic !== undefined && topic.partitions.length > 0) return topic;
      const code = this.metadata.errorOf(name);
      throw new KafkaError(code === ErrorCode.NONE ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : code, `topic ${name} is not there`);
    });
  }
  /** Learns the brokers if nothing is known yet. */
  async awaitBrokers(timeoutMs: number): Promise<void> {
    if (this.metadata.brokers.size > 0) return;
    const servers = this.config.bootstrap.map((each) => `${each.host}:${each.port}`).join(",");
    await retrying(this, `connecting to ${servers}`, timeoutMs, () => this.refresh());
  }

  /** Asks who coordinates `key`; cached until `forgetCoordinator`. One attempt. */
  async coordinator(type: CoordinatorType, key: string): Promise<number> {
    const cached = this.#coordinators.get(`${type}/${key}`);
    if (cached !== undefined) return cached;
    const keyType = type === "group" ? 0 : 1;
    const { body } = await this.sendToAny(findCoordinator, (version) =>
      version >= 4 ? { keyType, coordinatorKeys: [key] } : version >= 1 ? { key, keyType } : { key },
    );
    const found = body.coordinators[0] ?? body;
    if (found.errorCode !== ErrorCode.NONE) {
      throw new KafkaError(found.errorCode, found.errorMessage ?? `no coordinator for ${type} ${key}`);
    }
    this.#extraNodes.set(found.nodeId, { host: found.host, port: found.port });
    this.#coordinators.set(`${type}/${key}`, found.nodeId);
    return found.nodeId;
  }
  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type}/${key}`);
  }
  /** One attempt at the coordinator; where the answer says it moved (or nothing answers), it is looked up again next time. */
  async sendToCoordinator<A extends Api>(
    type: CoordinatorType,
    key: string,
    api: A,
    body: Body<A>,
    options: SendOptions = {},
  ): Promise<Answer<A>> {
    const nodeId = await this.coordinator(type, key);
    try {
      return await this.send(nodeId, api, body, { purpose: "coordinator", ...options });
    } catch (error) {
      if (shouldRetry(error)) this.forgetCoordinator(type, key);
      throw error;
    }
  }
  close(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#timer?.cancel();
    this.#pool.close();
  }
}
const COORDINATOR_MOVED: readonly number[] = [ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE];
export const coordinatorMoved = (code: number): boolean => COORDINATOR_MOVED.includes(code);

function sendOn<A extends Api>(connection: Connection, api: A, body: Body<A>, options: SendOptions): Promise<Answer<A>> {
  if (connection.closed) return Promise.reject(networkError(connection.endpoint, "connection closed"));
  try {
    const version = options.version ?? connection.versionFor(api, options.versionMax);
    const made = typeof body === "function" ? (body as (version: number) => Encodable<RequestOf<A>>)(version) : body;
    const timeout = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
    return connection.request(api, made, { version, ...timeout });
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
