/**
 * Client configuration by Kafka's own names. Values are strings, as in properties files; unknown keys are left alone
 * (Kafka Connect passes through what is meant for plug-ins).
 */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import type { ClientConfig } from "./types.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}
/** Typed access with Kafka's messages for wrong values. Throws KafkaError(INVALID_CONFIG). */
export class ConfigReader {
  readonly #values: ClientConfig;
  constructor(values: ClientConfig) {
    this.#values = values;
  }
  text(name: string): string | null {
    const value = this.#values[name]?.trim();
    return value === undefined || value === "" ? null : value;
  }
  /** As given; an empty value is a value here. */
  raw(name: string): string | undefined {
    return this.#values[name];
  }
  textOr(name: string, fallback: string): string {
    return this.text(name) ?? fallback;
  }
  int(name: string, fallback: number, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const text = this.text(name);
    if (text === null) return fallback;
    if (!/^[+-]?\d+$/.test(text)) throw invalid(name, text, "Not a number of type INT");
    const value = Number(text);
    if (value < min) throw invalid(name, text, `Value must be at least ${min}`);
    if (value > max) throw invalid(name, text, `Value must be no more than ${max}`);
    return value;
  }
  bool(name: string, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (text !== "true" && text !== "false") throw invalid(name, text, "Expected value to be either true or false");
    return text === "true";
  }
  oneOf<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === null) return fallback;
    const found = allowed.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw invalid(name, text, `String must be one of: ${allowed.join(", ")}`);
    return found;
  }
  list(name: string): string[] {
    const text = this.text(name);
    if (text === null) return [];
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }
}
export function invalid(name: string, value: string | null, why: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_CONFIG, `Invalid value ${value ?? "null"} for configuration ${name}: ${why}`);
}

/** What every kind of client needs. Times in milliseconds, sizes in bytes. */
export interface CommonConfig {
  readonly bootstrap: readonly Endpoint[];
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly defaultApiTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly connectionSetupTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
  readonly responseBytesMax: number;
}
const RESPONSE_BYTES_MAX = 1 << 30;

export function commonConfig(config: ClientConfig): CommonConfig {
  const read = new ConfigReader(config);
  const requestTimeoutMs = read.int("request.timeout.ms", 30_000, 1);
  return {
    bootstrap: endpoints(read.list("bootstrap.servers")),
    clientId: read.textOr("client.id", "millrace"),
    requestTimeoutMs,
    defaultApiTimeoutMs: read.int("default.api.timeout.ms", 60_000, 1),
    retryBackoffMs: read.int("retry.backoff.ms", 100),
    retryBackoffMaxMs: read.int("retry.backoff.max.ms", 1000),
    reconnectBackoffMs: read.int("reconnect.backoff.ms", 50),
    reconnectBackoffMaxMs: read.int("reconnect.backoff.max.ms", 1000),
    connectionSetupTimeoutMs: read.int("socket.connection.setup.timeout.ms", 10_000, 1),
    metadataMaxAgeMs: read.int("metadata.max.age.ms", 300_000, 1),
    responseBytesMax: RESPONSE_BYTES_MAX,
  };
}
/** host:port, [v6]:port, and PROTOCOL://host:port, as Kafka accepts. */
export function endpoints(items: readonly string[]): Endpoint[] {
  if (items.length === 0) {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, "No resolvable bootstrap urls given in bootstrap.servers");
  }
  return items.map((item) => {
    const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(item);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (host === undefined || !(port > 0 && port < 65_536)) {
      throw new KafkaError(ErrorCode.INVALID_CONFIG, `Invalid url in bootstrap.servers: ${item}`);
    }
    return { host, port };
  });
}
