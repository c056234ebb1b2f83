/** `doctor`, `preview`, `slots`. */
import { runChecks } from "../../operate/checks.ts";
import { ask, connectorPath, listOf, recordOf, textOf } from "./client.ts";
import { connectorIn, nameIn } from "./connectors.ts";
import { configOfUrl, isDatabaseUrl } from "./database-url.ts";
import { table } from "./output.ts";
import type { Verb } from "./verb.ts";

/** Of a connector, of `-f FILE` before it is posted, or of a database by its URL, for which no worker is needed. */
export const doctor: Verb = async (target, { words, lists, options }) => {
  const [file] = lists["file"] ?? [];
  const [word = ""] = words;
  const data = isDatabaseUrl(word)
    ? { checks: await runChecks(configOfUrl(word), {}) }
    : file === undefined
      ? await ask(target, "GET", connectorPath(nameIn(words, "doctor (or -f FILE)"), "/check"))
      : await ask(target, "POST", "/check", (await connectorIn(file, options["name"] ?? "doctor")).config);
  const checks = listOf(recordOf(data)["checks"]).map(recordOf);
  const lines = checks.flatMap((c) => {
    const mark = c["ok"] === true ? "ok     " : c["severity"] === "warning" ? "warning" : "FAILED ";
    const next = textOf(c["nextStep"]);
    return [
      `${mark}  ${textOf(c["check"])}: ${textOf(c["message"])}`,
      ...(c["ok"] !== true && next !== "" ? [`         ${next}`] : []),
      ...listOf(c["sql"]).map((sql) => `         ${textOf(sql)};`),
    ];
  });
  const bad = checks.some((c) => c["ok"] !== true && c["severity"] !== "warning");
  return { data, text: lines.join("\n"), exitCode: bad ? 1 : 0 };
};
export const preview: Verb = async (target, { words, lists, options }) => {
  const [file] = lists["file"] ?? [];
  const query = options["records"] === undefined ? "" : `?records=${encodeURIComponent(options["records"])}`;
  const data =
    file === undefined
      ? await ask(target, "POST", connectorPath(nameIn(words, "preview (or -f FILE)"), `/preview${query}`))
      : await ask(target, "POST", `/preview${query}`, { config: (await connectorIn(file, options["name"] ?? "preview")).config });
  const records = listOf(recordOf(data)["records"]).map(recordOf);
  const lines = records.map((r) =>
    r["error"] === undefined
      ? `${textOf(r["topic"])}  ${textOf(r["key"])}  ${textOf(r["value"])}`
      : `${textOf(r["topic"])}  ${textOf(r["stage"])} ${textOf(r["class"])}: ${textOf(r["error"])}`,
  );
  const dropped = Number(recordOf(data)["dropped"] ?? 0);
  return { data, text: [...lines, ...(dropped > 0 ? [`${dropped} dropped by transforms`] : [])].join("\n") };
};
/** What each source keeps on its server. */
export const slots: Verb = async (target) => {
  const names = listOf(await ask(target, "GET", "/connectors")).map(textOf);
  const found = await Promise.all(names.map(async (name) => recordOf(await ask(target, "GET", connectorPath(name, "/health")))));
  const rows = found.flatMap((health) => {
    const position = recordOf(health["position"]);
    const details = recordOf(position["details"]);
    if (details["slot"] === undefined) return [];
    return [
      {
        connector: health["name"],
        slot: details["slot"],
        active: details["slot_active"],
        status: details["slot_wal_status"],
        retained_bytes: details["slot_retained_bytes"],
        behind_bytes: position["behindBytes"],
        head: position["head"],
      },
    ];
  });
  const head = ["connector", "slot", "active", "status", "retained_bytes", "behind_bytes", "head"] as const;
  return {
    data: rows,
    text: table(
      head,
      rows.map((row) => head.map((k) => textOf(row[k]))),
    ),
  };
};
