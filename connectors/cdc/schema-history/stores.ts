/** The three places of a schema history: a Kafka topic, a file, memory. */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { OwnTopic } from "#connect/api/connector";
import { RetriableError } from "#connect/api/errors";
import type { HistoryStore } from "./history.ts";

type Range = { readonly start: number; readonly end: number };

export function memoryStore(): HistoryStore {
  const records: string[] = [];
  return {
    description: "memory",
    range: async () => ({ start: 0, end: records.length }),
    create: async () => {},
    async *read(from) {
      for (const [i, text] of records.slice(from).entries()) yield { place: from + i, text };
    },
    append: async (added) => void records.push(...added),
    close: async () => {},
  };
}
/** Kept for ever: the settings Debezium gives its topic. */
const FOR_EVER = { "cleanup.policy": "delete", "retention.ms": "9223372036854775807", "retention.bytes": "-1" } as const;

/** How long Kafka may take to answer (`kafka.query.timeout.ms`, `kafka.create.timeout.ms`). */
export interface TopicTimeouts {
  readonly queryMs: number;
  readonly createMs: number;
}
async function within<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RetriableError(`${what} took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
export function topicStore(topic: OwnTopic, name: string, timeouts: TopicTimeouts): HistoryStore {
  return {
    description: `Kafka topic ${name}`,
    range: () => within(topic.range(), timeouts.queryMs, `Looking at topic ${name}, by schema.history.internal.kafka.query.timeout.ms,`),
    create: () =>
      within(topic.create(FOR_EVER), timeouts.createMs, `Creating topic ${name}, by schema.history.internal.kafka.create.timeout.ms,`),
    async *read(from) {
      for await (const { offset, value } of topic.read(from)) yield { place: offset, text: value };
    },
    append: (records) => topic.append(records.map((value) => ({ key: null, value }))),
    close: () => topic.close(),
  };
}

/** One record a line, as Debezium's FileSchemaHistory writes it. Places are numbers of lines; a line without end was never durable. */
export class FileStore implements HistoryStore {
  readonly description: string;
  readonly #path: () => Promise<string>;
  #file: FileHandle | null = null;

  /** `path`: resolved anew for each opening, so that a link put in its place later is not followed out of the allowed folders. */
  constructor(name: string, path: () => Promise<string>) {
    this.description = `file ${name}`;
    this.#path = path;
  }
  async #lines(): Promise<readonly string[] | null> {
    const path = await this.#path();
    const there = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    });
    if (there === null) return null;
    const lines = (await readFile(path, "utf8")).split("\n");
    lines.pop();
    return lines;
  }
  async range(): Promise<Range | null> {
    const lines = await this.#lines();
    return lines === null ? null : { start: 0, end: lines.length };
  }
  async create(): Promise<void> {
    await this.#opened();
  }
  /** Opened for appending; what a crash left of a last line is cut off. */
  async #opened(): Promise<FileHandle> {
    if (this.#file !== null) return this.#file;
    const path = await this.#path();
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    const text = await file.readFile();
    const whole = text.lastIndexOf(0x0a) + 1;
    if (whole < text.length) await file.truncate(whole);
    await file.close();
    this.#file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    return this.#file;
  }
  async *read(from: number): AsyncGenerator<{ place: number; text: string | null }, void, undefined> {
    const lines = (await this.#lines()) ?? [];
    for (let i = from; i < lines.length; i++) yield { place: i, text: lines[i]?.trim() === "" ? null : (lines[i] ?? null) };
  }
  async append(records: readonly string[]): Promise<void> {
    const file = await this.#opened();
    await file.appendFile(records.map((r) => `${r}\n`).join(""));
    await file.datasync();
  }
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}
