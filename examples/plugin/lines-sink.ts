/** A sink that appends each value as a line to a file. */
import { appendFile } from "node:fs/promises";
import { type ConfigDef, nonEmptyString, parseConfig, type SinkConnectorPlugin, type SinkTask, stringSetting } from "millrace/api";

const config: ConfigDef = [{ name: "path", type: "STRING", importance: "HIGH", doc: "The file that gets the lines.", check: nonEmptyString }];

export const linesSink: SinkConnectorPlugin = {
  kind: "sink",
  name: "acme-lines",
  classes: ["com.acme.LinesSinkConnector"],
  taskClass: "com.acme.LinesSinkTask",
  version: "1.0.0",
  config,
  start: (settings) => ({ taskConfigs: (max) => Array.from({ length: max }, () => settings) }),
  task(settings): SinkTask {
    const path = stringSetting(parseConfig(config, settings), "path");
    let lines = "";
    return {
      async start() {
        await appendFile(path, "");
      },
      async put(records) {
        for (const { value } of records) lines += `${typeof value === "string" ? value : JSON.stringify(value)}\n`;
      },
      // Offsets are committed only after this has resolved.
      async flush() {
        const text = lines;
        if (text === "") return;
        await appendFile(path, text);
        lines = lines.slice(text.length);
      },
      async stop() {},
    };
  },
};
