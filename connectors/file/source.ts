/**
 * FileStreamSource: the lines of one file as string records, followed as it grows. The offset is the position in bytes after the
 * last line sent.
 */
import { fstatSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { confine, fileRoots } from "#connect/api/confinement";
import type { ConfigDef } from "#connect/api/config";
import { numberSetting, optionalString, parseConfig, stringSetting } from "#connect/api/config-parse";
import type { SourceConnectorPlugin, SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import { ConfigError, ConnectError } from "#connect/api/errors";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { STRING } from "#connect/api/schema";
import { LineSplitter } from "./lines.ts";

const config: ConfigDef = [
  { name: "file", type: "STRING", default: null, importance: "HIGH", doc: "The file to read. It may appear later." },
  {
    name: "topic",
    type: "STRING",
    importance: "HIGH",
    doc: "The topic that gets the lines.",
    check: (v) => (v === "" ? "String must be non-empty" : null),
  },
  { name: "batch.size", type: "INT", default: 2000, importance: "LOW", doc: "Most lines in one batch." },
];
const CHUNK_BYTES = 64 * 1024;
const LOOK_BYTES = 512;
const IDLE_MS = 1_000;
const LOOK_MS = 100;

class FileSourceTask implements SourceTask {
  readonly #context: SourceTaskContext;
  readonly #file: string;
  readonly #topic: string;
  readonly #batchSize: number;
  readonly #partition: SourcePartition;
  /** Small until there is much to read: idle tasks are many. */
  #chunk = Buffer.allocUnsafe(LOOK_BYTES);
  #handle: FileHandle | null = null;
  #lines = new LineSplitter(0);
  #readAt = 0;
  #lookMs = LOOK_MS;

  constructor(settings: TaskConfig, context: SourceTaskContext) {
    const parsed = parseConfig(config, settings);
    const file = optionalString(parsed, "file");
    if (file === null || file === "") throw new ConfigError('FileStreamSource cannot read standard input here; set "file"');
    this.#context = context;
    this.#file = file;
    this.#topic = stringSetting(parsed, "topic");
    this.#batchSize = Math.max(1, numberSetting(parsed, "batch.size"));
    this.#partition = { filename: file };
  }
  async start(): Promise<void> {
    await confine(this.#file, fileRoots(process.env));
    const [stored] = await this.#context.offsets.offsets([this.#partition]);
    const position = stored?.["position"] ?? 0;
    if (typeof position !== "number" && typeof position !== "bigint") throw new ConnectError("Offset position is the incorrect type");
    this.#readAt = Number(position);
    this.#lines = new LineSplitter(this.#readAt);
  }
  async poll(): Promise<readonly SourceRecord[]> {
    for (let leftMs = IDLE_MS; !this.#context.signal.aborted; ) {
      if (this.#lines.size === 0) await this.#read();
      if (this.#lines.size > 0) {
        this.#lookMs = LOOK_MS;
        return this.#batch();
      }
      if (leftMs <= 0) break;
      // A file that has been quiet is looked at less and less often: hundreds of them cost nearly nothing.
      this.#lookMs = Math.min(IDLE_MS, this.#lookMs * 2);
      const ms = Math.min(leftMs, this.#lookMs);
      await pause(ms, this.#context.signal);
      leftMs -= ms;
    }
    return [];
  }
  async stop(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }
  #batch(): SourceRecord[] {
    const records: SourceRecord[] = [];
    while (records.length < this.#batchSize) {
      const line = this.#lines.shift();
      if (line === null) break;
      records.push({
        topic: this.#topic,
        partition: null,
        keySchema: null,
        key: null,
        valueSchema: STRING,
        value: line.text,
        timestamp: Date.now(),
        headers: [],
        sourcePartition: this.#partition,
        sourceOffset: { position: line.end },
      });
    }
    return records;
  }
  async #read(): Promise<void> {
    const handle = (this.#handle ??= await this.#open());
    if (handle === null) return;
    while (this.#lines.size === 0) {
      if (endsAt(handle, this.#readAt)) return this.#atEnd();
      const { bytesRead } = await handle.read(this.#chunk, 0, this.#chunk.length, this.#readAt);
      if (bytesRead === 0) return this.#atEnd();
      this.#readAt += bytesRead;
      this.#lines.push(this.#chunk.subarray(0, bytesRead));
      if (bytesRead === LOOK_BYTES) this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    }
  }
  #atEnd(): void {
    if (this.#chunk.length > LOOK_BYTES) this.#chunk = Buffer.allocUnsafe(LOOK_BYTES);
  }
  /** Null: the file is not there yet. */
  async #open(): Promise<FileHandle | null> {
    try {
      return await open(await confine(this.#file, fileRoots(process.env)), "r");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error instanceof ConnectError
        ? error
        : new ConnectError(`Cannot read file ${this.#file}`, { causeClass: "transient", cause: error });
    }
  }
}
/** Asked for in place, as an idle task does little else: a read would go through another thread. Pipes and /proc are read to find out. */
function endsAt({ fd }: FileHandle, position: number): boolean {
  const stats = fstatSync(fd);
  return stats.isFile() && stats.size > 0 && stats.size === position;
}
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Kafka's checks of offsets given through REST. */
function checkOffset(partition: SourcePartition | null, offset: SourceOffset | null): void {
  if (offset === null) return;
  if (!("position" in offset)) throw new ConnectError("Offset objects should either be null or contain the key 'position'");
  const position = offset["position"];
  const isLong = typeof position === "bigint" ? BigInt.asIntN(64, position) === position : Number.isInteger(position);
  if (!isLong) throw new ConnectError("The value for the 'position' key in the offset is expected to be a Long value");
  if (Number(position) < 0) throw new ConnectError("The value for the 'position' key in the offset should be a non-negative value");
  if (partition === null) throw new ConnectError("Partition objects cannot be null");
  if (!("filename" in partition)) throw new ConnectError("Partition objects should contain the key 'filename'");
}

export const fileStreamSource: SourceConnectorPlugin = {
  kind: "source",
  name: "FileStreamSource",
  classes: ["org.apache.kafka.connect.file.FileStreamSourceConnector"],
  taskClass: "org.apache.kafka.connect.file.FileStreamSourceTask",
  version: "4.1.0",
  config,
  start: (settings) => {
    parseConfig(config, settings);
    return { taskConfigs: () => [settings] };
  },
  task: (settings, context) => new FileSourceTask(settings, context),
  alterOffsets(settings, offsets) {
    if ((settings["file"] ?? "") === "") {
      throw new ConnectError(
        "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.",
      );
    }
    for (const { partition, offset } of offsets) checkOffset(partition, offset);
    return true;
  },
  exactlyOnce: (settings) => ((settings["file"] ?? "") === "" ? "unsupported" : "supported"),
  diagnosis: async () => (await import("./diagnosis.ts")).fileDiagnosis((settings, context) => new FileSourceTask(settings, context)),
};
