/** The channels `kafka` and `file`: signals that do not come through the database. The channel `source` is the stream's affair. */
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import { confine, fileRoots } from "#connect/api/confinement";
import type { SourceTaskContext } from "#connect/api/connector";
import { ConfigError } from "#connect/api/errors";
import type { Settings } from "./settings.ts";
import { SignalFile } from "./signal-file.ts";
import type { Signal } from "./signals.ts";

export const SIGNAL_CHANNELS: readonly string[] = ["source", "kafka", "file"];
/** Settings of the channels that the reference does not list in its ConfigDef, with their defaults. */
export const CHANNEL_SETTINGS: readonly (readonly [name: string, value: string | null])[] = [
  ["signal.kafka.topic", null],
  ["signal.kafka.bootstrap.servers", null],
  ["signal.kafka.groupId", "kafka-signal"],
  ["signal.kafka.poll.timeout.ms", "100"],
  ["signal.file", "file-signals.txt"],
];
export const signalChannels = (s: Settings): readonly string[] => s.list("signal.enabled.channels").map((c) => c.toLowerCase());

export interface ChannelSettings {
  /** Only records with this key are for this connector. */
  readonly key: string;
  readonly kafka: { readonly topic: string; readonly consumer: Readonly<Record<string, string>> } | null;
  readonly file: { readonly path: string; readonly intervalMs: number } | null;
}
export function channelSettings(s: Settings): ChannelSettings {
  const channels = signalChannels(s);
  const key = s.string("topic.prefix");
  const servers = s.optional("signal.kafka.bootstrap.servers") ?? "";
  const consumer = {
    ...(servers === "" ? {} : { "bootstrap.servers": servers }),
    "group.id": s.string("signal.kafka.groupId"),
    "auto.offset.reset": "earliest",
    ...Object.fromEntries(s.matching(/^signal\.consumer\.(.+)$/).map(({ match, value }) => [match[1] ?? "", value])),
  };
  return {
    key,
    kafka: channels.includes("kafka") ? { topic: s.optional("signal.kafka.topic") ?? `${key}-signal`, consumer } : null,
    file: channels.includes("file") ? { path: s.string("signal.file"), intervalMs: s.int("signal.poll.interval.ms") } : null,
  };
}

/** A signal as JSON: `type`, `data` (an object, or its text) and perhaps `id`. Null: it cannot be used. */
export function channelSignal(text: string, newId: () => string): Signal | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null || !("type" in parsed) || typeof parsed.type !== "string") return null;
  const id = "id" in parsed ? parsed.id : null;
  const data = "data" in parsed ? parsed.data : null;
  return {
    id: typeof id === "string" || typeof id === "number" ? String(id) : newId(),
    type: parsed.type,
    data: data === null || typeof data === "string" ? data : JSON.stringify(data),
  };
}

/** Serves a signal; resolves when it need not be seen again after a restart. */
export type SignalServer = (signal: Signal) => Promise<void>;

const RETRY_MS = 10_000;
/** Signals of a topic that are being served; beyond that the topic waits. */
const SERVED_MAX = 100;

export class SignalChannels {
  readonly #s: ChannelSettings;
  readonly #context: Pick<SourceTaskContext, "log" | "records">;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #server: SignalServer | null = null;
  #attached: (() => void) | null = null;

  constructor(settings: ChannelSettings, context: Pick<SourceTaskContext, "log" | "records">) {
    this.#s = settings;
    this.#context = context;
  }
  /** Throws ConfigError for what can be known before anything is read. */
  async check(): Promise<void> {
    if (this.#s.file !== null) await confine(this.#s.file.path, fileRoots(process.env));
    if (this.#s.kafka !== null && this.#context.records === undefined)
      throw new ConfigError("The 'signal.enabled.channels' value is invalid: there is no Kafka for the channel kafka here");
  }
  /** From now on signals are served. The first time: the channels are opened. */
  attach(server: SignalServer): void {
    this.#server = server;
    this.#attached?.();
    if (this.#loops.length > 0 || this.#stop.signal.aborted) return;
    const { kafka, file } = this.#s;
    if (kafka !== null) this.#loops.push(this.#kafka(kafka.topic, kafka.consumer));
    if (file !== null) this.#loops.push(this.#file(file.path, file.intervalMs));
  }
  /** The stream is away: signals wait. */
  detach(): void {
    this.#server = null;
  }
  async close(): Promise<void> {
    this.#stop.abort();
    this.#attached?.();
    await Promise.allSettled(this.#loops);
  }
  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }
  async #sleep(ms: number): Promise<void> {
    // Aborted: the loop sees for itself.
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
  /** Null: stopped. Both channels may wait at once. */
  async #whenAttached(): Promise<SignalServer | null> {
    while (this.#server === null && !this.#stopped) {
      const before = this.#attached;
      await new Promise<void>((resolve) => {
        this.#attached = () => {
          before?.();
          resolve();
        };
      });
      this.#attached = null;
    }
    return this.#stopped ? null : this.#server;
  }
  async #kafka(topic: string, consumer: Readonly<Record<string, string>>): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#readTopic(topic, consumer);
      } catch (error) {
        if (this.#stopped) return;
        this.#context.log.warn(`the signal topic ${topic} cannot be read, trying again: ${String(error)}`);
        await this.#sleep(RETRY_MS);
      }
    }
  }
  async #readTopic(topic: string, consumer: Readonly<Record<string, string>>): Promise<void> {
    const records = this.#context.records?.(consumer, topic, this.#stop.signal);
    if (records === undefined) return;
    const served = new Set<Promise<void>>();
    for await (const record of records) {
      const signal = record.key === this.#s.key && record.value !== null && record.value !== "" ? this.#parsed(record.value) : null;
      if (signal === null) {
        record.done();
        continue;
      }
      const server = await this.#whenAttached();
      if (server === null) return;
      const serving: Promise<void> = server(signal).then(
        () => {
          served.delete(serving);
          record.done();
        },
        (error: unknown) => {
          served.delete(serving);
          // It comes again when the task does.
          if (this.#stopped) return;
          record.done();
          this.#context.log.warn(`the signal '${signal.id}' failed: ${String(error)}`);
        },
      );
      served.add(serving);
      if (served.size >= SERVED_MAX) await Promise.race([...served, this.#stopping()]);
    }
  }
  #stopping(): Promise<void> {
    return new Promise((resolve) => this.#stop.signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  async #file(path: string, intervalMs: number): Promise<void> {
    const file = new SignalFile(() => confine(path, fileRoots(process.env)));
    while (!this.#stopped) {
      const server = await this.#whenAttached();
      if (server === null) return;
      try {
        for (const line of await file.take()) {
          const signal = this.#parsed(line);
          if (signal !== null) this.#serve(server, signal);
        }
      } catch (error) {
        this.#context.log.warn(`the signal file ${path} cannot be read: ${String(error)}`);
      }
      await this.#sleep(intervalMs);
    }
  }
  #serve(server: SignalServer, signal: Signal): void {
    server(signal).catch((error: unknown) => this.#context.log.warn(`the signal '${signal.id}' failed: ${String(error)}`));
  }
  #parsed(text: string): Signal | null {
    const signal = channelSignal(text, randomUUID);
    if (signal === null) this.#context.log.warn(`a signal was ignored, it is not JSON with a type: ${text.slice(0, 200)}`);
    return signal;
  }
}
