/** `guardrail.collections.*`: what Debezium 3.4 failed with (MySQL and MariaDB count the tables of the schema history). */
import { expect, test } from "vitest";
import { checkGuardrail } from "#connectors/cdc/declared-config";
import { settingsOf } from "#connectors/mysql/config";

const settings = (values: Readonly<Record<string, string>>) => settingsOf("mysql", values);
const LIMIT_2 = { "guardrail.collections.max": "2", "guardrail.collections.limit.action": "fail" };

test("more tables than allowed are refused in the reference's words", () => {
  const check = (tables: number, allInHistory: boolean) => () => checkGuardrail(settings(LIMIT_2), tables, () => {}, allInHistory);
  expect(check(2, true)).not.toThrow();
  expect(check(6, false)).toThrow(/^Guardrail limit exceeded: 6 tables\/collections configured for capture, but maximum allowed is 2\.$/);
  expect(check(6, true)).toThrow(
    /^Guardrail limit exceeded: 6 .* is 2\. Since 'schema.history.internal.store.only.captured.tables.ddl' is set to 'false', .* later\.$/,
  );
});
test("by default they are warned of, and without a limit nothing is", () => {
  const warnings: string[] = [];
  checkGuardrail(settings({ "guardrail.collections.max": "2" }), 3, (m) => warnings.push(m));
  checkGuardrail(settings({}), 3_000, (m) => warnings.push(m));
  expect(warnings).toEqual([expect.stringContaining("exceeded: 3 tables")]);
});
