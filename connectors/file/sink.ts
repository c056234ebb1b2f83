/** FileStreamSink: each record's value as Java prints it, one line each, appended to a file. */
import { type FileHandle, open } from "node:fs/promises";
import type { ConfigDef } from "#connect/api/config";
import { optionalString, parseConfig } from "#connect/api/config-parse";
import type { SinkConnectorPlugin, SinkTask, TaskConfig } from "#connect/api/connector";
import { ConnectError } from "#connect/api/errors";
import type { SinkRecord } from "#connect/api/record";
import { confine, fileRoots } from "./confinement.ts";
import { javaText } from "./java-text.ts";

const config: ConfigDef = [
  {
    name: "file",
    type: "STRING",
    default: null,
    importance: "HIGH",
    doc: "The file to append to; without it lines go to standard output.",
  },
];

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
    for (const record of records) {
      const type = record.valueSchema?.type;
      text += `${javaText(record.value, type === undefined || type === "FLOAT64" || type === "FLOAT32")}\n`;
    }
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
