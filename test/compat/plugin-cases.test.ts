/**
 * Transforms, predicates, converters and header converters beside the real classes of Kafka 4.1 and Debezium 3.4: thousands of inputs
 * through both. Where the results differ on purpose, the reason stands below; anything else fails.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { outcomeDifference } from "../golden/compare.ts";
import { runConverterCase, runTransformCase } from "../golden/run-case.ts";
import { isArray, objectOf, textOf, type Json } from "../golden/tagged.ts";
import { compileJava } from "../peers/java.ts";
import { debeziumLibs } from "../peers/kafka-connect.ts";
import { converterCases } from "./plugin-cases/converters.ts";
import { debeziumTransformCases } from "./plugin-cases/debezium-transforms.ts";
import { kafkaTransformCases } from "./plugin-cases/kafka-transforms.ts";
import type { Case } from "./plugin-cases/zoo.ts";

const { libs, reason } = debeziumLibs();
const program = libs === null ? { reason, options: [] } : compileJava("PluginCases", [libs]);

interface Excused {
  readonly why: string;
  holds(c: Case, difference: string): boolean;
}
const classOf = (c: Case): string => textOf(c.case["class"]);
const EXCUSED: readonly Excused[] = [
  {
    why: "Unix times beyond a Date's years are refused",
    holds: (c) => classOf(c).includes("TimestampConverter") && /"int64":"9007199254740993"/.test(JSON.stringify(c.case)),
  },
  {
    why: "which of several refused values is named first is up to the hash map's order",
    holds: (c, d) =>
      (classOf(c).includes("Flatten") || classOf(c).endsWith("JsonConverter")) &&
      d.startsWith("error.message: ") &&
      d.includes("java.math.BigDecimal"),
  },
  {
    why: "maps are printed in their own order, not in the hash map's",
    holds: (c, d) => classOf(c).endsWith("SimpleHeaderConverter") && d.startsWith("bytes: ") && JSON.stringify(c.case).includes('"map"'),
  },
  {
    why: "payloads that the reference gives a schema they do not have",
    holds: (c) => classOf(c).endsWith("EventRouter") && /"payload":"(\[|\{\\"(r|a)\\":(\[\{|\d{30}))/.test(JSON.stringify(c.case)),
  },
  {
    why: "Java before 19 prints some floats with a digit more than they need",
    holds: (c, d) => d.startsWith("json.float: ") && JSON.stringify(c.case).includes('"float32":123456790519087100'),
  },
  {
    why: "a number is parsed before Debezium's own check",
    holds: (c) => classOf(c).endsWith("PartitionRouting") && JSON.stringify(c.case).includes('"partition.topic.num":"x"'),
  },
];
function differenceOf(c: Case, theirs: Json): string | null {
  const expected = objectOf(theirs);
  const actual = objectOf(c.kind === "smt" ? runTransformCase(c.case) : runConverterCase(c.case));
  const json = c.case["direction"] === "fromConnect" && classOf(c).endsWith("JsonConverter");
  if ("failure" in expected) return `the driver failed: ${JSON.stringify(expected)}`;
  const outputs = expected["outputs"];
  if (!isArray(outputs)) return outcomeDifference(expected["output"] ?? outputs, actual["output"] ?? actual["outputs"], json);
  const ours = actual["outputs"];
  return outputs.map((e, i) => outcomeDifference(e, isArray(ours) ? ours[i] : undefined, false)).find((d) => d !== null) ?? null;
}
const GROUPS: readonly (readonly [string, () => readonly Case[], number])[] = [
  ["Kafka's transforms and predicates", kafkaTransformCases, 4500],
  ["Debezium's transforms", debeziumTransformCases, 2000],
  ["converters and header converters", converterCases, 2500],
];
describe.skipIf(program.reason !== "")(`beside the real classes${program.reason === "" ? "" : ` (skipped: ${program.reason})`}`, () => {
  for (const [name, make, atLeast] of GROUPS)
    test(name, () => {
      const cases = make();
      expect(cases.length).toBeGreaterThan(atLeast);
      const { stdout, status } = spawnSync("java", ["-Duser.timezone=UTC", ...program.options, "PluginCases"], {
        input: cases.map((c) => JSON.stringify(c)).join("\n"),
        encoding: "utf8",
        maxBuffer: 512 << 20,
      });
      expect(status).toBe(0);
      const answers = stdout.trimEnd().split("\n");
      expect(answers.length).toBe(cases.length);
      const wrong: string[] = [];
      cases.forEach((c, i) => {
        const d = differenceOf(c, JSON.parse(answers[i] ?? "null") as Json);
        if (d !== null && !EXCUSED.some((e) => e.holds(c, d)))
          wrong.push(
            `${textOf(c.case["name"])} ${JSON.stringify(c.case["config"])} ${JSON.stringify(c.case["input"]).slice(0, 200)}: ${d}`,
          );
      });
      expect(wrong.slice(0, 20)).toEqual([]);
    });
});
