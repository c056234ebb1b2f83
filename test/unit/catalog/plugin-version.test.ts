import { expect, test } from "vitest";
import { compareVersions, versionRefusal } from "#connect/catalog/plugin-version";

test("versions in Maven's order", () => {
  const sorted = ["1-alpha", "1-rc1", "1-rc2", "1-SNAPSHOT", "1", "1-sp", "1.0.1", "1.9", "1.10", "2"];
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
  expect([compareVersions("3.4.0.Final", "3.4"), compareVersions("4.1", "4.1.0")]).toEqual([0, 0]);
  expect(compareVersions("3.4.0.Beta1", "3.4.0")).toBeLessThan(0);
});
test("a version or a range that the plugin is in is accepted; another is refused in Kafka's words", () => {
  for (const asked of [null, "", "latest", "4.1.0", "4.1", "[3.0,5.0)", "[4.1.0]", "(,5]", "[1,2),[4,)"])
    expect(versionRefusal("X", "4.1.0", asked)).toBeNull();
  const sentence = (range: string): string => `Plugin X not found that matches the version range ${range}, available versions: [4.1.0]`;
  expect(versionRefusal("X", "4.1.0", "9.9")).toBe(sentence("[9.9,9.9]"));
  expect(versionRefusal("X", "4.1.0", "(4.1.0,)")).toBe(sentence("(4.1.0,)"));
  expect(versionRefusal("X", "4.1.0", "[1,2),(2,4.1)")).toBe(sentence("[1,2),(2,4.1)"));
  for (const asked of ["[", "[5,3]", "(1)", "]1,2["])
    expect(versionRefusal("X", "4.1.0", asked)).toBe(`Invalid version specification: ${asked}`);
});
