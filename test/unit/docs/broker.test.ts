/** docs/broker.md lists every setting of the broker with what it does here; nothing is left without a word. */
import { expect, test } from "vitest";
import { BROKER_KEYS } from "#broker/controller/configs/broker-keys";
import { documentationOf } from "#broker/controller/configs/documentation";
import { TOPIC_KEYS } from "#broker/controller/configs/topic-keys";
import { code, expectTable } from "./generated.ts";

const shown = BROKER_KEYS.filter((key) => key.internal !== true);

test("every setting of brokers and topics has a text", () => {
  expect([...shown, ...TOPIC_KEYS].filter((key) => documentationOf(key) === null).map(({ name }) => name)).toEqual([]);
});
test("the table of docs/broker.md", () => {
  const rows = shown.map((key) => [
    code(key.name),
    key.default === null || key.default === "" ? "" : code(key.default),
    key.dynamic === true ? "yes" : "",
    documentationOf(key) ?? "",
  ]);
  expectTable("docs/broker.md", "broker-settings", ["setting", "default", "dynamic", "meaning"], rows);
});
