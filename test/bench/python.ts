/** A Python that has librdkafka's client; undefined where there is none. PYTHON names another one. */
import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";

export const findPython = (): string | undefined =>
  [process.env["PYTHON"], join(homedir(), ".cache/anchors/py/bin/python"), "python3"].find(
    (command) => command !== undefined && spawnSync(command, ["-c", "import confluent_kafka"]).status === 0,
  );
