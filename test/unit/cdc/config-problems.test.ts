/**
 * What Debezium 3.4 says of values, one setting at a time and several together, recorded from `Configuration.validate` of its four
 * connectors. `single`: connectors, setting, and by answer the values that get it; an answer is a list of texts by number, for the
 * setting itself, or an object for others. `several`: connectors, names and values in turn, answers by setting.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ConfigDef, RawConfig } from "#connect/api/config";
import { CONFIGS } from "#connectors/mysql/config";
import { CONFIG as POSTGRES } from "#connectors/postgres/config";
import { CONFIG as SQLSERVER } from "#connectors/sqlserver/config";

type Answer = readonly number[] | Readonly<Record<string, readonly number[]>>;
interface Recording {
  readonly values: readonly (string | null)[];
  readonly texts: readonly string[];
  readonly single: readonly (readonly [string[], string, (readonly [(string | null)[], Answer])[]])[];
  readonly several: readonly (readonly [string[], string[], Readonly<Record<string, readonly number[]>>])[];
}
const recording: Recording = JSON.parse(readFileSync(new URL("./reference/config-problems.json", import.meta.url), "utf8"));

const BASE = { "topic.prefix": "t", "database.hostname": "h", "database.user": "u" };
const CONNECTORS: Readonly<Record<string, readonly [ConfigDef, RawConfig]>> = {
  postgres: [POSTGRES, { ...BASE, "database.dbname": "d" }],
  mysql: [CONFIGS.mysql, { ...BASE, "database.server.id": "5" }],
  mariadb: [CONFIGS.mariadb, { ...BASE, "database.server.id": "5" }],
  sqlserver: [SQLSERVER, { "topic.prefix": "t", "database.hostname": "h", "database.names": "d" }],
};
/** Where we differ: see docs/differences.md, "Settings of all database sources". */
const DELIBERATE = new Set([
  "time.precision.mode=ADAPTIVE",
  "database.hostname=::1",
  "database.hostname=fe80::1",
  "database.hostname=[::1]",
]);
const TOO_LARGE = /^database\.server\.id=(99999999999|4294967296|922337203685477580[78])$/;

type Found = Readonly<Record<string, readonly string[]>>;
function findings(def: ConfigDef, config: RawConfig): Found {
  const found: Record<string, readonly string[]> = {};
  for (const key of def) {
    const errors = key.validate?.(null, config) ?? [];
    if (errors.length > 0) found[key.name] = errors;
  }
  return found;
}
const said = (name: string, answer: readonly number[]): readonly string[] =>
  answer.map((n) => `The '${name}' value is invalid: ${recording.texts[n]}`);
const saidOf = (name: string, answer: Answer): Found =>
  Object.fromEntries((Array.isArray(answer) ? [[name, answer] as const] : Object.entries(answer)).map(([k, a]) => [k, said(k, a)]));
function changed(base: RawConfig, name: string, value: string | null): RawConfig {
  const { [name]: _old, ...rest } = base;
  return value === null ? rest : { ...rest, [name]: value };
}
const deliberate = (name: string, value: string | null): boolean =>
  DELIBERATE.has(`${name}=${value}`) || TOO_LARGE.test(`${name}=${value}`);

test.each(Object.entries(CONNECTORS))("%s: one setting at a time", (connector, [def, base]) => {
  const cases = recording.single.filter(([connectors]) => connectors.includes(connector));
  expect(cases.length).toBe(def.length);
  for (const [, name, answers] of cases)
    for (const value of recording.values.filter((v) => !deliberate(name, v))) {
      const answer = answers.find(([values]) => values.includes(value))?.[1] ?? {};
      expect(findings(def, changed(base, name, value)), `${name}=${value}`).toEqual(saidOf(name, answer));
    }
});
test.each(Object.entries(CONNECTORS))("%s: settings together", (connector, [def, base]) => {
  const cases = recording.several.filter(([connectors]) => connectors.includes(connector));
  expect(cases.length).toBeGreaterThan(80);
  for (const [, given, answer] of cases) {
    if (given.some((name, i) => i % 2 === 0 && deliberate(name, given[i + 1] ?? ""))) continue;
    const config = given.reduce<RawConfig>((all, name, i) => (i % 2 === 0 ? changed(all, name, given[i + 1] ?? "") : all), base);
    expect(findings(def, config), given.join(" ")).toEqual(saidOf("", answer));
  }
});
