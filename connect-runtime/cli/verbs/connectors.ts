/** `info`, `get`, `describe`, `apply`, `patch`, `restart`, `pause`, `resume`, `stop`, `delete`. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseProperties } from "../../properties.ts";
import { UsageError } from "../arguments.ts";
import { ask, CommandError, connectorPath, isRecord, listOf, recordOf, type Target, textOf } from "./client.ts";
import { pairs, type Printed, table } from "./output.ts";
import type { Verb } from "./verb.ts";

export const info: Verb = async (target) => {
  const data = recordOf(await ask(target, "GET", "/"));
  return {
    data,
    text: pairs([["url", target.url], ...Object.entries(data).map(([k, v]) => [k.replaceAll("_", " "), textOf(v)] as const)]),
  };
};
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** `connector NAME`, `NAME`, or nothing. */
export function nameIn(words: readonly string[], verb: string): string {
  const [first, second] = words;
  const name = /^connectors?$/.test(first ?? "") && second !== undefined ? second : first;
  if (name === undefined) throw new UsageError(`${verb} needs the name of a connector`);
  return name;
}
export const get: Verb = async (target, { words }) => {
  const [what = "connectors", name] = words;
  switch (what) {
    case "connectors":
    case "connector":
      return name === undefined ? connectorTable(target) : described(target, name);
    case "plugins": {
      const data = listOf(await ask(target, "GET", "/connector-plugins?connectorsOnly=false"));
      return {
        data,
        text: table(
          ["type", "class", "version"],
          data.map((p) => ["type", "class", "version"].map((k) => textOf(recordOf(p)[k]))),
        ),
      };
    }
    case "loggers": {
      const data = recordOf(await ask(target, "GET", "/admin/loggers"));
      return {
        data,
        text: table(
          ["logger", "level"],
          Object.entries(data).map(([logger, l]) => [logger, textOf(recordOf(l)["level"])]),
        ),
      };
    }
    case "offsets": {
      const data = recordOf(await ask(target, "GET", connectorPath(nameIn(words.slice(1), "get offsets"), "/offsets")));
      const rows = listOf(data["offsets"]).map((o) => [textOf(recordOf(o)["partition"]), textOf(recordOf(o)["offset"])]);
      return { data, text: table(["partition", "offset"], rows) };
    }
    case "tasks": {
      const data = recordOf(await ask(target, "GET", connectorPath(nameIn(words.slice(1), "get tasks"), "/status")));
      return { data: data["tasks"] ?? [], text: taskTable(data) };
    }
    default:
      throw new UsageError(`get knows connectors, plugins, tasks, offsets and loggers, not ${what}`);
  }
};
async function connectorTable(target: Target): Promise<Printed> {
  const data = recordOf(await ask(target, "GET", "/connectors?expand=status&expand=info"));
  const rows = Object.entries(data).map(([name, found]) => {
    const status = recordOf(recordOf(found)["status"]);
    const connector = recordOf(status["connector"]);
    const tasks = listOf(status["tasks"]).map((t) => `${textOf(recordOf(t)["id"])}: ${textOf(recordOf(t)["state"])}`);
    return [name, textOf(status["type"]), textOf(connector["state"]), tasks.join(", ")];
  });
  return { data, text: table(["name", "type", "state", "tasks"], rows) };
}
function taskTable(status: Readonly<Record<string, unknown>>): string {
  const rows = listOf(status["tasks"])
    .map(recordOf)
    .map((t) => [textOf(t["id"]), textOf(t["state"]), textOf(t["worker_id"]), firstLine(textOf(t["trace"]))]);
  return table(["task", "state", "worker", "cause"], rows);
}
async function described(target: Target, name: string): Promise<Printed> {
  const [found, status, topics, health] = await Promise.all([
    ask(target, "GET", connectorPath(name)),
    ask(target, "GET", connectorPath(name, "/status")).catch(absent),
    ask(target, "GET", connectorPath(name, "/topics")).catch(absent),
    ask(target, "GET", connectorPath(name, "/health")).catch(absent),
  ]);
  const config = recordOf(recordOf(found)["config"]);
  const state = recordOf(recordOf(status)["connector"]);
  const verdict = recordOf(health);
  const used = recordOf(recordOf(topics)[name])["topics"];
  const text = [
    pairs([
      ["name", name],
      ["type", textOf(recordOf(found)["type"])],
      ["state", textOf(state["state"])],
      ["worker", textOf(state["worker_id"])],
      ["health", `${textOf(verdict["verdict"])} ${listOf(verdict["reasons"]).map(textOf).join("; ")}`.trim()],
      ["topics", listOf(used).map(textOf).join(", ")],
    ]),
    taskTable(recordOf(status)),
    `config:\n${Object.entries(config)
      .map(([k, v]) => `  ${k}: ${textOf(v)}`)
      .join("\n")}`,
  ].join("\n\n");
  return { data: { info: found, status, topics, health }, text };
}
/** Not there (any more, or yet): that part is left out. */
function absent(error: unknown): null {
  if (error instanceof CommandError) return null;
  throw error;
}
export const describeConnector: Verb = (target, { words }) => described(target, nameIn(words, "describe"));

