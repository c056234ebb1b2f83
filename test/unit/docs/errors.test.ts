/** docs/errors.md has every error that keeps the broker from starting, with the next step that the code prints. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BrokerError, type BrokerErrorCode } from "#broker/base/errors";
import { startFailure } from "#connect/cli/failure";
import { code, expectTable, readDoc, ROOT, withProse } from "./generated.ts";

const DOC = "docs/errors.md";

test("the broker's errors", () => {
  const source = readFileSync(join(ROOT, "core-broker/base/errors.ts"), "utf8");
  const codes = Array.from(source.matchAll(/^ {2}([A-Z_]+):/gm), (m) => m[1] as BrokerErrorCode);
  expect(codes.length).toBeGreaterThan(5);
  const rows = codes.map((c) => [code(c), new BrokerError(c, "").nextStep]);
  expectTable(DOC, "broker errors", ["code", "next step, as printed", "cause"], withProse(DOC, "broker errors", rows));
});

test("no code is left over: each is thrown somewhere", () => {
  const sources = readdirSync(join(ROOT, "core-broker"), { recursive: true, encoding: "utf8" })
    .filter((p) => p.endsWith(".ts") && p !== "base/errors.ts")
    .map((p) => readFileSync(join(ROOT, "core-broker", p), "utf8"))
    .join("\n");
  const unused = (all: readonly string[]): string[] => all.filter((c) => !sources.includes(`"${c}"`));
  expect(unused(["PORT_IN_USE", "NEVER_THROWN"])).toEqual(["NEVER_THROWN"]);
  const table = readDoc(DOC).split("broker errors: begin")[1]?.split("broker errors: end")[0] ?? "";
  expect(unused(Array.from(table.matchAll(/^\| `([A-Z_]+)`/gm), (m) => m[1] ?? ""))).toEqual([]);
});

test("the command line's own failures are quoted as they are", () => {
  const failure = (fields: object): string => startFailure(Object.assign(new Error("x"), fields));
  const lines = [
    failure({ code: "EADDRINUSE", address: "HOST", port: "PORT" }),
    failure({ code: "EACCES", syscall: "listen", address: "HOST", port: "PORT" }),
    failure({ code: "EADDRNOTAVAIL", address: "HOST", port: "PORT" }),
    failure({ code: "ENOENT", path: "FILE" }),
    failure({ code: "EACCES", path: "FILE" }),
    startFailure(new Error("REASON: connect ECONNREFUSED.")).replace("REASON: connect ECONNREFUSED.", "REASON."),
  ];
  const doc = readDoc(DOC);
  expect(lines.filter((line) => !doc.includes(line))).toEqual([]);
});
