/** Replays what Kafka Connect's and Debezium's own transforms and converters did with the same input. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { outcomeDifference } from "./compare.ts";
import { runConverterCase, runTransformCase } from "./run-case.ts";
import { isArray, objectOf, textOf, type Json } from "./tagged.ts";

// The offset of a time of day without a date is that of now: the cases were recorded in winter.
beforeAll(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 15), toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});
const folder = (name: string): URL => new URL(`connect/${name}/`, import.meta.url);
function cases(kind: string, file: string): { readonly [key: string]: Json }[] {
  const all = JSON.parse(readFileSync(new URL(file, folder(kind)), "utf8")) as Json;
  return isArray(all) ? all.map(objectOf) : [];
}
function check(c: { readonly [key: string]: Json }, answer: Json, json: boolean): void {
  const actual = objectOf(answer);
  const many = c["outputs"];
  if (many === undefined) {
    expect(outcomeDifference(c["output"], actual["output"], json)).toBeNull();
  } else if (isArray(many)) {
    const outputs = actual["outputs"];
    expect(isArray(outputs) ? outputs.length : -1).toBe(many.length);
    many.forEach((e, i) => {
      expect(outcomeDifference(e, isArray(outputs) ? outputs[i] : undefined, json)).toBeNull();
    });
  } else expect(outcomeDifference(many, actual["outputs"], json)).toBeNull();
}
for (const kind of ["converters", "smt"]) {
  for (const file of readdirSync(folder(kind)).sort()) {
    describe(`${kind}/${file}`, () => {
      for (const c of cases(kind, file)) {
        test(textOf(c["name"]), () => {
          if (kind === "smt") check(c, runTransformCase(c), false);
          else check(c, runConverterCase(c), c["direction"] === "fromConnect" && textOf(c["class"]).endsWith("JsonConverter"));
        });
      }
    });
  }
}