/** `-f FILE`, again and again; `-` is standard input. JSON as POST takes it or the configuration alone, or properties. */
export const apply: Verb = async (target, { lists, options }) => {
  const files = lists["file"] ?? [];
  if (files.length === 0) throw new UsageError("apply needs -f FILE");
  const done: unknown[] = [];
  const lines: string[] = [];
  for (const file of files) {
    const { name, config } = await connectorIn(file, options["name"]);
    const known = listOf(await ask(target, "GET", "/connectors")).includes(name);
    done.push(await ask(target, "PUT", connectorPath(name, "/config"), config));
    lines.push(`${known ? "Updated" : "Created"} connector ${name}`);
  }
  return { data: done.length === 1 ? done[0] : done, text: lines.join("\n") };
};
export async function connectorIn(
  file: string,
  given: string | undefined,
): Promise<{ name: string; config: Readonly<Record<string, unknown>> }> {
  const text = file === "-" ? readFileSync(0, "utf8") : await readFile(file, "utf8");
  const parsed: unknown = /^\s*\{/.test(text) ? parsedJson(file, text) : parseProperties(text);
  const posted = recordOf(parsed);
  const config = isRecord(posted["config"]) ? posted["config"] : posted;
  const name = given ?? (isRecord(posted["config"]) ? posted["name"] : undefined) ?? config["name"];
  if (typeof name !== "string" || name === "") throw new UsageError(`${file} names no connector; add "name", or give --name`);
  return { name, config: { ...config, name } };
}
function parsedJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(`${file} is not valid JSON: ${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}
export const patch: Verb = async (target, { words, lists }) => {
  const name = nameIn(words, "patch");
  const changes: Record<string, string | null> = {};
  for (const set of lists["set"] ?? []) {
    const at = set.indexOf("=");
    if (at <= 0) throw new UsageError(`--set needs key=value, got "${set}"`);
    changes[set.slice(0, at)] = set.slice(at + 1);
  }
  for (const key of lists["remove"] ?? []) changes[key] = null;
  if (Object.keys(changes).length === 0) throw new UsageError("patch needs --set key=value or --remove key");
  const data = await ask(target, "PATCH", connectorPath(name, "/config"), changes);
  return { data, text: `Changed connector ${name}` };
};
export const restart: Verb = async (target, { words, flags }) => {
  const task = /^tasks?$/.test(words[0] ?? "") ? /^(.*)[/#](\d+)$/.exec(words[1] ?? "") : null;
  if (task !== null) {
    await ask(target, "POST", connectorPath(task[1] ?? "", `/tasks/${task[2] ?? ""}/restart`));
    return { data: { restarted: words[1] }, text: `Restarted task ${words[1] ?? ""}` };
  }
  const name = nameIn(words, "restart");
  const query = new URLSearchParams({
    ...(flags.has("tasks") ? { includeTasks: "true" } : {}),
    ...(flags.has("failed") ? { onlyFailed: "true" } : {}),
  });
  const data = await ask(target, "POST", connectorPath(name, `/restart?${query.toString()}`));
  return { data: data ?? { restarted: name }, text: `Restarted connector ${name}` };
};
const turned =
  (path: string, said: string): Verb =>
  async (target, { words }) => {
    const name = nameIn(words, path);
    await ask(target, "PUT", connectorPath(name, `/${path}`));
    return { data: { name, requested: path }, text: `${said} connector ${name}` };
  };
export const pause = turned("pause", "Paused");
export const resume = turned("resume", "Resumed");
export const stop = turned("stop", "Stopped");

export const remove: Verb = async (target, { words, options }) => {
  const name = nameIn(words, "delete");
  const { cleanup } = options;
  const data = await ask(target, "DELETE", connectorPath(name, cleanup === undefined ? "" : `?cleanup=${encodeURIComponent(cleanup)}`));
  if (cleanup === undefined) return { data: { deleted: name }, text: `Deleted connector ${name}` };
  const items = listOf(recordOf(data)["items"]).map(recordOf);
  const rows = items.map((i) => [
    textOf(i["kind"]),
    textOf(i["name"]),
    i["removed"] === true ? "yes" : "no",
    textOf(i["error"] ?? i["detail"]),
  ]);
  const plan = cleanup === "plan";
  return {
    data,
    text: `${plan ? `Nothing was deleted. What connector ${name} leaves:` : `Deleted connector ${name}`}\n${table(["kind", "name", plan ? "with true" : "removed", "remark"], rows)}`,
    exitCode: items.some((i) => i["error"] !== undefined) ? 1 : 0,
  };
};
