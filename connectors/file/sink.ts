/** FileStreamSink: each record's value as Java prints it, one line each, appended to a file. */
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

class FileSinkTask implements SinkTask {
  readonly #file: string | null;
  #handle: FileHandle | null = null;
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
    } catch (error) {
      throw new ConnectError(`Couldn't find or create file '${this.#file}' for FileStreamSinkTask`, { causeClass: "config", cause: error });
    }
  }
  async put(records: readonly SinkRecord[]): Promise<void> {
    let text = "";
    for (const record of records) text += `${lineOf(record)}\n`;
    if (this.#handle === null) process.stdout.write(text);
    else await this.#handle.writeFile(text);
    this.#unsynced = true;
  }
  async flush(): Promise<void> {
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
