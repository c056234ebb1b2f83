/** Where checkpoints of a history are kept: beside the file, or in a compacted topic beside the history's. A JVM reads neither. */
import { readFile, rename, writeFile } from "node:fs/promises";
import type { OwnTopic } from "#connect/api/connector";
import type { Checkpoint, HistoryCheckpoints, JsonObject } from "./history.ts";

const isObject = (v: unknown): v is JsonObject => typeof v === "object" && v !== null && !Array.isArray(v);
function checkpointOf(v: unknown): Checkpoint | null {
  if (!isObject(v)) return null;
  const { next, position, mark, state } = v;
  return typeof next === "number" && typeof mark === "string" && isObject(position) && isObject(state)
    ? { next, position, mark, state }
    : null;
}
/** One JSON object, a checkpoint for each source; replaced as a whole. */
export function fileCheckpoints(path: () => Promise<string>): HistoryCheckpoints {
  const all = async (): Promise<JsonObject> => {
    try {
      const value: unknown = JSON.parse(await readFile(await path(), "utf8"));
      return isObject(value) ? value : {};
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
      throw error;
    }
  };
  return {
    load: async (source) => checkpointOf((await all())[source]),
    async save(source, checkpoint) {
      const target = await path();
      const others = await all().catch(() => ({}));
      await writeFile(`${target}.new`, JSON.stringify({ ...others, [source]: checkpoint }), { mode: 0o600 });
      await rename(`${target}.new`, target);
    },
    close: async () => {},
  };
}
/** Characters of a part: below the limit of 1 MiB for a message, whatever they take as UTF-8 and as a text in JSON. */
const PART_CHARS = 100_000;

/** Records `source#n` with the parts of one text; parts of different checkpoints do not fit together by their mark. */
export function topicCheckpoints(topic: OwnTopic): HistoryCheckpoints {
  return {
    async load(source) {
      const parts = new Map<number, JsonObject>();
      for await (const { key, value } of topic.read(0)) {
        const at = key === null ? -1 : key.lastIndexOf("#");
        if (key === null || value === null || key.slice(0, at) !== source) continue;
        const part: unknown = JSON.parse(value);
        if (isObject(part)) parts.set(Number(key.slice(at + 1)), part);
      }
      const first = parts.get(0);
      let text = "";
      for (let i = 0; i < Number(first?.["parts"] ?? 0); i++) {
        const part = parts.get(i);
        if (part === undefined || part["mark"] !== first?.["mark"]) return null;
        text += String(part["text"]);
      }
      return text === "" ? null : checkpointOf(JSON.parse(text));
    },
    async save(source, checkpoint) {
      await topic.create({ "cleanup.policy": "compact" });
      const text = JSON.stringify(checkpoint);
      const parts = Math.ceil(text.length / PART_CHARS);
      const mark = `${checkpoint.mark}/${checkpoint.next}/${text.length}`;
      const records = Array.from({ length: parts }, (_, i) => ({
        key: `${source}#${i}`,
        value: JSON.stringify({ parts, mark, text: text.slice(i * PART_CHARS, (i + 1) * PART_CHARS) }),
      }));
      await topic.append(records);
    },
    close: () => topic.close(),
  };
}
