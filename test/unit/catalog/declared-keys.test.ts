/** The settings of transforms, predicates, converters and the JDBC sink are those that the classes of Kafka 4.1 and Debezium 3.4 declare. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findPlugin, listPlugins } from "#connect/catalog/catalog";
import { keyInfo } from "#connect/catalog/config-infos";
import { eventRouter } from "#plugins/transforms/event-router";

/** Class, name, type, required, default, importance, group, order, width, display name, dependents: what `config()` of the class answered. */
const recorded: readonly (readonly unknown[])[] = JSON.parse(
  readFileSync(new URL("./reference/plugin-keys.json", import.meta.url), "utf8"),
);
const classes = [...new Set(recorded.map((row) => String(row[0])))];

describe.each(classes)("%s", (name) => {
  test("has the same settings in the same order, each explained", async () => {
    const keys = (await findPlugin(name))?.config.filter((k) => k.internal !== true).map((k) => keyInfo(k)) ?? [];
    expect(
      keys.map((k) => [
        name,
        k.name,
        k.type,
        k.required,
        k.default_value,
        k.importance,
        k.group,
        k.order,
        k.width,
        k.display_name,
        k.dependents,
      ]),
    ).toEqual(recorded.filter((row) => row[0] === name));
    expect(keys.filter((k) => k.documentation === "")).toEqual([]);
  });
});
const OUR_OWN = ["io.debezium.transforms.ContentBasedRouter", "io.debezium.transforms.Filter", "io.millrace.transforms.Script"];
test("a plugin that is not recorded declares nothing, but for our own and those of Debezium's scripting package", async () => {
  const small = (await listPlugins(false)).filter((p) => p.type !== "source" && p.type !== "sink");
  const others = small.map((p) => p.class).filter((c) => !classes.includes(c) && !OUR_OWN.includes(c));
  expect(others.length).toBeGreaterThan(0);
  for (const name of others) expect([name, (await findPlugin(name))?.config.filter((k) => k.internal !== true)]).toEqual([name, []]);
});
test("of several wrong settings the one that Debezium's router names first", () => {
  const wrong = {
    "table.op.invalid.behavior": "x",
    "table.fields.additional.placement": "a",
    "route.topic.regex": "(",
    "table.json.payload.null.behavior": "q",
  };
  const left: Record<string, string> = { ...wrong };
  const named: string[] = [];
  while (Object.keys(left).length > 0 && named.length < 4) {
    let message = "";
    try {
      eventRouter.create(left, "io.debezium.transforms.outbox.EventRouter");
    } catch (e) {
      message = e instanceof Error ? e.message : "";
    }
    const name = /The '(.*?)' value is invalid/.exec(message)?.[1] ?? message;
    named.push(name);
    delete left[name];
  }
  expect(named).toEqual([
    "table.json.payload.null.behavior",
    "route.topic.regex",
    "table.fields.additional.placement",
    "table.op.invalid.behavior",
  ]);
});
