/** FileStreamSink: each record's value as Java prints it, one line each, appended to a file. */
import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { confine, fileRoots } from "#connect/api/confinement";
import type { ConfigDef } from "#connect/api/config";
import { optionalString, parseConfig } from "#connect/api/config-parse";
import type { SinkConnectorPlugin, SinkTask, TaskConfig } from "#connect/api/connector";
import { ConnectError } from "#connect/api/errors";
import { javaToString } from "#connect/api/java-text";
import type { SinkRecord } from "#connect/api/record";

const config: ConfigDef = [
  {
    name: "file",
    type: "STRING",
    default: null,
    importance: "HIGH",
    doc: "The file to append to; without it lines go to standard output.",
  },
];

/** Bytes are written as UTF-8: Java would print the array's identity, which helps nobody. */
function lineOf({ value, valueSchema }: SinkRecord): string {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  return javaToString(value, valueSchema);
}

const NOTHING = Buffer.alloc(0);
/** Lets other tasks of the thread, and the answer to the next fetch, have their turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class FileSinkTask implements SinkTask {
  readonly #file: string | null;
  #handle: FileHandle | null = null;
  /** Pipes and devices may hold up whoever writes to them: that must not be the thread. */
  #regular = false;
  /** Used again for each batch, given up at each flush. */
  #bytes: Buffer = NOTHING;
  #unsynced = false;

  constructor(settings: TaskConfig) {
    const file = optionalString(parseConfig(config, settings), "file");
    this.#file = file === "" ? null : file;
  }
  async start(): Promise<void> {
    if (this.#file === null) return;
    const path = await confine(this.#file, fileRoots(process.env));
    try {
      this.#handle = await open(path, "a");
      this.#regular = (await this.#handle.stat()).isFile();
    } catch (error) {
      throw new ConnectError(`Couldn't find or create file '${this.#file}' for FileStreamSinkTask`, { causeClass: "config", cause: error });
    }
  }
  async put(records: readonly SinkRecord[]): Promise<void> {
    let text = "";
    for (const record of records) text += `${lineOf(record)}\n`;
    if (this.#handle === null) process.stdout.write(text);
    else if (this.#regular) this.#append(this.#handle.fd, text);
    else await this.#handle.writeFile(text);
    this.#unsynced = true;
    if (this.#regular) await turn();
  }
  /** Into the page cache at once, which takes less than handing the text to another thread and waiting for it. */
  #append(fd: number, text: string): void {
    const size = Buffer.byteLength(text);
    if (size > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(size + (size >> 2));
    this.#bytes.write(text, "utf8");
    for (let at = 0; at < size; ) at += writeSync(fd, this.#bytes, at, size - at);
  }
  async flush(): Promise<void> {
    this.#bytes = NOTHING;
    if (!this.#unsynced) return;
    await this.#handle?.datasync();
    this.#unsynced = false;
  }
  async stop(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }
}

export const fileStreamSink: SinkConnectorPlugin = {
  kind: "sink",
  name: "FileStreamSink",
  classes: ["org.apache.kafka.connect.file.FileStreamSinkConnector"],
  taskClass: "org.apache.kafka.connect.file.FileStreamSinkTask",
  version: "4.1.0",
  config,
  start(settings) {
    parseConfig(config, settings);
    return { taskConfigs: (maxTasks) => Array.from({ length: maxTasks }, () => settings) };
  },
  task: (settings) => new FileSinkTask(settings),
  alterOffsets: () => true,
};
