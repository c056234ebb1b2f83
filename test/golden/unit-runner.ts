/** Reads one case a line as JSON, answers each with one JSON line in the same order. */
import { createInterface } from "node:readline";
import { runConverterCase, runTransformCase } from "./run-case.ts";
import { objectOf, type Json } from "./tagged.ts";

for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
  if (line.trim() === "") continue;
  let answer: Json;
  try {
    const request = objectOf(JSON.parse(line) as Json);
    answer = request["kind"] === "smt" ? runTransformCase(request["case"]) : runConverterCase(request["case"]);
  } catch (e) {
    answer = { failure: e instanceof Error ? (e.stack ?? e.message) : String(e) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
