/** A source that reads a folder: one record for each file, in the order of their names; the last name read is the offset. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConfigDef,
  ConfigError,
  nonEmptyString,
  parseConfig,
  RetriableError,
  type SourceConnectorPlugin,
  type SourceTask,
  STRING,
  stringSetting,
} from "millrace/api";

const config: ConfigDef = [
  { name: "topic", type: "STRING", importance: "HIGH", doc: "The topic that gets the files.", check: nonEmptyString },
  { name: "folder", type: "STRING", importance: "HIGH", doc: "The folder that is read.", check: nonEmptyString },
];
const BATCH_MAX = 100;
const IDLE_MS = 500;

export const folderSource: SourceConnectorPlugin = {
  kind: "source",
  name: "acme-folder",
  classes: ["com.acme.FolderSourceConnector"],
  taskClass: "com.acme.FolderSourceTask",
  version: "1.0.0",
  config,
  // In the main thread, once: checks what belongs together, and decides on tasks.
  start(settings) {
    if (settings["folder"] === "/") throw new ConfigError("the folder must not be the root");
    return { taskConfigs: () => [settings] };
  },
  // In a task thread: reads.
  task(settings, context): SourceTask {
    const parsed = parseConfig(config, settings);
    const topic = stringSetting(parsed, "topic");
    const folder = stringSetting(parsed, "folder");
    const partition = { folder };
    let last = "";
    const namesAfter = async (): Promise<string[]> => {
      try {
        return (await readdir(folder)).filter((name) => name > last).sort();
      } catch (cause) {
        // Tried again after a pause; anything else ends the task.
        throw new RetriableError(`the folder ${folder} cannot be read`, cause);
      }
    };
    return {
      async start() {
        const [stored] = await context.offsets.offsets([partition]);
        last = String(stored?.["name"] ?? "");
      },
      async poll() {
        const names = (await namesAfter()).slice(0, BATCH_MAX);
        if (names.length === 0) await sleep(IDLE_MS, undefined, { signal: context.signal }).catch(() => undefined);
        const records = [];
        for (const name of names) {
          records.push({
            topic,
            partition: null,
            keySchema: STRING,
            key: name,
            valueSchema: STRING,
            value: await readFile(join(folder, name), "utf8"),
            timestamp: null,
            headers: [],
            sourcePartition: partition,
            sourceOffset: { name },
          });
          last = name;
        }
        return records;
      },
      async stop() {},
    };
  },
  exactlyOnce: "supported",
};
