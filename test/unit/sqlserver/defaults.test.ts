import { describe, expect, test } from "vitest";
import { decimalType } from "#connectors/sqlserver/types-numeric";

describe("defaults of decimal(9,4), as the reference gives them for the server's text ((1.5))", () => {
  const of = (decimal: "precise" | "double" | "string"): unknown =>
    decimalType(9, 4, { decimal, time: "adaptive", binary: "bytes" }).defaultOf("((1.5))");
  test("as text they stay as written", () => expect(of("string")).toBe("1.5"));
  test("as a number they are one", () => expect(of("double")).toBe(1.5));
  test("precisely they have the column's scale", () => expect(of("precise")).toMatchObject({ unscaled: 15000n, scale: 4 }));
});
